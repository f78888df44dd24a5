import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { findChromium } from '../../src/setup/chromium.mjs';

/** The Chromium that the set-up has found (SLUICE_CHROMIUM), or finds now; without calls of its own to anywhere. */
export function launchChromium(): Promise<Browser> {
  const executablePath = process.env.SLUICE_CHROMIUM ?? findChromium();
  return chromium.launch({
    ...(executablePath !== undefined && { executablePath }),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A tab whose live channel the test can cut. What the page itself reports as wrong is kept. */
export class Tab {
  readonly page: Page;
  readonly errors: string[] = [];
  #cut: (() => Promise<void>) | undefined;

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      const { url } = message.location();
      // A lost gateway is said by the browser too; that is what these tests are about.
      const isLost = message.text().includes('ERR_CONNECTION');
      if (message.type() === 'error' && !isLost) this.errors.push(`${message.text()} ${url}`);
    });
  }

  static async open(context: BrowserContext, url: string): Promise<Tab> {
    const tab = new Tab(await context.newPage());
    await tab.page.routeWebSocket(/\/api\/live/, (socket) => {
      const server = socket.connectToServer();
      tab.#cut = async () => {
        await socket.close({ code: 1012 });
        await server.close();
      };
    });
    await tab.page.goto(url);
    return tab;
  }

  /** Drops the live channel, as a lost network does. */
  async cutLink(): Promise<void> {
    await this.#cut?.();
  }

  /** Counts from now on each element of a finished row that is taken out of the document (I10). */
  async watchRows(): Promise<void> {
    await this.page.evaluate(() => {
      const seen = globalThis as unknown as { removedRows: string[] };
      seen.removedRows = [];
      const rows = '.turn[data-turn]:not([data-open])';
      new MutationObserver((records) => {
        for (const { removedNodes, target } of records) {
          const inRow = target instanceof Element && target.closest(`${rows} .turn-parts`) !== null;
          for (const node of removedNodes) {
            if (!(node instanceof Element)) continue;
            if (node.matches(rows)) seen.removedRows.push(node.getAttribute('data-turn') ?? '?');
            else if (inRow && node.matches('p, pre, li, table, .tool, .markdown'))
              seen.removedRows.push(node.tagName);
          }
        }
      }).observe(document.body, { subtree: true, childList: true });
    });
  }

  removedRows(): Promise<string[]> {
    return this.page.evaluate(() => (globalThis as unknown as { removedRows: string[] }).removedRows);
  }
}
