import { createSignal } from 'solid-js';
import { expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { permissions, turnOf } from '../../src/console/gallery/samples.ts';
import { TurnRow } from '../../src/console/thread/turn.tsx';
import type { PermissionPart } from '../../src/wire/turn.ts';
import { PageGateway } from '../support/page.gateway.ts';
import { pageAt } from './console.at.tsx';
import { find, show, silentView } from './console.harness.tsx';

const { form } = permissions;
/** What is typed is kept for each question by its id. */
const anew = <T extends PermissionPart>(part: T): T => ({ ...part, id: crypto.randomUUID() });

function asked(part: PermissionPart) {
  const answers: unknown[] = [];
  const [answering, setAnswering] = createSignal<string>();
  const view = {
    ...silentView,
    answering,
    onAnswer: (...answer: unknown[]) => {
      answers.push(answer.slice(1).filter((one) => one !== undefined));
      setAnswering(String(answer[1]));
    },
  };
  const row = () => show(() => <TurnRow turn={turnOf('t', 'Do it', [part])} newest={true} view={view} />);
  return { host: row(), row, answers };
}

const input = (host: HTMLElement, name: string) => find<HTMLInputElement>(host, `[name="${name}"]`);
const saidOf = (element: HTMLElement) =>
  (element.getAttribute('aria-describedby') ?? '')
    .split(' ')
    .filter(Boolean)
    .map((id) => document.getElementById(id)?.textContent);

test('a form is filled in and sent by keyboard alone, once', async () => {
  const { host, answers } = asked(anew(form));
  input(host, 'name').focus();
  await userEvent.keyboard('Beryl');
  await userEvent.tab();
  expect((document.activeElement as HTMLInputElement).value).toBe('beta');
  await userEvent.keyboard('{ArrowUp}');
  await userEvent.tab();
  await userEvent.keyboard(' ');
  await userEvent.keyboard('{Enter}{Enter}');
  const content = { name: 'Beryl', channel: 'stable', notify: ['Maintainers'], copies: 3, sign: true };
  expect(answers).toEqual([['accept', content]]);
  expect(find<HTMLButtonElement>(host, 'button').disabled).toBe(true);
});

test('what does not fit is not sent: its field has the focus, and says why until it fits', async () => {
  const { host, answers } = asked(anew(form));
  const [name, copies] = [input(host, 'name'), input(host, 'copies')];
  await userEvent.fill(copies, '0');
  expect([name, copies].map((one) => one.ariaInvalid)).toEqual([null, null]);
  await userEvent.click(find(host, 'button[type=submit]'));
  expect(answers).toEqual([]);
  expect(document.activeElement).toBe(name);
  expect([name, copies].map((one) => one.ariaInvalid)).toEqual(['true', 'true']);
  expect(saidOf(name)).toEqual(['What people will call it.', 'This is needed.']);
  expect(saidOf(copies)).toEqual(['At least 1.']);
  await userEvent.keyboard('x');
  expect([name.ariaInvalid, saidOf(name)]).toEqual([null, ['What people will call it.']]);
  await userEvent.fill(copies, '');
  await userEvent.click(find(host, 'button[type=submit]'));
  expect(answers).toEqual([['accept', { name: 'x', channel: 'beta', sign: true }]]);
});

test('each input has its name, and a group has its legend', () => {
  const { host } = asked(anew(form));
  const labels = [...host.querySelectorAll<HTMLInputElement>('form input')].map(
    ({ labels }) => labels?.[0]?.textContent,
  );
  expect(labels).toEqual([
    'Name',
    'stable',
    'beta',
    'Maintainers',
    'Everybody',
    'Copies optional',
    'Sign it',
  ]);
  const legends = [...host.querySelectorAll('legend')].map((legend) => legend.textContent);
  expect(legends).toEqual(['Channel', 'Tell optional']);
  expect(find(host, 'form').ariaLabel).toBe('Release');
});

test('what is filled in is still there when the row is shown again; to decline needs none of it', async () => {
  const { host, row, answers } = asked(anew(form));
  await userEvent.fill(input(host, 'name'), 'half');
  const again = row();
  expect(input(again, 'name').value).toBe('half');
  await userEvent.fill(input(again, 'name'), '');
  await userEvent.click(find(again, 'button[type=button]'));
  expect(answers).toEqual([['decline']]);
});

test('dates are sent as the protocol has them, and come from it', async () => {
  const at = { type: 'string', title: 'At', format: 'date-time', default: '2025-06-01T10:30:00Z' } as const;
  const day = { type: 'string', title: 'Day', format: 'date' } as const;
  const { host, answers } = asked(anew({ ...form, form: { properties: { at, day } } }));
  await userEvent.fill(input(host, 'day'), '2025-12-31');
  await userEvent.click(find(host, 'button[type=submit]'));
  expect(answers).toEqual([['accept', { at: '2025-06-01T10:30:00.000Z', day: '2025-12-31' }]]);
});

test('what was given can be read, and not changed', () => {
  const { host } = asked(permissions.given);
  expect([...host.querySelectorAll('dt, dd')].map((one) => one.textContent)).toEqual([
    'Copies',
    '3',
    'Sign them',
    'Yes',
  ]);
  expect(host.querySelector('.permission input, .permission button')).toBeNull();
});

test('a page to visit is shown whole and opens apart, if it is one of the web', () => {
  const { host } = asked(permissions.visit);
  const link = find<HTMLAnchorElement>(host, '.permission a');
  expect(link.textContent).toBe(permissions.visit.url);
  expect([link.target, link.rel]).toEqual(['_blank', 'noopener noreferrer']);
  expect(find(host, '.question-page').textContent).toContain('login.example');
  const accepted = asked({ ...permissions.visit, state: 'answered', option: 'accept' });
  expect(find<HTMLAnchorElement>(accepted.host, '.permission a').href).toBe(permissions.visit.url);
  const declined = asked({ ...permissions.visit, state: 'answered', option: 'decline' });
  expect(declined.host.querySelector('.permission a')).toBeNull();
  const strange = asked({ ...permissions.visit, url: 'javascript:alert(1)' });
  expect(strange.host.querySelector('.permission a')).toBeNull();
});

test('the values go to the gateway through the outbox; what it refuses can be mended (I9)', async () => {
  const gateway = new PageGateway();
  gateway.open('s');
  const message = { id: 'm', content: [{ type: 'text' as const, text: 'go' }] };
  const { title, options } = form;
  gateway.write(
    's',
    { type: 'turn.started', turn: 't1', message, origin: 'user', revision: 1 },
    {
      type: 'permission.asked',
      turn: 't1',
      permission: 'p-page',
      title,
      options,
      form: { properties: { n: { type: 'integer' } } },
    },
  );
  const path = '/sessions/s/permissions/p-page';
  const problem = { status: 400, code: 'permission.wrong_content', title: 'No', detail: 'n: At most 4.' };
  gateway.instead = (asked) => (asked === path ? Response.json(problem, { status: 400 }) : undefined);
  const page = pageAt('/c/s', gateway);
  await page.arrive();
  await page.arrive();
  await userEvent.fill(input(page.host, 'n'), '5');
  await userEvent.keyboard('{Enter}');
  await page.arrive();
  const calls = () => gateway.calls.filter((call) => call.path === path);
  expect(calls().map((call) => call.body)).toEqual([{ option: 'accept', content: { n: 5 } }]);
  expect(find(page.host, '.outbox[data-refused]').textContent).toContain('n: At most 4.');
  expect(input(page.host, 'n').value).toBe('5');
  gateway.instead = (asked) => (asked === path ? Response.json({ cursor: 'e.9' }) : undefined);
  await userEvent.fill(input(page.host, 'n'), '4');
  await userEvent.keyboard('{Enter}');
  await page.arrive();
  expect(calls().map((call) => call.body)).toHaveLength(2);
  gateway.write('s', {
    type: 'permission.answered',
    turn: 't1',
    permission: 'p-page',
    option: 'accept',
    content: { n: 4 },
  });
  await page.arrive();
  expect(find(page.host, '.question-given').textContent).toBe('n4');
});
