import { expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import type { EarlierSession } from '../../src/wire/snapshot.ts';
import { ended, started, text } from '../support/facts.ts';
import { PageGateway } from '../support/page.gateway.ts';
import { pageAt } from './console.at.tsx';
import { find } from './console.harness.tsx';

const agents = [
  {
    id: 'old',
    name: 'Old',
    description: 'Has sessions of its own.',
    available: true,
    earlier: true,
    mcpServers: [
      { name: 'files', byDefault: true },
      { name: 'web', byDefault: false },
    ],
  },
  { id: 'plain', name: 'Plain', description: 'Has none.', available: true },
];
const then: EarlierSession = { id: 'e1', cwd: '/w/app', title: 'Then', updatedAt: Date.now() - 7_200_000 };

/** The dialog over a gateway whose agents these are; `list` answers for their earlier sessions. */
async function dialog(list: (path: string) => Response | Promise<Response>) {
  const gateway = new PageGateway();
  gateway.open('made');
  gateway.instead = (path, method) => {
    if (path === '/agents') return Response.json({ agents });
    if (path.startsWith('/agents/')) return list(path);
    if (path === '/sessions' && method === 'POST')
      return Response.json(gateway.snapshot('made'), { status: 201 });
    return undefined;
  };
  const page = pageAt('/new', gateway);
  await page.arrive();
  await expect.poll(() => document.querySelector('[role=dialog] .agent-option')).not.toBeNull();
  const box = find(document, '[role=dialog]');
  const labelled = (words: string) =>
    [...box.querySelectorAll('label')].find((label) => label.textContent?.includes(words)) as HTMLElement;
  const button = (words: string) =>
    [...box.querySelectorAll('button')].find((one) => one.textContent?.trim() === words) as HTMLButtonElement;
  const created = () => gateway.calls.filter((call) => call.method === 'POST').map((call) => call.body);
  return { gateway, page, box, labelled, button, created };
}

test('an earlier session of the agent is found and continued with the keyboard alone', async () => {
  const { box, labelled, created } = await dialog(() => Response.json({ sessions: [then] }));
  labelled('An empty conversation').querySelector('input')?.focus();
  await userEvent.keyboard('{ArrowRight}');
  await expect.poll(() => labelled('Then')).toBeDefined();
  expect(labelled('Then').textContent).toContain('2 h');
  expect(labelled('Then').textContent).toContain('app');
  expect(find<HTMLButtonElement>(box, '[type=submit]').disabled).toBe(true);
  await userEvent.keyboard('{Tab} {Enter}');
  await expect.poll(created).toEqual([{ agent: 'old', cwd: '/w/app', continue: 'e1' }]);
  await expect.poll(() => location.pathname).toBe('/c/made');
});

test('one that is continued here already is opened, not begun twice', async () => {
  const { labelled, button, created } = await dialog(() =>
    Response.json({ sessions: [{ ...then, session: 'made' }] }),
  );
  await userEvent.click(labelled('An earlier session'));
  await expect.poll(() => labelled('Then')?.textContent).toContain('Continued in Sluice already');
  await userEvent.click(labelled('Then'));
  await userEvent.click(button('Open'));
  await expect.poll(() => location.pathname).toBe('/c/made');
  expect(created()).toEqual([]);
});

test('while the agent is asked that is said; then none, or why not, and it can be asked again', async () => {
  const answers = [Promise.withResolvers<Response>(), Promise.withResolvers<Response>()];
  const asked: string[] = [];
  const { box, labelled, button } = await dialog((path) => {
    asked.push(path);
    return (answers[asked.length - 1] as PromiseWithResolvers<Response>).promise;
  });
  await userEvent.click(labelled('An earlier session'));
  await expect.poll(() => find(box, '[role=status]').textContent).toContain('Starting Old to ask');
  const detail = 'Old does not list its earlier sessions.';
  answers[0]?.resolve(Response.json({ status: 409, code: 'agent.no_list', detail }, { status: 409 }));
  await expect.poll(() => box.querySelector('[role=alert]')?.textContent).toBe(detail);
  await userEvent.click(button('Ask again'));
  answers[1]?.resolve(Response.json({ sessions: [] }));
  await expect.poll(() => find(box, '[role=status]').textContent).toContain('names no earlier sessions');
  expect(box.querySelector('[role=alert]')).toBeNull();
  expect(asked).toHaveLength(2);
});

test('another directory asks anew, older ones come on request, another agent asks nothing', async () => {
  const asked: string[] = [];
  const { box, labelled, button } = await dialog((path) => {
    asked.push(path);
    const older = path.includes('cursor=2');
    return Response.json(
      older ? { sessions: [{ ...then, id: 'e2', title: 'Before' }] } : { sessions: [then], next: '2' },
    );
  });
  await userEvent.click(labelled('An earlier session'));
  await expect.poll(() => button('Show older ones')).toBeDefined();
  await userEvent.click(button('Show older ones'));
  await expect.poll(() => labelled('Before')).toBeDefined();
  expect(button('Show older ones')).toBeUndefined();
  await userEvent.fill(find<HTMLInputElement>(box, '.field input'), '/w/app');
  await userEvent.tab();
  await expect.poll(() => asked.length).toBe(3);
  expect(asked).toEqual([
    '/agents/old/sessions',
    '/agents/old/sessions?cursor=2',
    `/agents/old/sessions?cwd=${encodeURIComponent('/w/app')}`,
  ]);
  await userEvent.click(labelled('Plain'));
  await expect.poll(() => labelled('An earlier session')).toBeUndefined();
  expect(asked).toHaveLength(3);
});

test('servers are ticked as the settings have them; a choice is sent by name, none of it when nothing was touched', async () => {
  const first = await dialog(() => Response.json({ sessions: [] }));
  const ticked = (one: typeof first, name: string) => one.labelled(name).querySelector('input')?.checked;
  expect([ticked(first, 'files'), ticked(first, 'web')]).toEqual([true, false]);
  await userEvent.click(first.button('Start'));
  await expect.poll(first.created).toEqual([{ agent: 'old' }]);
  const second = await dialog(() => Response.json({ sessions: [] }));
  await userEvent.click(second.labelled('web'));
  await userEvent.click(second.button('Start'));
  await expect.poll(second.created).toEqual([{ agent: 'old', mcpServers: ['files', 'web'] }]);
});

test('a turn that was imported says from whom, and no time at which it did not run', async () => {
  const gateway = new PageGateway();
  gateway.open('s');
  gateway.write('s', { ...started('t2'), imported: true }, text('t2', 0, 'Hello'), ended('t2'));
  gateway.write('s', { ...started('t5', 2), imported: true }, ended('t5', 'interrupted'));
  const page = pageAt('/c/s', gateway);
  await page.arrive();
  await expect.poll(() => page.host.querySelector('[data-turn=t5] .status')).not.toBeNull();
  const line = (turn: string) => find(page.host, `[data-turn=${turn}] .status`);
  expect(line('t2').textContent).toContain('imported from A');
  expect(line('t2').querySelector('time')).toBeNull();
  expect(line('t5').textContent).toContain('does not say how it ended');
  expect(line('t5').textContent).not.toContain('Sluice was closed');
});
