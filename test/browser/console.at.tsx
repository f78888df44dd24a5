import { onTestFinished } from 'vitest';
import { App } from '../../src/console/app.tsx';
import { start } from '../../src/console/start.ts';
import type { PageGateway } from '../support/page.gateway.ts';
import { find, painted, show } from './console.harness.tsx';

/** A page at an address, over a gateway in the test's hand. */
export function pageAt(address: string, gateway: PageGateway) {
  const before = location.href;
  history.replaceState(null, '', address);
  const sluice = start({
    fetch: gateway.fetch as typeof fetch,
    openSocket: gateway.openSocket,
    shelf: { values: async () => [], set: async () => {}, delete: async () => {} },
    presence: null,
  });
  // After the view, which lets go of its sessions when it is taken down.
  onTestFinished(() => {
    sluice.close();
    history.replaceState(null, '', before);
  });
  const host = show(() => <App sluice={sluice} />);
  /** What is on its way arrives and is painted. */
  const arrive = async () => {
    do {
      gateway.line.flush();
      await painted();
    } while (gateway.line.queue.length > 0);
  };
  const row = (turn: string) => find(host, `[data-turn="${turn}"]`);
  const go = async (to: string) => {
    find<HTMLAnchorElement>(host, `a[href="${to}"]`).click();
    await arrive();
    await arrive();
  };
  return { host, sluice, arrive, row, go };
}
