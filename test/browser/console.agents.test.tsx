import { expect, test } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { PageGateway } from '../support/page.gateway.ts';
import { pageAt } from './console.at.tsx';

const plain = { id: 'plain', name: 'Plain', description: 'Was here before.', available: true };
const mine = { id: 'mine', name: 'Mine', description: 'my agent --acp', available: true, added: true };

/** The dialog over a gateway that `answer`s when an agent is added or removed. */
async function dialog(agents: object[], answer: (method: string) => Response | Promise<Response>) {
  const gateway = new PageGateway();
  gateway.open('made');
  gateway.instead = (path, method) => {
    if (path === '/agents' && method === 'GET') return Response.json({ agents });
    if (path.startsWith('/agents')) return answer(method);
    if (path === '/sessions' && method === 'POST')
      return Response.json(gateway.snapshot('made'), { status: 201 });
    return undefined;
  };
  const at = pageAt('/new', gateway);
  await at.arrive();
  await expect.element(page.getByRole('radio', { name: 'Plain', exact: true })).toBeVisible();
  const asked = () =>
    gateway.calls
      .filter((call) => call.method !== 'GET')
      .map(({ method, path, body }) => `${method} ${path}${body ? ` ${JSON.stringify(body)}` : ''}`);
  return { asked, agents };
}

const button = (name: string) => page.getByRole('button', { name, exact: true });
const field = (name: string) => page.getByRole('textbox', { name, exact: true });
const environment = 'Environment, one NAME=value a line';

async function press(name: string): Promise<void> {
  (button(name).element() as HTMLElement).focus();
  await userEvent.keyboard('{Enter}');
}

test('a program is added with the keyboard alone, tried first, and then chosen for the conversation', async () => {
  const tried = Promise.withResolvers<Response>();
  const { asked, agents } = await dialog([plain], () => tried.promise);
  await press('Add an agent…');
  await expect.element(page.getByRole('dialog', { name: 'Add an agent', exact: true })).toBeVisible();
  await expect.element(field('Name')).toHaveFocus();
  await userEvent.keyboard(' Mine {Tab}"my agent" --acp');
  await expect.element(field('Command')).toHaveFocus();
  await expect.element(field('Command')).toHaveAccessibleDescription('This will run: my agent --acp');
  await userEvent.keyboard('{Tab}A=1{Enter}B=x y');
  await expect.element(field(environment)).toHaveAccessibleDescription(/never shown again/);
  await userEvent.keyboard('{Tab}{Tab}{Enter}');
  await expect.element(button('Trying it…')).toHaveFocus();
  // Twice is once.
  await userEvent.keyboard('{Enter}');
  agents.push(mine);
  tried.resolve(Response.json(mine, { status: 201 }));
  await expect.element(page.getByRole('radio', { name: 'Mine', exact: true })).toBeChecked();
  await expect.element(button('Add an agent…')).toHaveFocus();
  await press('Start');
  const body = { name: 'Mine', command: ['my agent', '--acp'], env: { A: '1', B: 'x y' } };
  await expect
    .poll(asked)
    .toEqual([`POST /agents ${JSON.stringify(body)}`, 'POST /sessions {"agent":"mine"}']);
});

test('a program that does not answer is not added: why is said, and what was typed stays', async () => {
  const detail = 'The program “nothing” was not found.';
  const { asked } = await dialog([plain], () =>
    Response.json({ status: 422, code: 'agent.not_started', detail }, { status: 422 }),
  );
  await press('Add an agent…');
  await userEvent.keyboard('Mine{Tab}"nothing{Enter}');
  await expect.element(page.getByRole('alert')).toHaveTextContent('A " is not closed.');
  await userEvent.keyboard('"{Tab}what{Tab}{Tab}{Enter}');
  await expect
    .element(page.getByRole('alert'))
    .toHaveTextContent('Each line is NAME=value. This one is not: line 1.');
  expect(asked()).toEqual([]);
  await field(environment).clear();
  await press('Try and add');
  await expect.element(page.getByRole('alert')).toHaveTextContent(detail);
  expect(asked()).toEqual(['POST /agents {"name":"Mine","command":["nothing"]}']);
  await expect.element(button('Try and add')).toHaveFocus();
  await expect.element(field('Name')).toHaveValue('Mine');
  await expect.element(field('Command')).toHaveValue('"nothing"');
});

test('Escape leads from the form back to the choice, with the focus where it was, and then out', async () => {
  await dialog([plain], () => Response.error());
  await press('Add an agent…');
  await expect.element(field('Name')).toHaveFocus();
  await userEvent.keyboard('{Escape}');
  await expect.element(button('Add an agent…')).toHaveFocus();
  await userEvent.keyboard('{Escape}');
  await expect.poll(() => document.querySelector('[role=dialog]')).toBeNull();
});

test('only an agent that was added is removed, after a question; a refusal is said, and the focus is never lost', async () => {
  const detail = 'Mine works in a conversation: stop it first.';
  const answers = [
    () => Response.json({ status: 409, code: 'agent.busy', detail }, { status: 409 }),
    () => {
      agents.pop();
      return new Response(null, { status: 204 });
    },
  ];
  const { asked, agents } = await dialog([plain, mine], () => (answers.shift() as () => Response)());
  await userEvent.click(page.getByRole('radio', { name: 'Plain', exact: true }));
  expect(button('Remove Plain…').query()).toBeNull();
  await userEvent.keyboard('{ArrowDown}');
  await press('Remove Mine…');
  await expect.element(button('Remove it')).toHaveFocus();
  await userEvent.keyboard('{Tab}{Enter}');
  await expect.element(button('Remove Mine…')).toHaveFocus();
  expect(asked()).toEqual([]);
  await userEvent.keyboard('{Enter}');
  await expect.element(button('Remove it')).toHaveFocus();
  await userEvent.keyboard('{Enter}');
  await expect.element(page.getByRole('alert')).toHaveTextContent(detail);
  await expect.element(button('Remove Mine…')).toHaveFocus();
  await userEvent.keyboard('{Enter}');
  await expect.element(button('Remove it')).toHaveFocus();
  await userEvent.keyboard('{Enter}');
  await expect.poll(() => page.getByRole('radio', { name: 'Mine', exact: true }).query()).toBeNull();
  await expect.element(button('Add an agent…')).toHaveFocus();
  await expect.element(page.getByRole('radio', { name: 'Plain', exact: true })).toBeChecked();
  expect(asked()).toEqual(['DELETE /agents/mine', 'DELETE /agents/mine']);
});
