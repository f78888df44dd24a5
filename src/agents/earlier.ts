import type { ContentBlock } from '../wire/content.ts';
import type { Turn } from '../wire/turn.ts';
import type { AgentSession, OpenOptions, Output, PromptRequest } from './agent.ts';
import { exchangesOf } from './model/context.ts';

/** Characters of earlier turns that are sent along; the oldest are left out first. */
const largest = 60_000;

const preface =
  'This conversation began earlier. What was said is given here as context; answer only the message after it.';

interface Earlier {
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

/** Which of the turns were given, in words. */
export function partOf({ turns, of }: Earlier): string {
  return turns < of ? `the last ${turns} of ${of} turns` : 'the earlier turns';
}

/**
 * For agents that keep a conversation under the name of our session, and so know nothing of the one that a job comes from: it
 * is given as text with the job's message, and a notice says so.
 */
export function tellingOrigin(name: string, options: OpenOptions, session: AgentSession): AgentSession {
  const earlier = options.kind === 'job' ? earlierTurns(options.history) : undefined;
  if (!earlier) return session;
  const text = `${name} does not know the conversation that this job comes from: it was given ${partOf(earlier)} as text.`;
  const notice: Output = { type: 'notice', level: 'info', code: 'agent.context_given', text };
  let told = false;
  const prompt = (request: PromptRequest) => {
    if (told) return session.prompt(request);
    told = true;
    const content: ContentBlock[] = [{ type: 'text', text: earlier.text }, ...request.content];
    // Begun at once: a stop finds a turn that runs.
    return after(notice, session.prompt({ ...request, content }));
  };
  return Object.create(session, { prompt: { value: prompt } }) as AgentSession;
}

async function* after(first: Output, rest: AsyncIterable<Output>): AsyncIterable<Output> {
  yield first;
  yield* rest;
}

/** A block of a message as text, for whom takes nothing else. */
export function textOf(block: ContentBlock): string {
  if (block.type === 'text') return block.text;
  if (block.type === 'resource_link') return `[${block.title ?? block.name}](${block.uri})`;
  if (block.type === 'resource') return `${block.resource.uri}:\n${block.resource.text ?? '(binary)'}`;
  return `(${block.type})`;
}
