import { render } from 'solid-js/web';
import { painted } from '../../support/painted.ts';
import '../../../src/console/styles/index.css';
import { App } from '../../../src/console/app.tsx';
import { start } from '../../../src/console/start.ts';
import { ended, started, text } from '../../support/facts.ts';
import { type Line, PageGateway } from '../../support/page.gateway.ts';
import { answer } from './corpus.ts';
import type { Subject } from './subject.ts';

const session = 's';
const open = 'open';

/** The whole console, from the text of a frame of its live channel to the page. */
export function sluice(root: HTMLElement): Subject & { close(): void } {
  const gateway = new PageGateway();
  let close = () => {};
  let length = 0;
  const arrive = async () => {
    do {
      gateway.line?.flush();
      await painted();
    } while ((gateway.line?.queue.length ?? 1) > 0);
  };
  const find = (selector: string) => [...root.querySelectorAll<HTMLElement>(selector)];
  return {
    get rows() {
      return find('.turn');
    },
    get growing() {
      return find(`[data-turn="${open}"]`)[0] as HTMLElement;
    },
    get answer() {
      const said = find(`[data-turn="${open}"] .md`)[0]?.cloneNode(true) as HTMLElement | undefined;
      for (const own of said?.querySelectorAll('.md-code figcaption') ?? []) own.remove();
      return said?.textContent ?? '';
    },
    async open(count, begun) {
      gateway.open(session);
      for (let i = 1; i <= count; i++)
        gateway.write(session, started(`t${i}`, i), text(`t${i}`, 0, answer), ended(`t${i}`));
      gateway.write(session, started(open, count + 1));
      if (begun !== '') gateway.write(session, text(open, 0, begun));
      length = begun.length;
      history.replaceState(null, '', `/c/${session}`);
      const shelf = { values: async () => [], set: async () => {}, delete: async () => {} };
      const { fetch, openSocket } = gateway;
      const since = performance.now();
      const sluice = start({ fetch: fetch as typeof window.fetch, openSocket, shelf, presence: null });
      const leave = render(() => <App sluice={sluice} />, root);
      close = () => {
        leave();
        sluice.close();
      };
      while (this.rows.length <= count) await arrive();
      const ms = performance.now() - since;
      await arrive();
      return ms;
    },
    close: () => close(),
    prepare(pieces) {
      const line: Line = gateway.line;
      for (const piece of pieces) {
        gateway.write(session, text(open, length, piece));
        length += piece.length;
      }
      const frames = line.queue.splice(0).map((frame) => JSON.stringify(frame));
      return frames.map((data) => () => line.onmessage?.({ data }));
    },
  };
}
