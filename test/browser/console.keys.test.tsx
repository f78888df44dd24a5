import { createSignal } from 'solid-js';
import { beforeEach, describe, expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { Composer, type Delivery } from '../../src/console/composer/composer.tsx';
import { QueueStrip } from '../../src/console/composer/queue.tsx';
import { commands, permissions, queues, turnOf } from '../../src/console/gallery/samples.ts';
import { draftOf } from '../../src/console/lib/ui.ts';
import { TurnRow } from '../../src/console/thread/turn.tsx';
import type { Queue } from '../../src/wire/snapshot.ts';
import { find, show, silentView } from './console.harness.tsx';

let session = '';
beforeEach(() => {
  session = crypto.randomUUID();
});

function composer(busy = false) {
  const sent: [string, Delivery][] = [];
  const state = { stops: 0 };
  const host = show(() => (
    <Composer
      session={session}
      busy={busy}
      stopping={false}
      commands={commands}
      onSend={(text, delivery) => sent.push([text, delivery])}
      onStop={() => state.stops++}
    />
  ));
  const area = find<HTMLTextAreaElement>(host, 'textarea');
  area.focus();
  return { host, area, sent, state };
}

describe('the composer, by keyboard alone', () => {
  test('Enter sends, Shift Enter makes a new line, Ctrl Enter runs in the background', async () => {
    const { area, sent } = composer();
    await userEvent.keyboard('one{Shift>}{Enter}{/Shift}two{Enter}');
    expect(sent).toEqual([['one\ntwo', 'queue']]);
    expect(area.value).toBe('');
    await userEvent.keyboard('three{Control>}{Enter}{/Control}');
    expect(sent[1]).toEqual(['three', 'background']);
    await userEvent.keyboard('   {Enter}');
    expect(sent).toHaveLength(2);
  });

  test('Escape stops a running turn, and nothing when none runs', async () => {
    const busy = composer(true);
    await userEvent.keyboard('{Escape}');
    expect(busy.state.stops).toBe(1);
    const idle = composer(false);
    await userEvent.keyboard('{Escape}');
    expect(idle.state.stops).toBe(0);
  });

  test('a slash opens the commands: arrows choose, Enter takes, Escape closes without a stop', async () => {
    const { host, area, sent, state } = composer(true);
    await userEvent.keyboard('/r');
    expect([...host.querySelectorAll('[role=option]')].map((option) => option.textContent)).toHaveLength(2);
    await userEvent.keyboard('{ArrowDown}');
    const active = area.getAttribute('aria-activedescendant');
    expect(document.getElementById(active ?? '')?.textContent).toContain('/run');
    await userEvent.keyboard('{Enter}');
    expect(area.value).toBe('/run ');
    expect(sent).toEqual([]);
    await userEvent.clear(area);
    await userEvent.keyboard('/');
    await userEvent.keyboard('{Escape}');
    expect(host.querySelector('[role=listbox]')).toBeNull();
    expect(state.stops).toBe(0);
  });

  test('what was typed is kept for its own conversation', async () => {
    composer();
    await userEvent.keyboard('half a thought');
    expect(draftOf(session)()).toBe('half a thought');
    expect(draftOf('another')()).toBe('');
  });
});

describe('the queue, by keyboard alone', () => {
  test('Tab reaches every control; edit, move and remove name the message', async () => {
    const calls: unknown[] = [];
    const [queue, setQueue] = createSignal<Queue>(queues.held);
    const host = show(() => (
      <QueueStrip
        queue={queue()}
        onEdit={(id, text) => calls.push(['edit', id, text])}
        onRemove={(id) => calls.push(['remove', id])}
        onMove={(id, to) => calls.push(['move', id, to])}
        onResume={() => calls.push(['resume'])}
      />
    ));
    find<HTMLButtonElement>(host, '.queue-head button').focus();
    await userEvent.keyboard('{Enter}');
    await userEvent.tab();
    expect(document.activeElement?.getAttribute('aria-label')).toBe('Move down');
    await userEvent.keyboard('{Enter}');
    await userEvent.tab();
    await userEvent.keyboard('{Enter}');
    await expect.poll(() => document.activeElement?.tagName).toBe('TEXTAREA');
    await userEvent.keyboard(', please{Enter}');
    await expect.poll(() => document.activeElement?.getAttribute('aria-label')).toBe('Edit');
    await userEvent.tab();
    await userEvent.keyboard('{Enter}');
    expect(calls).toEqual([
      ['resume'],
      ['move', 'q1', 1],
      ['edit', 'q1', 'Then update the changelog, please'],
      ['remove', 'q1'],
    ]);
    const kept = find(host, '.queue-item:nth-child(2)');
    setQueue({ ...queues.held, messages: queues.held.messages.slice(1) });
    expect(find(host, '.queue-item:first-child')).toBe(kept);
  });

  test('Escape leaves an edit and changes nothing', async () => {
    const calls: unknown[] = [];
    const call = (...all: unknown[]) => calls.push(all);
    const host = show(() => (
      <QueueStrip queue={queues.held} onEdit={call} onRemove={call} onMove={call} onResume={call} />
    ));
    find<HTMLButtonElement>(host, '[aria-label=Edit]').click();
    await expect.poll(() => document.activeElement?.tagName).toBe('TEXTAREA');
    await userEvent.keyboard('other words{Escape}');
    expect(host.querySelector('textarea')).toBeNull();
    expect(calls).toEqual([]);
  });
});

test('a permission is answered by keyboard, once', async () => {
  const answers: unknown[] = [];
  const [chosen, setChosen] = createSignal<string>();
  const view = {
    ...silentView,
    answering: () => chosen(),
    onAnswer: (permission: string, option: string) => {
      answers.push([permission, option]);
      setChosen(option);
    },
  };
  const host = show(() => (
    <TurnRow turn={turnOf('t', 'Do it', [permissions.open])} newest={true} view={view} />
  ));
  find<HTMLButtonElement>(host, '.permission button').focus();
  await userEvent.tab();
  await userEvent.tab();
  await userEvent.keyboard('{Enter}{Enter}');
  expect(answers).toEqual([['p-open', 'no']]);
});
