import type { PromptCapabilities } from '@agentclientprotocol/sdk';
import type { ContentBlock } from '../../wire/content.ts';
import type { Turn } from '../../wire/turn.ts';
import { exchangesOf } from '../model/context.ts';

/** Characters of earlier turns that are sent along; the oldest are left out first. */
const largest = 60_000;

const preface =
  'This conversation began earlier. What was said is given here as context; answer only the message after it.';

export interface Earlier {
  /** For the agent, before the user's message. */
  readonly text: string;
  /** Turns in it, and of all. */
  readonly turns: number;
  readonly of: number;
}

/** The conversation so far as text, for an agent session that does not know it; undefined when there is nothing to tell. */
export function earlierTurns(history: readonly Turn[]): Earlier | undefined {
  const exchanges = exchangesOf(history).map(({ user, answer, endedWell }) => {
    const asked = user.map(textOf).join('\n');
    return `User: ${asked}\n\nAssistant: ${answer || '(no answer)'}${endedWell ? '' : ' [cut off]'}`;
  });
  if (!history.some((turn) => turn.parts.some((part) => part.type === 'text'))) return undefined;
  let from = exchanges.length;
  for (let size = 0; from > 0; from -= 1) {
    size += exchanges[from - 1]?.length ?? 0;
    if (size > largest && from < exchanges.length) break;
  }
  const kept = exchanges.slice(from);
  const text = [preface, '<earlier>', kept.join('\n\n').slice(-largest), '</earlier>'].join('\n');
  return { text, turns: kept.length, of: exchanges.length };
}

/** A text that an agent gives back, without what was put before it here. */
export function withoutEarlier(text: string): string {
  if (!text.startsWith(preface)) return text;
  const end = text.lastIndexOf('</earlier>');
  return end < 0 ? '' : text.slice(end + '</earlier>'.length);
}

/** The message in the kinds of content that the agent takes; `lost` names what it does not. */
export function promptBlocks(
  content: readonly ContentBlock[],
  can: PromptCapabilities | undefined,
): { blocks: ContentBlock[]; lost: string[] } {
  const lost = new Set<string>();
  const blocks = content.flatMap((block): ContentBlock[] => {
    if (block.type === 'image' && !can?.image) lost.add('images');
    else if (block.type === 'audio' && !can?.audio) lost.add('sound');
    else if (block.type !== 'resource' || can?.embeddedContext) return [block];
    else if (block.resource.text !== undefined) return [{ type: 'text', text: textOf(block) }];
    else lost.add('attached files that are not text');
    return [];
  });
  return { blocks, lost: [...lost] };
}

function textOf(block: ContentBlock): string {
  if (block.type === 'text') return block.text;
  if (block.type === 'resource_link') return `[${block.title ?? block.name}](${block.uri})`;
  if (block.type === 'resource') return `${block.resource.uri}:\n${block.resource.text ?? '(binary)'}`;
  return `(${block.type})`;
}
