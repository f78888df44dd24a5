import { describe, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { draftOf } from '../../src/console/lib/ui.ts';
import { ended, started, text } from '../support/facts.ts';
import { PageGateway } from '../support/page.gateway.ts';
import { pageAt } from './console.at.tsx';
import { find, painted, removedElements, watch } from './console.harness.tsx';

const area = (host: HTMLElement) => find<HTMLTextAreaElement>(host, '.composer textarea');
const problem = (status: number, code: string, detail: string) =>
  Response.json({ status, code, detail }, { status });

describe('the page of a conversation', () => {
  test('C1, C34: tokens of two conversations meet in neither, whichever is looked at', async () => {
    const gateway = new PageGateway();
    for (const id of ['one', 'two']) {
      gateway.open(id);
      gateway.write(id, started(`t-${id}`));
    }
    const page = pageAt('/c/one', gateway);
    await page.arrive();
    const words = { one: '', two: '' };
    for (let token = 0; token < 60; token++) {
      for (const id of ['one', 'two'] as const) {
        const added = `${id}${token} `;
        gateway.write(id, text(`t-${id}`, words[id].length, added));
        words[id] += added;
      }
      if (token % 20 === 19) await page.go(token === 39 ? '/c/one' : '/c/two');
    }
    await page.arrive();
    expect(page.row('t-two').querySelector('.md')?.textContent).toBe(words.two);
    await page.go('/c/one');
    expect(page.row('t-one').querySelector('.md')?.textContent).toBe(words.one);
  });

  test('I10: a lost connection, another epoch and a resync remove no finished row', async () => {
    const gateway = new PageGateway();
    gateway.open('s');
    gateway.write('s', started('t1'), text('t1', 0, 'First **answer**.'), ended('t1'));
    gateway.write('s', started('t2', 2), text('t2', 0, 'Second'));
    const page = pageAt('/c/s', gateway);
    await page.arrive();
    const [first, second] = [page.row('t1'), page.row('t2')];
    const seen = watch(find(page.host, '.thread-rows'));
    gateway.resync(gateway.line, 's', 'slow');
    await page.arrive();
    gateway.renew('s', 'f');
    await page.arrive();
    gateway.line.drop();
    await painted();
    expect(find(page.host, '.link').dataset.state).toBe('reconnecting');
    find<HTMLButtonElement>(page.host, '.link-retry').click();
    await page.arrive();
    gateway.write('s', text('t2', 6, ' answer.'));
    await page.arrive();
    expect(page.row('t1')).toBe(first);
    expect(page.row('t2')).toBe(second);
    expect(second.querySelector('.md')?.textContent).toBe('Second answer.');
    expect(removedElements(seen.read())).toEqual([]);
  });

  test('C42: a stop is shown at once, and stays shown until the turn has ended', async () => {
    const gateway = new PageGateway();
    gateway.open('s');
    gateway.write('s', started('t1'), text('t1', 0, 'On and on'));
    gateway.instead = (path) =>
      path === '/sessions/s/stop'
        ? Response.json({ state: 'cancelling', cursor: 'e.4' }, { status: 202 })
        : undefined;
    const page = pageAt('/c/s', gateway);
    await page.arrive();
    area(page.host).focus();
    await userEvent.keyboard('{Escape}');
    await painted();
    expect(page.row('t1').querySelector('.status')?.textContent).toContain('Stopping…');
    expect(find(page.host, '.composer .stop').textContent).toContain('Stopping…');
    await page.arrive();
    gateway.write('s', { type: 'turn.stopping', turn: 't1', stage: 'asked' });
    await page.arrive();
    expect(page.row('t1').querySelector('.status')?.textContent).toContain('Stopping…');
    gateway.write('s', ended('t1', 'cancelled'));
    await page.arrive();
    expect(page.row('t1').querySelector('.status')?.textContent).toContain('Stopped');
    expect(gateway.calls.filter((call) => call.path === '/sessions/s/stop')).toHaveLength(1);
  });

  test('I9, I13: a message is shown from Enter on; one that is refused comes back with its reason', async () => {
    const gateway = new PageGateway();
    gateway.open('s');
    let answer: (response: Response) => void = () => {};
    gateway.instead = (path) =>
      path === '/sessions/s/messages' ? new Promise((resolve) => (answer = resolve)) : undefined;
    const page = pageAt('/c/s', gateway);
    await page.arrive();
    area(page.host).focus();
    await userEvent.keyboard('Mind the gap{Enter}');
    await painted();
    expect(find(page.host, '.outbox').textContent).toContain('Mind the gap');
    answer(problem(413, 'body.large', 'The message is too long.'));
    await expect
      .poll(() => page.host.querySelector('.outbox[data-refused]')?.textContent)
      .toContain('too long');
    find<HTMLButtonElement>(page.host, '.outbox[data-refused] button').click();
    await painted();
    expect(area(page.host).value).toBe('Mind the gap');
    expect(page.host.querySelector('.outbox')).toBeNull();
    draftOf('s').set('');
  });

  test('C20, C40: a job’s text goes to the job’s row alone, and the row outlives the turn beside it', async () => {
    const gateway = new PageGateway();
    gateway.open('s');
    gateway.write('s', started('t1'), text('t1', 0, 'Talking'));
    const page = pageAt('/c/s', gateway);
    await page.arrive();
    const message = { id: 'm-j', content: [{ type: 'text' as const, text: 'Count' }] };
    gateway.open('j', 'job');
    gateway.write('s', {
      type: 'job.attached',
      job: 'j',
      request: { agent: 'a', cwd: '/w', title: 'Count', message },
    });
    gateway.write('j', started('t-j', 1, message));
    await page.arrive();
    await expect
      .poll(() => page.host.querySelector('.job .state')?.textContent)
      .toBe('Waiting for the agent');
    await page.arrive();
    const chat = watch(page.row('t1'));
    const row = find(page.host, '.job');
    for (let step = 1; step <= 10; step++) {
      gateway.write('j', { type: 'job.progress', turn: 't-j', text: `${step} of 10`, done: step, total: 10 });
      await page.arrive();
    }
    expect(find(row, '.job-text').textContent).toBe('10 of 10');
    expect(chat.read().filter((record) => !(record.target as Element).closest?.('.status'))).toEqual([]);
    gateway.write('s', ended('t1'));
    await page.arrive();
    expect(find(page.host, '.job')).toBe(row);
    expect(find(row, 'button').textContent).toBe('Stop');
  });

  test('a permission that was answered waits for its fact, and says who won', async () => {
    const gateway = new PageGateway();
    gateway.open('s');
    const options = [
      { optionId: 'yes', name: 'Allow', kind: 'allow_once' as const },
      { optionId: 'no', name: 'Reject', kind: 'reject_once' as const },
    ];
    gateway.write('s', started('t1'), {
      type: 'permission.asked',
      turn: 't1',
      permission: 'p',
      title: 'Run `ls`?',
      options,
    });
    gateway.instead = (path) =>
      path === '/sessions/s/permissions/p' ? Response.json({ cursor: 'e.9' }, { status: 200 }) : undefined;
    const page = pageAt('/c/s', gateway);
    await page.arrive();
    const buttons = [...page.host.querySelectorAll<HTMLButtonElement>('.permission button')];
    buttons[0]?.click();
    buttons[0]?.click();
    await painted();
    expect(buttons.map((button) => button.disabled)).toEqual([true, true]);
    await page.arrive();
    expect(gateway.calls.filter((call) => call.path === '/sessions/s/permissions/p')).toHaveLength(1);
    gateway.write('s', { type: 'permission.answered', turn: 't1', permission: 'p', option: 'no' });
    await page.arrive();
    expect(find(page.host, '.permission').textContent).toContain('Reject');
    expect(page.host.querySelector('.permission button')).toBeNull();
  });
});

test('a new conversation is made with the first agent that is available, however late the agents come', async () => {
  const gateway = new PageGateway();
  let agents: (response: Response) => void = () => {};
  gateway.instead = (path, method) => {
    if (path === '/agents') return new Promise((resolve) => (agents = resolve));
    if (path !== '/sessions' || method !== 'POST') return undefined;
    gateway.open('made');
    return Response.json(gateway.snapshot('made'), { status: 201 });
  };
  const page = pageAt('/new', gateway);
  await page.arrive();
  const start = () => find<HTMLButtonElement>(document, '.dialog button[type=submit]');
  expect(start().disabled).toBe(true);
  const line = { description: 'An agent.', available: true };
  agents(
    Response.json({
      agents: [
        { ...line, id: 'off', name: 'Off', available: false },
        { ...line, id: 'on', name: 'On' },
      ],
    }),
  );
  await expect.poll(() => start().disabled).toBe(false);
  start().click();
  await expect.poll(() => location.pathname).toBe('/c/made');
  expect(gateway.calls.find((call) => call.method === 'POST')?.body).toEqual({ agent: 'on' });
  await page.arrive();
  await expect.poll(() => document.activeElement).toBe(area(page.host));
});

describe('what cannot be shown is said', () => {
  test('a conversation that does not exist', async () => {
    const page = pageAt('/c/nowhere', new PageGateway());
    await page.arrive();
    await expect
      .poll(() => page.host.querySelector('.main h2')?.textContent)
      .toBe('This conversation does not exist');
  });

  test('a conversation that could not be read, and is read when asked again', async () => {
    const gateway = new PageGateway();
    gateway.open('s');
    gateway.instead = (path) =>
      path === '/sessions/s' ? problem(500, 'log.damaged', 'The log is damaged.') : undefined;
    const page = pageAt('/c/s', gateway);
    await page.arrive();
    await expect.poll(() => page.host.querySelector('.main')?.textContent).toContain('The log is damaged.');
    gateway.instead = () => undefined;
    find<HTMLButtonElement>(page.host, '.main [role=alert] button').click();
    await page.arrive();
    await expect.poll(() => page.host.querySelector('.composer')).not.toBeNull();
  });

  test('a page without access says how to get it', async () => {
    const gateway = new PageGateway();
    gateway.instead = () =>
      problem(401, 'token.missing', 'The token is missing. Open the address that was printed.');
    const page = pageAt('/', gateway);
    await expect.poll(() => page.host.textContent).toContain('Open the address that was printed.');
  });
});
