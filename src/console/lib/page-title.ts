import { createMemo } from 'solid-js';
import type { SessionSummary } from '../../wire/snapshot.ts';
import { afterwards } from './live.ts';
import { createField } from './ui.ts';
import { isRunning } from './words.ts';

const shown = createField('');

/** Names what the page shows, in the title of its tab. */
export function titlePage(words: () => string): void {
  afterwards(words, shown.set);
}

/** `1 needs an answer, 2 running`: what a tab says while another one is looked at. */
export function countsOf(sessions: readonly Pick<SessionSummary, 'state' | 'permissions'>[]): string {
  const asking = sessions.filter((one) => one.permissions > 0).length;
  const running = sessions.filter((one) => one.permissions === 0 && isRunning(one.state)).length;
  const pieces = [];
  if (asking > 0) pieces.push(asking === 1 ? '1 needs an answer' : `${asking} need an answer`);
  if (running > 0) pieces.push(`${running} running`);
  return pieces.join(', ');
}

/** Keeps the tab's title true for as long as the calling component is shown. */
export function keepTitle(sessions: () => readonly SessionSummary[]): void {
  const counts = createMemo(() => countsOf(sessions()));
  afterwards(
    () => [counts(), shown(), 'Sluice'].filter((piece) => piece !== '').join(' · '),
    (title) => {
      document.title = title;
    },
  );
}
