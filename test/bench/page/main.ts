import { painted } from '../../support/painted.ts';
import { sluice } from './console.tsx';
import { markdown, pieces } from './corpus.ts';
import { floor } from './floor.ts';

/** What the program that measures can ask of this page. A page shows one subject, once. */
export interface Bench {
  /** Milliseconds from nothing to `rows` finished rows and one that grows, of `begun` UTF-16 units. */
  open(rows: number, begun: number): Promise<number>;
  /** Prepares `count` pieces, `size` UTF-16 units in all. */
  prepare(count: number, size: number): void;
  /** Hands over all that was prepared, `atOnce` pieces each `everyMs`; all of it in one go without. */
  play(pace?: { readonly atOnce: number; readonly everyMs: number }): Promise<Seen>;
  /** UTF-16 units of the answer without white space: both have to say the same. */
  said(): number;
}

export interface Seen {
  readonly pieces: number;
  /** From the first piece to the last change of the row that grows. */
  readonly ms: number;
  /** Frames in which the row that grows has changed. */
  readonly updates: number;
  /** Tasks of the main thread of over 50 ms, the longest one in ms. */
  readonly longTasks: number;
  readonly longest: number;
  /** From the last piece to the last change, in ms. */
  readonly lastMs: number;
  /** Changes to rows that were finished before. */
  readonly touched: number;
  /** Elements that were made in the row that grows, for each that is left there in the end. */
  readonly made: number;
}

declare global {
  interface Window {
    readonly bench: Bench;
  }
}

const root = document.getElementById('root') as HTMLElement;
const subject = new URL(location.href).searchParams.get('subject') === 'floor' ? floor(root) : sluice(root);
let prepared: readonly (() => void)[] = [];
let begunWith = 0;

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
/** So many frames without a change, and all is on the page. */
const stillFrames = 6;

async function play(pace?: { readonly atOnce: number; readonly everyMs: number }): Promise<Seen> {
  const { growing, rows } = subject;
  let [updates, made, touched, longTasks, longest, lastChange] = [0, 0, 0, 0, 0, 0];
  let [changed, still, isAll] = [false, 0, false];
  const before = growing.getElementsByTagName('*').length;
  const inRow = new MutationObserver((records) => {
    changed = true;
    lastChange = performance.now();
    for (const { addedNodes } of records)
      for (const node of addedNodes)
        if (node instanceof Element) made += 1 + node.getElementsByTagName('*').length;
  });
  inRow.observe(growing, { childList: true, characterData: true, subtree: true });
  const finished = new MutationObserver((records) => {
    touched += records.length;
  });
  for (const row of rows)
    if (row !== growing)
      finished.observe(row, { childList: true, characterData: true, subtree: true, attributes: true });
  const tasks = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      longTasks += 1;
      longest = Math.max(longest, duration);
    }
  });
  tasks.observe({ type: 'longtask' });
  const shown = new Promise<void>((resolve) => {
    const tick = () => {
      if (changed) updates += 1;
      still = changed || !isAll ? 0 : still + 1;
      changed = false;
      if (still < stillFrames) requestAnimationFrame(tick);
      else resolve();
    };
    requestAnimationFrame(tick);
  });
  const began = performance.now();
  lastChange = began;
  const step = pace?.atOnce ?? prepared.length;
  for (let at = 0; at < prepared.length; at += step) {
    // By the clock, so that a page that is slow does not get less to do.
    if (pace && at > 0) await wait(Math.max(0, began + (at / step) * pace.everyMs - performance.now()));
    for (const next of prepared.slice(at, at + step)) next();
  }
  const last = performance.now();
  isAll = true;
  await shown;
  for (const observer of [inRow, finished, tasks]) observer.disconnect();
  const left = growing.getElementsByTagName('*').length - before;
  return {
    pieces: prepared.length,
    ms: lastChange - began,
    updates,
    longTasks,
    longest,
    lastMs: Math.max(0, lastChange - last),
    touched,
    made: made / Math.max(1, left),
  };
}

Object.assign(window, {
  bench: {
    async open(rows, begun) {
      begunWith = begun;
      const ms = await subject.open(rows, markdown(begun));
      await wait(500);
      await painted();
      return ms;
    },
    prepare(count, size) {
      prepared = subject.prepare(pieces(markdown(begunWith + size).slice(begunWith), count));
    },
    play,
    said: () => subject.answer.replace(/\s/g, '').length,
  } satisfies Bench,
});
