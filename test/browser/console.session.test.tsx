import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { imagesOf } from '../../src/console/composer/images.ts';
import { draftOf } from '../../src/console/lib/ui.ts';
import { ended, started, text } from '../support/facts.ts';
import { PageGateway } from '../support/page.gateway.ts';
import { pageAt } from './console.at.tsx';
import { find, painted } from './console.harness.tsx';

const done = (gateway: PageGateway, method: string, path: string) =>
  gateway.calls.filter((call) => call.method === method && call.path === path).map((call) => call.body);
const item = (name: string) =>
  [...document.querySelectorAll<HTMLElement>('[role=menuitem]')].find((one) => one.textContent === name) as
    | HTMLElement
    | undefined;
const area = (host: HTMLElement) => find<HTMLTextAreaElement>(host, '.composer textarea');

async function menu(host: HTMLElement, name: string): Promise<void> {
  find<HTMLButtonElement>(host, '.head [aria-label="More"]').focus();
  await userEvent.keyboard('{Enter}');
  await expect.poll(() => item(name)).toBeDefined();
  await userEvent.click(item(name) as HTMLElement);
}

describe('what can be done with a conversation', () => {
  test('it is renamed where its name stands; Escape leaves it as it was', async () => {
    const gateway = new PageGateway();
    gateway.open('s');
    gateway.instead = (path, method) =>
      method === 'PATCH' && path === '/sessions/s' ? Response.json(gateway.snapshot('s')) : undefined;
    const page = pageAt('/c/s', gateway);
    await page.arrive();
    const field = () => page.host.querySelector<HTMLInputElement>('.title-editor');
    await menu(page.host, 'Rename');
    await expect.poll(() => field() !== null && document.activeElement === field()).toBe(true);
    await userEvent.keyboard('Never mind{Escape}');
    expect(field()).toBeNull();
    expect(done(gateway, 'PATCH', '/sessions/s')).toEqual([]);
    await menu(page.host, 'Rename');
    await expect.poll(() => field() !== null && document.activeElement === field()).toBe(true);
    await userEvent.keyboard('A better name{Enter}');
    expect(done(gateway, 'PATCH', '/sessions/s')).toEqual([{ title: 'A better name' }]);
    gateway.write('s', { type: 'session.changed', title: 'A better name', by: 'user' });
    await page.arrive();
    await expect.poll(() => find(page.host, '.head h1').textContent).toBe('A better name');
  });

  test('it is deleted only after a question that says what goes; a refusal is shown there', async () => {
    const gateway = new PageGateway();
    gateway.open('s');
    gateway.write('s', started('t1'), text('t1', 0, 'Hello'), ended('t1'));
    let refuse = true;
    gateway.instead = (path, method) => {
      if (method !== 'DELETE' || path !== '/sessions/s') return undefined;
      const problem = { status: 409, code: 'session.busy', detail: 'The session is running: stop it first.' };
      return refuse ? Response.json(problem, { status: 409 }) : new Response(null, { status: 204 });
    };
    const page = pageAt('/c/s', gateway);
    await page.arrive();
    await menu(page.host, 'Delete…');
    const dialog = () => document.querySelector('[role=alertdialog]');
    await expect.poll(() => dialog()?.textContent).toContain('1 turn will be deleted for good');
    expect(dialog()?.textContent).toContain('Files in /w stay as they are');
    expect(done(gateway, 'DELETE', '/sessions/s')).toEqual([]);
    const button = () => find<HTMLButtonElement>(document, '[role=alertdialog] .danger');
    button().click();
    await expect.poll(() => dialog()?.textContent).toContain('stop it first');
    refuse = false;
    button().click();
    await expect.poll(() => dialog()).toBeNull();
    expect(location.pathname).toBe('/');
  });

  test('its model and mode are chosen beside the message box, where the agent offers some', async () => {
    const gateway = new PageGateway();
    gateway.open('s');
    const models = [
      { id: 'small', name: 'Small' },
      { id: 'large', name: 'Large' },
    ];
    gateway.instead = (path, method) =>
      method === 'PATCH' && path === '/sessions/s' ? Response.json(gateway.snapshot('s')) : undefined;
    const page = pageAt('/c/s', gateway);
    await page.arrive();
    expect(page.host.querySelector('.picker')).toBeNull();
    gateway.write('s', { type: 'session.changed', models, model: 'small' });
    await page.arrive();
    const picker = find<HTMLSelectElement>(page.host, '.picker');
    expect(picker.value).toBe('small');
    await userEvent.selectOptions(picker, 'large');
    expect(done(gateway, 'PATCH', '/sessions/s')).toEqual([{ model: 'large' }]);
    gateway.write('s', { type: 'session.changed', model: 'large' });
    await page.arrive();
    expect(picker.value).toBe('large');
    expect(find(page.host, '.head-about').textContent).toContain('Large');
  });

  test('what else it can be set to has a menu, by keyboard alone; one such setting stands in sight', async () => {
    const gateway = new PageGateway();
    gateway.open('s');
    gateway.instead = (path, method) =>
      method === 'PATCH' && path === '/sessions/s' ? Response.json(gateway.snapshot('s')) : undefined;
    const web = { type: 'boolean', id: 'web', name: 'Web search', value: false } as const;
    const choices = [
      { id: 'low', name: 'Low', group: 'Usual' },
      { id: 'high', name: 'High', group: 'Slow' },
    ];
    const effort = { type: 'select', id: 'effort', name: 'Effort', value: 'low', choices } as const;
    const page = pageAt('/c/s', gateway);
    gateway.write('s', { type: 'session.changed', options: [web] });
    await page.arrive();
    await page.arrive();
    expect(find<HTMLInputElement>(page.host, '.picker-switch input').checked).toBe(false);
    gateway.write('s', { type: 'session.changed', options: [web, effort] });
    await page.arrive();
    expect(page.host.querySelector('.picker-switch')).toBeNull();
    find<HTMLButtonElement>(page.host, '.picker-more').focus();
    await userEvent.keyboard('{Enter}');
    const dialog = () => find(document, '[role=dialog]');
    await expect.poll(() => document.activeElement?.closest('[role=dialog]')).not.toBeNull();
    const input = find<HTMLInputElement>(dialog(), 'input');
    input.focus();
    await userEvent.keyboard(' ');
    await page.arrive();
    const select = find<HTMLSelectElement>(dialog(), 'select');
    expect([...select.querySelectorAll('optgroup')].map((group) => group.label)).toEqual(['Usual', 'Slow']);
    await userEvent.tab();
    expect(document.activeElement).toBe(select);
    await userEvent.keyboard('{ArrowDown}');
    await page.arrive();
    expect(done(gateway, 'PATCH', '/sessions/s')).toEqual([
      { options: { web: true } },
      { options: { effort: 'high' } },
    ]);
    // Nothing of it was taken: each shows what is so, and the focus stays.
    expect([input.checked, select.value, document.activeElement]).toEqual([false, 'low', select]);
    gateway.write('s', { type: 'session.changed', options: [{ ...web, value: true }, effort] });
    await page.arrive();
    expect(input.checked).toBe(true);
    await userEvent.keyboard('{Escape}');
    await expect.poll(() => document.activeElement?.className).toContain('picker-more');
  });
});

test('in a narrow window the message box is whole, with all that can be chosen in it', async () => {
  const gateway = new PageGateway();
  gateway.open('s');
  const choices = [{ id: 'one', name: 'A choice with a long name' }];
  gateway.write('s', { type: 'session.changed', models: choices, model: 'one', modes: choices, mode: 'one' });
  const page = pageAt('/c/s', gateway);
  await page.arrive();
  page.host.style.width = '360px';
  await painted();
  const box = find(page.host, '.composer').getBoundingClientRect();
  const dock = find(page.host, '.dock').getBoundingClientRect();
  const send = find(page.host, '.composer-bar > :last-child').getBoundingClientRect();
  expect(box.right).toBeLessThanOrEqual(dock.right);
  expect(send.right).toBeLessThanOrEqual(box.right);
});

test('an ending is marked as seen when the page that shows it can be seen, and not before', async () => {
  const gateway = new PageGateway();
  gateway.open('s');
  gateway.write('s', started('t1'), text('t1', 0, 'Hello'));
  gateway.instead = (path, method) =>
    method === 'PATCH' && path === '/sessions/s' ? Response.json(gateway.snapshot('s')) : undefined;
  const page = pageAt('/c/s', gateway);
  await page.arrive();
  const visibility = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
  onTestFinished(() => visibility.mockRestore());
  document.dispatchEvent(new Event('visibilitychange'));
  gateway.write('s', ended('t1'));
  const line = { ...gateway.summary('s'), unread: 1 };
  gateway.line.queue.push({ type: 'sessions', changed: [line], removed: [] });
  await page.arrive();
  expect(done(gateway, 'PATCH', '/sessions/s')).toEqual([]);
  visibility.mockReturnValue('visible');
  document.dispatchEvent(new Event('visibilitychange'));
  await page.arrive();
  expect(done(gateway, 'PATCH', '/sessions/s')).toEqual([{ seen: line.cursor }]);
});

describe('pictures', () => {
  const picture = async (width: number, height: number) => {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
    const noise = context.createImageData(width, height);
    for (let at = 0; at < noise.data.length; at++) noise.data[at] = at % 4 === 3 ? 255 : Math.random() * 256;
    context.putImageData(noise, 0, 0);
    return canvas.convertToBlob({ type: 'image/png' });
  };
  const paste = (host: HTMLElement, files: readonly File[]) => {
    const data = new DataTransfer();
    for (const file of files) data.items.add(file);
    const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
    area(host).dispatchEvent(event);
  };

  test('they are pasted, shown small, sent with the words, and shown in the message', async () => {
    const gateway = new PageGateway();
    gateway.open('s');
    const page = pageAt('/c/s', gateway);
    await page.arrive();
    paste(page.host, [
      new File([await picture(40, 30)], 'small.png', { type: 'image/png' }),
      new File([await picture(900, 700)], 'large.png', { type: 'image/png' }),
      new File(['hello'], 'notes.txt', { type: 'text/plain' }),
    ]);
    await expect.poll(() => page.host.querySelectorAll('.attachment').length).toBe(2);
    expect(find(page.host, '.attachments-refused').textContent).toContain('notes.txt is no picture');
    area(page.host).focus();
    await userEvent.keyboard('What is this?{Enter}');
    await painted();
    expect(page.host.querySelector('.attachment')).toBeNull();
    await expect.poll(() => done(gateway, 'POST', '/sessions/s/messages')).toHaveLength(1);
    const [body] = done(gateway, 'POST', '/sessions/s/messages') as [
      { content: { type: string; data: string }[] },
    ];
    expect(body.content.map((block) => block.type)).toEqual(['text', 'image', 'image']);
    // The large one was made smaller on the way.
    expect(body.content[2]).toMatchObject({ mimeType: 'image/jpeg' });
    const sent = gateway.snapshot('s').queue.messages[0]?.message;
    expect(sent?.content).toEqual(body.content);
    gateway.write(
      's',
      { type: 'queue.held', reason: 'edited', revision: 2 },
      started('t9', 3, { ...sent, id: 'm9' } as never),
    );
    await page.arrive();
    expect(page.host.querySelectorAll('.message .picture img')).toHaveLength(2);
    draftOf('s').set('');
  });

  test('what is too much is refused with the reason, and what was attached stays', async () => {
    const gateway = new PageGateway();
    gateway.open('many');
    const page = pageAt('/c/many', gateway);
    await page.arrive();
    const small = await picture(20, 20);
    paste(
      page.host,
      Array.from({ length: 7 }, (_, n) => new File([small], `${n}.png`, { type: 'image/png' })),
    );
    await expect.poll(() => page.host.querySelectorAll('.attachment').length).toBe(6);
    expect(find(page.host, '.attachments-refused').textContent).toBe(
      '6.png was left out: a message carries at most 6 pictures.',
    );
    paste(page.host, [new File(['no png'], 'broken.png', { type: 'image/png' })]);
    find<HTMLButtonElement>(page.host, '.attachment button').click();
    await expect.poll(() => imagesOf('many')()).toHaveLength(5);
    imagesOf('many').set([]);
  });
});

describe('keys', () => {
  test('they go between conversations, to the search, to the message box and to a list of all keys', async () => {
    const gateway = new PageGateway();
    for (const id of ['k1', 'k2']) gateway.open(id);
    gateway.write('k2', started('t1'));
    const page = pageAt('/c/k2', gateway);
    await page.arrive();
    await expect.poll(() => page.host.querySelectorAll('.session').length).toBe(2);
    const places = [...page.host.querySelectorAll<HTMLAnchorElement>('.session')].map((one) => one.pathname);
    const at = places.indexOf('/c/k2');
    await userEvent.keyboard(at === 0 ? '{Alt>}{ArrowDown}{/Alt}' : '{Alt>}{ArrowUp}{/Alt}');
    await page.arrive();
    expect(location.pathname).toBe('/c/k1');
    await userEvent.keyboard('{Control>}k{/Control}');
    // On a narrow screen the list has to be shown first.
    await expect.poll(() => document.activeElement).toBe(find(page.host, '.search input'));
    await userEvent.keyboard('?');
    expect(document.querySelector('[role=dialog]')).toBeNull();
    history.back();
    await expect.poll(() => page.host.querySelector('.composer')).not.toBeNull();
    await userEvent.keyboard('{Alt>}m{/Alt}');
    expect(document.activeElement).toBe(area(page.host));
    area(page.host).blur();
    await userEvent.keyboard('?');
    await expect
      .poll(() => document.querySelector('[role=dialog]')?.textContent)
      .toContain('Stop the running turn');
    await userEvent.keyboard('{Escape}');
    await expect.poll(() => document.querySelector('[role=dialog]')).toBeNull();
  });

  test('Escape stops the turn from anywhere on the page, but not from a dialog that it closes', async () => {
    const gateway = new PageGateway();
    gateway.open('s');
    gateway.write('s', started('t1'));
    const page = pageAt('/c/s', gateway);
    await page.arrive();
    area(page.host).blur();
    await userEvent.keyboard('?');
    await expect.poll(() => document.querySelector('[role=dialog]')).not.toBeNull();
    await userEvent.keyboard('{Escape}');
    await expect.poll(() => document.querySelector('[role=dialog]')).toBeNull();
    expect(done(gateway, 'POST', '/sessions/s/stop')).toEqual([]);
    (document.activeElement as HTMLElement | null)?.blur();
    await userEvent.keyboard('{Escape}');
    await expect.poll(() => done(gateway, 'POST', '/sessions/s/stop')).toEqual([{ turn: 't1' }]);
  });
});

test('a newcomer has one thing to do, and then messages to begin with', async () => {
  const gateway = new PageGateway();
  const builtin = { id: 'builtin', name: 'Built-in', description: 'It.', available: true };
  // The double's sessions are all of agent `a`.
  const agents = [builtin, { ...builtin, id: 'a', examples: ['help', 'show markdown'] }];
  gateway.instead = (path, method) => {
    if (path === '/agents') return Response.json({ agents });
    if (path !== '/sessions' || method !== 'POST') return undefined;
    gateway.open('first');
    return Response.json({ ...gateway.snapshot('first') }, { status: 201 });
  };
  const page = pageAt('/', gateway);
  await expect.poll(() => page.host.querySelector('.main .button.primary')).not.toBeNull();
  find<HTMLButtonElement>(page.host, '.main .button.primary').click();
  await expect.poll(() => location.pathname).toBe('/c/first');
  expect(done(gateway, 'POST', '/sessions')).toEqual([{ agent: 'builtin' }]);
  await page.arrive();
  await expect.poll(() => page.host.querySelectorAll('.example').length).toBe(2);
  find<HTMLButtonElement>(page.host, '.example').click();
  await expect
    .poll(() => done(gateway, 'POST', '/sessions/first/messages'))
    .toMatchObject([{ content: [{ type: 'text', text: 'help' }] }]);
});
