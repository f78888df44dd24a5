import { default_renderer, parser, parser_end, parser_write } from 'streaming-markdown';
import { painted } from '../../support/painted.ts';
import { sluice } from './console.tsx';
import { answer } from './corpus.ts';
import type { Subject } from './subject.ts';

/** The console's page with one finished row and an open one, and nothing behind it. */
async function picture(root: HTMLElement): Promise<{ finished: HTMLElement; open: HTMLElement }> {
  const live = document.createElement('div');
  root.append(live);
  const console = sluice(live);
  await console.open(1, '');
  const still = [...live.childNodes].map((node) => node.cloneNode(true));
  console.close();
  live.remove();
  root.append(...still);
  const [finished, open] = root.querySelectorAll<HTMLElement>('.turn');
  if (!finished || !open) throw new Error('There are no rows in the picture.');
  return { finished, open };
}

/** Where a row says its answer, emptied. */
function place(row: HTMLElement): HTMLElement {
  const said = row.querySelector<HTMLElement>('.md') ?? document.createElement('div');
  said.className = 'md';
  said.replaceChildren();
  if (!said.isConnected) row.querySelector('.turn-parts')?.append(said);
  return said;
}

/**
 * The least that a page can do: the console's own page as a picture, and Markdown straight into its rows, one write a
 * frame. No order, no cursor, nothing sanitised, no tools, no stop. Everything is measured against it.
 */
export function floor(root: HTMLElement): Subject {
  const rows: HTMLElement[] = [];
  let said: HTMLElement | undefined;
  let grow = (_: string) => {};
  return {
    rows,
    get growing() {
      return rows.at(-1) as HTMLElement;
    },
    get answer() {
      return said?.textContent ?? '';
    },
    async open(count, begun) {
      const { finished, open } = await picture(root);
      const scroller = root.querySelector('.thread-scroller') as HTMLElement;
      finished.remove();
      const since = performance.now();
      for (let i = 0; i < count; i++) {
        const row = finished.cloneNode(true) as HTMLElement;
        const whole = parser(default_renderer(place(row)));
        parser_write(whole, answer);
        parser_end(whole);
        open.before(row);
        rows.push(row);
      }
      rows.push(open);
      said = place(open);
      const last = parser(default_renderer(said));
      let waiting = begun;
      let asked = false;
      const flush = () => {
        asked = false;
        parser_write(last, waiting);
        waiting = '';
        scroller.scrollTop = scroller.scrollHeight;
      };
      grow = (piece) => {
        waiting += piece;
        if (asked) return;
        asked = true;
        requestAnimationFrame(flush);
      };
      flush();
      await painted();
      return performance.now() - since;
    },
    prepare: (pieces) => pieces.map((piece) => () => grow(piece)),
  };
}
