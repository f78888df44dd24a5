import { default_renderer, parser, parser_end, parser_write } from 'streaming-markdown';
import { painted } from '../../support/painted.ts';
import { answer } from './corpus.ts';
import type { Subject } from './subject.ts';

/**
 * The least that a page can do: Markdown straight to the DOM, one write a frame, rows out of sight are not laid out. No
 * order, no cursor, nothing sanitised, no tools, no stop. Everything is measured against it.
 */
export function floor(root: HTMLElement): Subject {
  const style = document.createElement('style');
  style.textContent = `body { margin: 0 } .scroller { height: 100vh; overflow-y: auto }
    .row { content-visibility: auto; contain-intrinsic-size: auto 300px; padding: 8px 16px }`;
  document.head.append(style);
  const scroller = document.createElement('div');
  scroller.className = 'scroller';
  root.append(scroller);
  const rows: HTMLElement[] = [];
  const row = () => {
    const element = document.createElement('div');
    element.className = 'row';
    scroller.append(element);
    rows.push(element);
    return parser(default_renderer(element));
  };
  let grow = (_: string) => {};
  return {
    rows,
    get growing() {
      return rows.at(-1) as HTMLElement;
    },
    get answer() {
      return rows.at(-1)?.textContent ?? '';
    },
    async open(count, begun) {
      const since = performance.now();
      for (let i = 0; i < count; i++) {
        const whole = row();
        parser_write(whole, answer);
        parser_end(whole);
      }
      const last = row();
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
