import type { Refused } from './decide.ts';

/** A decision that nothing is written. */
export function refuse(
  status: number,
  code: string,
  detail: string,
  extra?: Record<string, unknown>,
): { readonly refused: Refused } {
  return { refused: { status, code, detail, ...(extra && { extra }) } };
}
