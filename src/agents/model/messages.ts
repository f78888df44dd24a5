import type { FilePart, ModelMessage, TextPart } from 'ai';
import type { ContentBlock } from '../../wire/content.ts';
import type { Exchange } from './context.ts';

/**
 * The conversation as chat messages. Neighbours of one role become one message: the templates of several models
 * refuse two user messages in a row, which a turn without an answer would leave. Without `tools`, earlier use of tools
 * is left out: servers without tools refuse it.
 */
export function toMessages(
  exchanges: readonly Exchange[],
  content: readonly ContentBlock[],
  tools: boolean,
): ModelMessage[] {
  const messages: ModelMessage[] = [];
  let user: ContentBlock[] = [];
  let answers: string[] = [];
  const flushAnswers = () => {
    if (answers.length > 0) messages.push({ role: 'assistant', content: answers.join('\n\n') });
    answers = [];
  };
  const flushUser = () => {
    if (user.length > 0) messages.push({ role: 'user', content: userContent(user) });
    user = [];
  };
  for (const exchange of exchanges) {
    if (exchange.user.length > 0) {
      flushAnswers();
      user.push(...exchange.user);
    }
    const steps = tools ? exchange.steps : undefined;
    const answer = steps ? (exchange.rest ?? '') : exchange.answer;
    if (steps) {
      flushUser();
      flushAnswers();
      messages.push(...steps);
    }
    if (answer !== '') {
      flushUser();
      answers.push(answer);
    }
  }
  flushAnswers();
  user.push(...content);
  flushUser();
  return messages;
}

/** One string where all is text: some servers take no list of parts. */
function userContent(blocks: readonly ContentBlock[]): string | (TextPart | FilePart)[] {
  const parts = blocks.map(toPart);
  if (!parts.every((part) => part.type === 'text')) return parts;
  return parts.map((part) => part.text).join('\n\n');
}

function toPart(block: ContentBlock): TextPart | FilePart {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text };
    case 'image':
    case 'audio':
      return { type: 'file', data: block.data, mediaType: block.mimeType };
    case 'resource_link':
      return { type: 'text', text: `[${block.title ?? block.name}](${block.uri})` };
    case 'resource': {
      const { uri, text, blob, mimeType } = block.resource;
      if (text !== undefined) return { type: 'text', text: `Contents of ${uri}:\n\n${text}` };
      if (blob !== undefined && mimeType !== undefined)
        return { type: 'file', data: blob, mediaType: mimeType };
      return { type: 'text', text: `(${uri}: empty)` };
    }
  }
}
