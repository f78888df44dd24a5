import { begin, end, push, type ThinkPiece } from '../../wire/think.ts';
import type { ModelServer } from './options.ts';

/** Text and thoughts as they are shown, from deltas of both kinds. */
export interface Parts {
  push(kind: ThinkPiece['kind'], delta: string): ThinkPiece[];
  /** The answer is over, or broke off: what was held back. */
  end(): ThinkPiece[];
}

/**
 * Splits inline thoughts, and drops the blank lines that models put around them: those at the beginning of a thought,
 * of the text after one, and between a thought and the next. Text of an answer without thoughts stays as it is.
 */
export function createParts(server: ModelServer): Parts {
  const inline = server.reasoningTag !== false;
  let state = begin({
    ...(server.reasoningTag && { tag: server.reasoningTag }),
    ...(server.reasoningOpen && { open: true }),
  });
  let kind: ThinkPiece['kind'] | undefined;
  /** Blanks at the beginning of the present stretch; undefined once something else has come. */
  let lead: string | undefined;
  let thoughts = false;
  let lastShown: ThinkPiece['kind'] | undefined;

  function show(piece: ThinkPiece): ThinkPiece[] {
    if (piece.text === '') return [];
    if (piece.kind !== kind) {
      kind = piece.kind;
      lead = '';
    }
    if (lead === undefined) return [piece];
    lead += piece.text;
    if (!/\S/.test(lead)) return [];
    const text = kind === 'thought' || thoughts ? lead.replace(/^\s*\n/, '') : lead;
    lead = undefined;
    // Only blank text stood between two thoughts, which now become one part.
    const apart = kind === 'thought' && thoughts && lastShown === 'thought' ? '\n\n' : '';
    if (kind === 'thought') thoughts = true;
    lastShown = piece.kind;
    return [{ kind: piece.kind, text: apart + text }];
  }

  return {
    push(from, delta) {
      if (from === 'thought' || !inline) return show({ kind: from, text: delta });
      const step = push(state, delta);
      state = step.state;
      return step.pieces.flatMap(show);
    },
    end() {
      const rest = end(state).flatMap(show);
      if (kind !== 'text' || !lead || thoughts) return rest;
      return [...rest, { kind, text: lead }];
    },
  };
}
