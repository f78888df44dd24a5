import type { Browser, BrowserContext } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fact } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import { launchChromium, Tab } from '../support/chromium.ts';
import { script } from '../support/local-gateway.ts';
import { GatewayProcess } from '../support/process-gateway.ts';

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
});
afterEach(async () => {
  await context.close();
  await gateway.remove();
});

const snapshot = (id: string) => gateway.call<SessionSnapshot>('GET', `/api/sessions/${id}`);
const factsOf = async (id: string) => {
  const { cursor } = await snapshot(id);
  const after = `${cursor.split('.')[0]}.0`;
  const facts: Fact[] = [];
  for (let at = after; at !== cursor; ) {
    const page = await gateway.call<{ facts: Fact[]; cursor: string }>(
      'GET',
      `/api/sessions/${id}/events?after=${at}&wait=1`,
    );
    facts.push(...page.facts);
    at = page.cursor;
  }
  return facts;
};
const words = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`).join(' ');
const scriptText = (steps: readonly unknown[]) => `script: ${JSON.stringify(steps)}`;
const tokens = (prefix: string, count: number, every: number) => ({ tokens: { prefix, count, every } });
const textOf = (session: SessionSnapshot, turn: number) =>
  session.turns[turn]?.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');

async function newSession(id: string): Promise<void> {
  await gateway.call('POST', '/api/sessions', { id, agent: 'builtin', title: id });
  await gateway.call(
    'POST',
    `/api/sessions/${id}/messages`,
    script(`first-${id}`, [{ text: `Hello from ${id}.` }]),
  );
  await expect.poll(async () => (await snapshot(id)).state).toBe('finalized');
}

const box = (tab: Tab) => tab.page.getByRole('textbox', { name: 'Message' });
async function write(tab: Tab, text: string, key: 'Enter' | 'Control+Enter' = 'Enter'): Promise<void> {
  await box(tab).fill(text);
  await box(tab).press(key);
  await expect.poll(() => box(tab).inputValue()).toBe('');
}
const stateIn = (tab: Tab) => tab.page.locator('header.head').getAttribute('data-state');
const live = (tab: Tab) =>
  expect.poll(() => tab.page.getByRole('status').filter({ hasText: 'Live' }).count()).toBe(1);

describe('the console in Chromium', () => {
  it('shows two conversations and two jobs in two tabs over a reload, a cut link, a stop with a queue and a killed gateway', {
    timeout: 120_000,
  }, async () => {
    await newSession('a');
    await newSession('b');
    const one = await Tab.open(context, gateway.openUrl);
    const two = await Tab.open(context, gateway.openUrl);
    await one.page.goto(`${gateway.url}/c/a`);
    await two.page.goto(`${gateway.url}/c/b`);
    for (const tab of [one, two]) {
      await tab.page.locator('article.turn:not([data-open])').waitFor();
      await tab.watchRows();
    }

    // Both conversations stream, and a job of each beside them, in processes that outlive the gateway.
    await write(one, scriptText([tokens('a', 250, 20)]));
    await write(two, scriptText([tokens('b', 2_000, 20)]));
    await write(one, scriptText([{ survive: [tokens('x', 300, 30)] }]), 'Control+Enter');
    await write(two, scriptText([{ survive: [tokens('y', 300, 30)] }]), 'Control+Enter');
    await expect
      .poll(async () => (await snapshot('a')).jobs.length + (await snapshot('b')).jobs.length)
      .toBe(2);
    const jobs = [...(await snapshot('a')).jobs, ...(await snapshot('b')).jobs].map((job) => job.job);
    await expect.poll(async () => textOf(await snapshot(jobs[1] ?? ''), 0) ?? '').toContain('y3');

    // One conversation is stopped with three messages queued; the other page reloads in the middle of its text.
    for (const id of ['q1', 'q2', 'q3']) await write(two, scriptText([{ text: id }]));
    await expect.poll(async () => (await snapshot('b')).queue.messages.length).toBe(3);
    await two.page.getByRole('button', { name: 'Stop', exact: true }).last().click();
    const removedBefore = await one.removedRows();
    await one.page.reload();
    await one.page.locator('article.turn:not([data-open])').first().waitFor();
    await one.watchRows();
    await expect.poll(() => stateIn(two)).toBe('cancelled');
    await expect.poll(() => two.page.locator('.queue-item').count()).toBe(3);

    // A link drops and comes back by itself.
    await one.cutLink();
    await live(one);
    await expect.poll(() => stateIn(one)).toBe('finalized');

    // The gateway is killed while both jobs run.
    await gateway.end('SIGKILL');
    await expect.poll(() => one.page.getByRole('status').filter({ hasText: 'Live' }).count()).toBe(0);
    await gateway.start();
    await Promise.all([live(one), live(two)]);
    await two.page.getByRole('button', { name: 'Resume' }).click();
    await expect.poll(() => stateIn(two)).toBe('finalized');
    await expect.poll(async () => (await snapshot('b')).turns.length).toBe(5);
    for (const job of jobs) {
      await expect.poll(async () => (await snapshot(job)).state).toBe('finalized');
    }
    for (const id of ['a', 'b']) {
      await expect
        .poll(async () => (await snapshot(id)).jobs.every((job) => job.outcome === 'finalized'))
        .toBe(true);
    }

    // Every text equals its script; each end is there once; the log, the snapshot and the pages agree (I1, I6).
    const [a, b] = [await snapshot('a'), await snapshot('b')];
    expect(textOf(a, 1)).toBe(words('a', 250));
    expect(words('b', 2_000).startsWith(textOf(b, 1) ?? '?')).toBe(true);
    expect(b.turns.slice(2).map((turn) => turn.parts[0])).toMatchObject([
      { text: 'q1' },
      { text: 'q2' },
      { text: 'q3' },
    ]);
    expect(textOf(await snapshot(jobs[0] ?? ''), 0)).toBe(words('x', 300));
    expect(textOf(await snapshot(jobs[1] ?? ''), 0)).toBe(words('y', 300));
    for (const id of ['a', 'b', ...jobs]) {
      const facts = await factsOf(id);
      expect(facts.map((fact) => fact.seq)).toEqual(facts.map((_, i) => i + 1));
      const started = facts.filter((fact) => fact.type === 'turn.started').map((fact) => fact.turn);
      const ended = facts.filter((fact) => fact.type === 'turn.ended').map((fact) => fact.turn);
      expect([id, ended]).toEqual([id, started]);
      expect(foldAll(facts)).toEqual((await snapshot(id)).turns);
    }
    expect([removedBefore, await one.removedRows(), await two.removedRows()]).toEqual([[], [], []]);

    for (const tab of [one, two]) {
      for (const [id, session] of [['a', a] as const, ['b', b] as const]) {
        await tab.page.locator(`nav a[href="/c/${id}"]`).click();
        await expect.poll(() => tab.page.url()).toContain(`/c/${id}`);
        await expect.poll(() => stateIn(tab)).toBe(session.state);
        for (const turn of session.turns) {
          const row = tab.page.locator(`article[data-turn="${turn.id}"] .turn-parts`);
          await expect
            .poll(async () => (await row.allTextContents()).join('').trim())
            .toBe(
              turn.parts
                .map((part) => (part.type === 'text' ? part.text : ''))
                .join('')
                .trim(),
            );
        }
      }
      expect(tab.errors).toEqual([]);
    }
  });
});
