import type { Browser, BrowserContext } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import { launchChromium, Tab } from '../support/chromium.ts';
import { GatewayProcess } from '../support/process-gateway.ts';
import { factsOf, snapshotOf, until, wrongWith } from '../support/real-logs.ts';

let browser: Browser;
let context: BrowserContext;
let gateway: GatewayProcess;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());
beforeEach(async () => {
  gateway = new GatewayProcess();
  await gateway.start();
  context = await browser.newContext();
  await gateway.call('POST', '/api/sessions', { id: 'a', agent: 'builtin', title: 'a' });
});
afterEach(async () => {
  await context.close();
  await gateway.remove();
});

async function open(): Promise<Tab> {
  const tab = await Tab.open(context, gateway.openUrl);
  await tab.page.goto(`${gateway.url}/c/a`);
  await live(tab);
  return tab;
}

const live = (tab: Tab) =>
  expect.poll(() => tab.page.getByRole('status').filter({ hasText: 'Live' }).count()).toBe(1);
const box = (tab: Tab) => tab.page.getByRole('textbox', { name: 'Message' });
const waiting = (tab: Tab) => tab.page.locator('.outbox:not([data-refused]) .outbox-text').allTextContents();
const says = (word: string) => `script: ${JSON.stringify([{ text: word }])}`;

async function write(tab: Tab, word: string): Promise<void> {
  await box(tab).fill(says(word));
  await box(tab).press('Enter');
  await expect.poll(() => box(tab).inputValue()).toBe('');
}

async function goesAway(...tabs: readonly Tab[]): Promise<void> {
  await gateway.end('SIGKILL');
  for (const tab of tabs)
    await expect.poll(() => tab.page.getByRole('status').filter({ hasText: 'Live' }).count()).toBe(0);
}

/** A page whose gateway is away cannot be loaded; what it had kept stays in the browser. */
async function reloadInVain(tab: Tab): Promise<void> {
  await expect(tab.page.reload()).rejects.toThrow('ERR_CONNECTION_REFUSED');
}

const said = ({ turns }: SessionSnapshot) =>
  turns.flatMap((turn) => turn.parts.map((part) => (part.type === 'text' ? part.text : '?')));
const answered = (count: number) =>
  until(
    gateway,
    'a',
    (now) => now.turns.length >= count && now.state === 'finalized' && now.queue.messages.length === 0,
  );

/** I9: each message id of the log has one start. */
async function startedOnce(count: number): Promise<void> {
  const started = (await factsOf(gateway, 'a')).flatMap((fact) =>
    fact.type === 'turn.started' ? [fact.message?.id] : [],
  );
  expect([started.length, new Set(started).size]).toEqual([count, count]);
  expect(await wrongWith(gateway, 'a', 'a')).toEqual([]);
}

describe('a message that is sent while the gateway is away', { timeout: 120_000 }, () => {
  it('is shown as waiting, and goes out once and in order when it is back (I9, I13)', async () => {
    const tab = await open();
    await goesAway(tab);
    for (const word of ['one', 'two', 'three']) await write(tab, word);
    await expect.poll(() => waiting(tab)).toEqual([says('one'), says('two'), says('three')]);
    expect(await tab.page.locator('.outbox-state').first().textContent()).toBe('Goes out when connected');
    await gateway.start();
    expect(said(await answered(3))).toEqual(['one', 'two', 'three']);
    await expect.poll(() => waiting(tab)).toEqual([]);
    await startedOnce(3);
    await expect.poll(() => tab.page.locator('article.turn:not([data-open])').count()).toBe(3);
  });

  it('is kept over a reload, and then goes out once and in order (I9)', async () => {
    const tab = await open();
    await goesAway(tab);
    for (const word of ['one', 'two', 'three']) await write(tab, word);
    await expect.poll(() => waiting(tab)).toHaveLength(3);
    await reloadInVain(tab);
    await gateway.start();
    await tab.page.goto(`${gateway.url}/c/a`);
    expect(said(await answered(3))).toEqual(['one', 'two', 'three']);
    await expect.poll(() => waiting(tab)).toEqual([]);
    await startedOnce(3);
  });

  it('goes out once from two tabs, each in its order, also when both are loaded again and one is closed (I9)', async () => {
    const [one, two, three] = [await open(), await open(), await open()];
    await goesAway(one, two, three);
    await write(one, 'a1');
    await write(two, 'b1');
    await write(one, 'a2');
    await write(two, 'b2');
    await write(three, 'c1');
    await expect.poll(() => waiting(three)).toHaveLength(1);
    await expect.poll(() => waiting(two)).toHaveLength(2);
    await reloadInVain(one);
    await reloadInVain(two);
    await three.page.close();
    await gateway.start();
    await Promise.all([one, two].map((tab) => tab.page.goto(`${gateway.url}/c/a`)));
    const words = said(await answered(5));
    expect(words.toSorted()).toEqual(['a1', 'a2', 'b1', 'b2', 'c1']);
    for (const [first, second] of [
      ['a1', 'a2'],
      ['b1', 'b2'],
    ] as const)
      expect(words.indexOf(first)).toBeLessThan(words.indexOf(second));
    await startedOnce(5);
    for (const tab of [one, two]) await expect.poll(() => waiting(tab)).toEqual([]);
  });

  it('becomes a draft that says why, when its conversation is gone (I13)', async () => {
    const tab = await open();
    await goesAway(tab);
    await write(tab, 'one');
    await expect.poll(() => waiting(tab)).toHaveLength(1);
    // Somebody else deletes the conversation before this page is back.
    const other = new GatewayProcess(['--data', gateway.data]);
    await other.start();
    await other.call('DELETE', '/api/sessions/a');
    await other.end('SIGTERM');
    await other.remove();
    await gateway.start();
    const draft = tab.page.locator('.outbox[data-refused]');
    await expect.poll(() => draft.count()).toBe(1);
    expect(await draft.locator('.outbox-text').textContent()).toBe(says('one'));
    expect(await draft.locator('.outbox-reason').textContent()).toMatch(/^Not sent: There is no session a/);
    // Nobody but the user takes it away.
    await tab.page.reload();
    await expect.poll(() => draft.count()).toBe(1);
    await draft.getByRole('button', { name: 'Discard' }).click();
    await expect.poll(() => draft.count()).toBe(0);
    await expect(snapshotOf(gateway, 'a')).rejects.toThrow('404');
  });
});
