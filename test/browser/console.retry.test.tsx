import { expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { dayTime } from '../../src/console/lib/time.ts';
import { ended, say, started } from '../support/facts.ts';
import { PageGateway } from '../support/page.gateway.ts';
import { pageAt } from './console.at.tsx';
import { find } from './console.harness.tsx';

/** A conversation whose turn met a usage limit that is over at `until`, in ms since 1970. */
async function limited(until: number) {
  const gateway = new PageGateway();
  gateway.open('s');
  const error = { code: 'model.usage_limit', message: 'Enough for now.', until };
  gateway.write(
    's',
    started('t1'),
    { ...ended('t1', 'failed'), error },
    { type: 'queue.held', reason: 'failed', revision: 2 },
  );
  const asked: unknown[] = [];
  const held = (revision: number, retry: object) =>
    gateway.write('s', { type: 'queue.held', reason: 'limited', revision, ...retry });
  gateway.instead = (path, method) => {
    if (method !== 'POST' || path !== '/sessions/s/retry') return undefined;
    const body = gateway.calls.at(-1)?.body as { at?: number | null };
    asked.push(body);
    const revision = gateway.snapshot('s').queue.revision + 1;
    if (typeof body.at === 'number') held(revision, { retry: 't1', until: body.at });
    else if (body.at === null) gateway.write('s', { type: 'queue.held', reason: 'failed', revision });
    return Response.json({ cursor: gateway.snapshot('s').cursor, until: body.at }, { status: 202 });
  };
  const page = pageAt('/c/s', gateway);
  await page.arrive();
  await expect.poll(() => page.host.querySelector('[data-turn=t1] .status')).not.toBeNull();
  const line = () => find(page.host, '[data-turn=t1] .status');
  const buttons = () => [...line().querySelectorAll('.status-actions button')];
  const names = () => buttons().map((button) => button.textContent?.trim());
  const press = async (name: string) => {
    const button = buttons().find((one) => one.textContent?.trim() === name) as HTMLButtonElement;
    button.focus();
    await userEvent.keyboard('{Enter}');
    await page.arrive();
    await page.arrive();
  };
  /** What the list and the heading say of the conversation. */
  const said = () =>
    ['.sessions .session .state', '.head-state'].map((place) => find(page.host, place).textContent);
  return { gateway, page, asked, line, names, press, said };
}

test('a usage limit says until when; to try again then is one key, and so is to give that up (D5)', async () => {
  const until = Date.now() + 3_600_000;
  const time = dayTime(until, Date.now());
  const { asked, line, names, press, said } = await limited(until);
  expect(find(line(), '.status-label').textContent).toBe(`Usage limit until ${time}`);
  expect(find(line(), '.status-detail').textContent).toBe('Enough for now.');
  expect(names()).toEqual([`Try again at ${time}`, 'Try again']);
  expect(said()).toEqual(['Failed', 'Failed']);

  await press(`Try again at ${time}`);
  await expect.poll(names).toEqual(['Don’t wait', 'Try again']);
  expect(find(line(), '[role=status]').textContent?.trim()).toBe(`Tries again at ${time}`);
  expect(document.activeElement?.textContent).toBe('Don’t wait');

  await press('Don’t wait');
  await expect.poll(names).toEqual([`Try again at ${time}`, 'Try again']);
  expect(document.activeElement?.textContent?.trim()).toBe(`Try again at ${time}`);
  await press('Try again');
  expect(asked).toEqual([{ turn: 't1', at: until }, { turn: 't1', at: null }, { turn: 't1' }]);
});

test('while the gateway waits to try again, the list and the heading say when, not that it failed (C54)', async () => {
  const until = Date.now() + 3_600_000;
  const { gateway, page, press, said } = await limited(until);
  const time = dayTime(until, Date.now());
  await press(`Try again at ${time}`);
  await expect.poll(said).toEqual([`Tries again at ${time}`, `Tries again at ${time}`]);
  const queue = { type: 'queue.added', message: say('m2'), delivery: 'queue', revision: 4 } as const;
  gateway.write('s', queue);
  // The list as the gateway tells it comes a moment late, and is then of the past.
  gateway.line.queue.push({ type: 'sessions', changed: [gateway.summary('s')], removed: [] });
  await page.arrive();
  expect(said()).toEqual([`Tries again at ${time}`, `Tries again at ${time}`]);
  await press('Don’t wait');
  await expect.poll(said).toEqual(['Queue held', 'Queue held']);
});

test('a limit that is over says since when, and offers no time that has passed', async () => {
  const until = Date.now() - 60_000;
  const { line, names } = await limited(until);
  expect(line().textContent).toContain(`Usage limit, over since ${dayTime(until, Date.now())}`);
  expect(names()).toEqual(['Try again']);
});
