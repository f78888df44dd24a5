import type { ModelMessage } from 'ai';
import type { ContentBlock } from '../../wire/content.ts';
import type { Turn } from '../../wire/turn.ts';

/** A message and what the model answered; the answer is empty when the turn came to none. */
export interface Exchange {
  readonly turn: string;
  readonly user: readonly ContentBlock[];
  /** All that the user was told. */
  readonly answer: string;
  /** The steps in which tools were used. */
  readonly steps?: readonly ModelMessage[];
  /** With steps: what was said after the last one. */
  readonly rest?: string;
  readonly endedWell: boolean;
}

/**
 * Settled turns as context: their text, as the user sees it, and what `told` makes of their tools. A turn that was retried
 * counts as its retry alone.
 */
export function exchangesOf(
  turns: readonly Turn[],
  told: (turn: Turn) => Pick<Exchange, 'steps' | 'rest'> | undefined = () => undefined,
): Exchange[] {
  const retried = new Set(turns.flatMap((turn) => turn.retryOf ?? []));
  return turns
    .filter((turn) => turn.outcome !== undefined && !retried.has(turn.id))
    .map((turn) => ({
      turn: turn.id,
      user: turn.message?.content ?? [],
      answer: turn.parts.flatMap((part) => (part.type === 'text' ? part.text : [])).join('\n\n'),
      endedWell: turn.outcome === 'finalized',
      ...told(turn),
    }))
    .filter(({ user, answer, steps }) => user.length > 0 || answer !== '' || steps !== undefined);
}

/** An image or a sound, whatever its size: what the usual models charge for a picture of about a megapixel. */
const mediaTokens = 1000;
/** Each message costs a few tokens of markup. */
const messageTokens = 4;

/**
 * Tokens of a text, estimated: four characters a token; characters from U+2E80 on (Chinese, Japanese, Korean, emoji)
 * a token each. Tokenizers differ by model and are not asked: `budgetOf` leaves a margin instead.
 */
export function estimateText(text: string): number {
  let wide = 0;
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) >= 0x2e80) wide += 1;
  return wide + Math.ceil((text.length - wide) / 4);
}

function estimateBlock(block: ContentBlock): number {
  if (block.type === 'text') return estimateText(block.text);
  if (block.type === 'resource_link')
    return estimateText(`${block.uri}${block.title ?? block.name}`) + messageTokens;
  if (block.type === 'resource' && block.resource.text !== undefined) {
    return estimateText(block.resource.text) + estimateText(block.resource.uri) + messageTokens;
  }
  return mediaTokens;
}

function estimateExchange(exchange: Exchange): number {
  const { user, answer, steps, rest = '' } = exchange;
  if (!steps) return estimateContent(user) + messageTokens + estimateText(answer);
  return estimateContent(user) + estimateMessages(steps) + messageTokens + estimateText(rest);
}

export function estimateMessages(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, { content }) => sum + messageTokens + estimateParts(content), 0);
}

function estimateParts(content: ModelMessage['content']): number {
  if (typeof content === 'string') return estimateText(content);
  return content.reduce((sum, part) => {
    if (part.type === 'text' || part.type === 'reasoning') return sum + estimateText(part.text);
    if (part.type === 'tool-call') return sum + messageTokens + estimateText(JSON.stringify(part.input));
    if (part.type === 'tool-result') return sum + messageTokens + estimateText(resultOf(part));
    return sum + mediaTokens;
  }, 0);
}

type ToolResult = Extract<Exclude<ModelMessage['content'], string>[number], { readonly type: 'tool-result' }>;

function resultOf({ output }: ToolResult): string {
  return 'value' in output && typeof output.value === 'string' ? output.value : JSON.stringify(output);
}

/** Results shorter than this are not worth leaving out. */
const worthCutting = 200;

/**
 * Leaves out results of tools, oldest first, until `excess` tokens are saved, and a quarter of the budget beyond: see
 * `firstSent`. Those of the last step stay: the model waits for them. Changes `steps`; gives how many were left out.
 */
export function cutResults(steps: ModelMessage[], excess: number, budget: number): number {
  let over = excess + budget / 4;
  let count = 0;
  for (const [index, message] of steps.slice(0, -1).entries()) {
    if (message.role !== 'tool') continue;
    const content = message.content.map((part) => {
      if (over <= 0 || part.type !== 'tool-result') return part;
      const value = resultOf(part);
      if (value.length < worthCutting) return part;
      const short = `[${value.length} characters were left out to make room; use the tool again if you need them]`;
      over -= estimateText(value) - estimateText(short);
      count += 1;
      return { ...part, output: { type: 'text' as const, value: short } };
    });
    steps[index] = { ...message, content };
  }
  return count;
}

export function estimateContent(content: readonly ContentBlock[]): number {
  return content.reduce((sum, block) => sum + estimateBlock(block), messageTokens);
}

/**
 * How many estimated tokens a prompt may have: the window, less room for the answer (`maxOutputTokens`, else a
 * quarter of the window, at most 4096), less a tenth for what the estimate misses.
 */
export function budgetOf(window: number, maxOutputTokens: number | undefined): number {
  const answer = maxOutputTokens ?? Math.min(4096, Math.floor(window / 4));
  return Math.max(0, Math.floor((window - answer) * 0.9));
}

/**
 * Which exchange is the first to be sent, given that all before `first` were left out already. Whole exchanges go,
 * oldest first, and when some must go, so many that a quarter of the budget is free again: a cut at each turn would
 * change the beginning of each prompt, which servers cache.
 */
export function firstSent(
  exchanges: readonly Exchange[],
  first: number,
  fixed: number,
  budget: number,
): number {
  const sizes = exchanges.map(estimateExchange);
  let total = fixed + sizes.slice(first).reduce((sum, size) => sum + size, 0);
  if (total <= budget) return first;
  let from = first;
  while (from < exchanges.length && total > budget * 0.75) {
    total -= sizes[from] as number;
    from += 1;
  }
  return from;
}
