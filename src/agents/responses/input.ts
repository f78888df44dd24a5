import type { ContentBlock } from '../../wire/content.ts';
import { AgentError } from '../agent.ts';
import type { Exchange } from '../model/context.ts';

/** A message of the request: the server keeps nothing that it needs of us, so each request brings the conversation. */
interface InputMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string | readonly InputPart[];
}

type InputPart =
  | { readonly type: 'input_text'; readonly text: string }
  | { readonly type: 'input_image'; readonly image_url: string; readonly detail: 'auto' };

/** The conversation so far and the new message. Throws `responses.unsupported_content` for what the API cannot take. */
export function inputOf(exchanges: readonly Exchange[], content: readonly ContentBlock[]): InputMessage[] {
  const earlier = exchanges.flatMap(({ user, answer }): InputMessage[] => [
    ...(user.length > 0 ? [{ role: 'user', content: user.map(partOf) } as const] : []),
    ...(answer !== '' ? [{ role: 'assistant', content: answer } as const] : []),
  ]);
  return [...earlier, { role: 'user', content: content.map(partOf) }];
}

function partOf(block: ContentBlock): InputPart {
  switch (block.type) {
    case 'text':
      return { type: 'input_text', text: block.text };
    case 'image':
      return {
        type: 'input_image',
        image_url: `data:${block.mimeType};base64,${block.data}`,
        detail: 'auto',
      };
    case 'resource_link':
      return { type: 'input_text', text: `[${block.title ?? block.name}](${block.uri})` };
    case 'resource': {
      const { uri, text } = block.resource;
      if (text !== undefined) return { type: 'input_text', text: `Contents of ${uri}:\n\n${text}` };
      throw unsupported(uri);
    }
    case 'audio':
      throw unsupported('a sound');
  }
}

function unsupported(what: string): AgentError {
  return new AgentError(
    'responses.unsupported_content',
    `This message cannot be sent: the Responses API takes text and images, not ${what}. Send it as text.`,
  );
}
