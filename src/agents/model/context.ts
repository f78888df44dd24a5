import type { ContentBlock } from '../../wire/content.ts';
import type { Turn } from '../../wire/turn.ts';

/** A message and what the model answered; the answer is empty when the turn came to none. */
export interface Exchange {
  readonly turn: string;
  readonly user: readonly ContentBlock[];
  readonly answer: string;
  readonly endedWell: boolean;
}

/** Settled turns as context: text only, as the user sees it. A turn that was retried counts as its retry alone. */
export function exchangesOf(turns: readonly Turn[]): Exchange[] {
  const retried = new Set(turns.flatMap((turn) => turn.retryOf ?? []));
  return turns
    .filter((turn) => turn.outcome !== undefined && !retried.has(turn.id))
    .map((turn) => ({
      turn: turn.id,
      user: turn.message?.content ?? [],
      answer: turn.parts.flatMap((part) => (part.type === 'text' ? part.text : [])).join('\n\n'),
      endedWell: turn.outcome === 'finalized',
    }))
    .filter((exchange) => exchange.user.length > 0 || exchange.answer !== '');
}

/** Taken for a model of which neither the settings nor the server say the window. */
export const defaultWindow = 32_768;
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
  return estimateContent(exchange.user) + messageTokens + estimateText(exchange.answer);
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
