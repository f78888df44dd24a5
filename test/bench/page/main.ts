import { sluice } from './console.tsx';
import { markdown, pieces } from './corpus.ts';
import { floor } from './floor.ts';
import { painted } from './subject.ts';

/** What the program that measures can ask of this page. A page shows one subject, once. */
export interface Bench {
  /** Milliseconds from nothing to `rows` finished rows and one that grows, of `begun` UTF-16 units. */
  open(rows: number, begun: number): Promise<number>;
  /** Prepares `count` pieces, `size` UTF-16 units in all. */
  prepare(count: number, size: number): void;
  /** Hands over all that was prepared, `atOnce` pieces each `everyMs`; all of it in one go without. */
  play(pace?: { readonly atOnce: number; readonly everyMs: number }): Promise<Seen>;
}

export interface Seen {
  readonly pieces: number;
  readonly ms: number;
  /** Frames in which the row that grows has changed, and all frames. */
  readonly updates: number;
  readonly frames: number;
  /** Tasks of the main thread of over 50 ms, the longest one in ms. */
  readonly longTasks: number;
  readonly longest: number;
  /** From the last piece to the page, in ms. */
  readonly lastMs: number;
  /** Changes to rows that were finished before. */
  readonly touched: number;
  /** Elements that were made in the row that grows, for each that is left there in the end. */
  readonly made: number;
  /** Of the answer, without white space: both have to say the same. */
  readonly length: number;
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
const lengthOf = () => subject.answer.replace(/\s/g, '').length;

async function play(pace?: { readonly atOnce: number; readonly everyMs: number }): Promise<Seen> {
  const { growing, rows } = subject;
  let changed = false;
  let [updates, frames, made, touched, longTasks, longest] = [0, 0, 0, 0, 0, 0];
  const before = growing.getElementsByTagName('*').length;
  const inRow = new MutationObserver((records) => {
    changed = true;
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
  let isOver = false;
  const tick = () => {
    frames += 1;
    if (changed) updates += 1;
    changed = false;
    if (!isOver) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  const began = performance.now();
  if (!pace) for (const next of prepared) next();
  else {
    for (let at = 0; at < prepared.length; at += pace.atOnce) {
      for (const next of prepared.slice(at, at + pace.atOnce)) next();
      // By the clock, so that a page that is slow does not get less to do.
      await wait(Math.max(0, began + (at / pace.atOnce + 1) * pace.everyMs - performance.now()));
    }
  }
  const last = performance.now();
  // Until nothing changes any more.
  let lastChange = last;
  for (let still = 0; still < 6; ) {
    const at = lengthOf();
    await new Promise((resolve) => requestAnimationFrame(resolve));
    if (lengthOf() === at) still += 1;
    else {
      still = 0;
      lastChange = performance.now();
    }
  }
  isOver = true;
  const ms = performance.now() - began;
  for (const observer of [inRow, finished, tasks]) observer.disconnect();
  const left = growing.getElementsByTagName('*').length - before;
  return {
    pieces: prepared.length,
    ms,
    updates,
    frames,
    longTasks,
    longest,
    lastMs: lastChange - last,
    touched,
    made: made / Math.max(1, left),
    length: lengthOf(),
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
  } satisfies Bench,
});
