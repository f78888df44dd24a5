import { createMemo, createSignal } from 'solid-js';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createActor, fromTransition } from 'xstate';
import { ended, jobs, permissions, text, toolOf, tools, turnOf } from '../../src/console/gallery/samples.ts';
import { sameList } from '../../src/console/lib/equal.ts';
import { createSelector } from '../../src/console/lib/select.ts';
import { JobRow } from '../../src/console/parts/job.tsx';
import { Thread } from '../../src/console/thread/thread.tsx';
import { TurnRow } from '../../src/console/thread/turn.tsx';
import type { JobView } from '../../src/console/view.ts';
import type { Part, Turn } from '../../src/wire/turn.ts';
import { addedElements, find, removedElements, show, silentView, told, watch } from './console.harness.tsx';

type Turns = readonly Turn[];

/** A thread over an actor whose snapshot is a list of turns. */
function threadOf(first: Turns) {
  const logic = fromTransition(
    (_: { turns: Turns }, event: { type: 'set'; turns: Turns }) => ({ turns: event.turns }),
    {
      turns: first,
    },
  );
  const actor = createActor(logic).start();
  onTestFinished(() => {
    actor.stop();
  });
  const host = show(() => {
    const turns = createSelector(actor, (snapshot) => snapshot.context.turns);
    const keys = createMemo(() => turns().map((turn) => turn.id), undefined, { equals: sameList });
    const byId = createMemo(() => new Map(turns().map((turn) => [turn.id, turn])));
    return (
      <Thread
        keys={keys()}
        row={(key) => {
          const last = byId().get(key) as Turn;
          const turn = createMemo(() => byId().get(key) ?? last);
          return <TurnRow turn={turn()} newest={keys().at(-1) === key} view={silentView} />;
        }}
        older={false}
        onOlder={() => Promise.resolve()}
        announce=""
      />
    );
  }, 'height: 500px; display: flex; flex-direction: column');
  return {
    host,
    set: (turns: Turns) => actor.send({ type: 'set', turns }),
    rows: () => [...host.querySelectorAll('.turn')],
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
});

const done = (id: string) => turnOf(id, `Question ${id}`, [text('t', `Answer **${id}**`)], ended);
const live = (id: string, words: string, more: readonly Part[] = []) =>
  turnOf(id, 'Question', [text('t', words), ...more]);

describe('rows of a thread', () => {
  test('C3: through 1,000 tokens each row is mounted once and keeps its nodes', () => {
    const settled = ['a', 'b', 'c'].map(done);
    const thread = threadOf([...settled, live('d', '')]);
    const before = thread.rows();
    const inner = [...thread.host.querySelectorAll('.turn:not([data-open]) *')];
    const seen = watch(find(thread.host, '.thread-rows'));
    let words = '';
    for (let token = 0; token < 1000; token++) {
      words += `w${token} `;
      thread.set([...settled, live('d', words)]);
      vi.advanceTimersToNextFrame();
    }
    expect(thread.rows().map((row, index) => row === before[index])).toEqual([true, true, true, true]);
    expect(
      [...thread.host.querySelectorAll('.turn:not([data-open]) *')].every(
        (node, index) => node === inner[index],
      ),
    ).toBe(true);
    expect(removedElements(seen.read())).toEqual([]);
    expect(before[3]?.querySelector('.md')?.textContent).toBe(words);
  });

  test('C22: however many tokens come between two frames, the text is written once, and it is the last', () => {
    const thread = threadOf([live('d', 'start')]);
    vi.advanceTimersToNextFrame();
    const paragraph = find(thread.host, '.md p');
    const seen = watch(paragraph);
    let words = 'start';
    let frames = 0;
    for (let token = 1; token <= 10_000; token++) {
      words += ` ${token}`;
      thread.set([live('d', words)]);
      if (token % 160 === 0) {
        vi.advanceTimersToNextFrame();
        frames++;
        expect(paragraph.textContent).toBe(words);
      }
    }
    vi.advanceTimersToNextFrame();
    frames++;
    expect(paragraph.textContent).toBe(words);
    expect(seen.read().length).toBeLessThanOrEqual(frames);
  });

  test('C22: a page that gets no frames still shows the last text', () => {
    vi.stubGlobal('requestAnimationFrame', () => 1);
    vi.stubGlobal('cancelAnimationFrame', () => {});
    onTestFinished(() => {
      vi.unstubAllGlobals();
    });
    const thread = threadOf([live('d', 'one')]);
    thread.set([live('d', 'one two')]);
    thread.set([live('d', 'one two three')]);
    vi.advanceTimersByTime(1000);
    expect(find(thread.host, '.md').textContent).toBe('one two three');
  });

  test('C5: the final reply stays, whatever was on its way when it came', () => {
    const thread = threadOf([live('d', 'half of the rep')]);
    thread.set([live('d', 'half of the reply, and')]);
    thread.set([turnOf('d', 'Question', [text('t', 'half of the reply, and the rest.')], ended)]);
    vi.advanceTimersToNextFrame();
    vi.advanceTimersByTime(600);
    expect(find(thread.host, '.md').textContent).toBe('half of the reply, and the rest.');
  });

  test('C4, C11: a card keeps its node and stays open through 100 updates and polls', () => {
    const quiet = toolOf('x', { title: 'Look', status: 'in_progress', kind: 'search', output: 'line 0\n' });
    const thread = threadOf([live('d', 'text', [quiet])]);
    const card = find(thread.host, '.tool');
    find(card, 'button.disclosure-head').click();
    const output = find(card, '.output');
    for (let update = 1; update <= 100; update++) {
      const watching = { mode: 'poll', reason: 'lost', since: Date.now() } as const;
      const grown = { ...quiet, output: `${quiet.output}${'more\n'.repeat(update)}` };
      thread.set([turnOf('d', 'Question', [text('t', 'text'), grown], { watching })]);
      vi.advanceTimersToNextFrame();
    }
    expect(find(thread.host, '.tool')).toBe(card);
    expect(card.dataset.open).toBe('');
    expect(find(card, '.output')).toBe(output);
    expect(output.textContent).toContain('line 0\nmore\n');
  });

  test('C11, I11: polls that say nothing new write to no row', () => {
    const same = { a: done('a'), d: live('d', 'text') };
    const thread = threadOf([same.a, same.d]);
    const parts = watch(find(thread.host, '.thread-rows'));
    for (let poll = 0; poll < 50; poll++) {
      thread.set([same.a, { ...same.d }]);
      vi.advanceTimersToNextFrame();
    }
    expect(told(parts.read())).toEqual([]);
  });
  test('C31, I10: reading a session again removes no node; one changed row writes its own leaf alone', () => {
    const turns = ['a', 'b', 'c'].map(done);
    const thread = threadOf(turns);
    const seen = watch(find(thread.host, '.thread-rows'));
    thread.set(structuredClone(turns));
    vi.advanceTimersToNextFrame();
    expect(told(seen.read())).toEqual([]);
    const b = turnOf('b', 'Question b', [text('t', 'Answer **b**'), tools.read], ended);
    thread.set([turns[0] as Turn, b, turns[2] as Turn]);
    vi.advanceTimersToNextFrame();
    expect(removedElements(seen.read())).toEqual([]);
    const touched = new Set(
      seen.records.map((record) => (record.target as Element).closest('.turn')?.getAttribute('data-turn')),
    );
    expect([...touched]).toEqual(['b']);
  });

  test('I10: the end of a turn removes no part of it', () => {
    const parts = [text('t', 'Here it is.\n\n- a\n- b'), tools.run, permissions.answered];
    const thread = threadOf([turnOf('d', 'Question', parts)]);
    const kept = [...thread.host.querySelectorAll('.turn-parts *')];
    thread.set([turnOf('d', 'Question', parts, ended)]);
    vi.advanceTimersToNextFrame();
    expect(
      [...thread.host.querySelectorAll('.turn-parts *')].every((node, index) => node === kept[index]),
    ).toBe(true);
  });

  test('C20: progress of a job writes to the row of that job alone', () => {
    const [progress, setProgress] = createSignal(jobs[0] as JobView);
    const turn = turnOf('d', 'Question', [text('t', 'I start it.'), { type: 'job', id: 'job-run' }], ended);
    const host = show(() => (
      <TurnRow
        turn={turn}
        newest={true}
        view={{ ...silentView, jobRow: () => <JobRow job={progress()} href="/jobs/x" onStop={() => {}} /> }}
      />
    ));
    const row = find(host, '.job');
    const seen = watch(host);
    for (let step = 0; step < 20; step++) {
      const job = jobs[0] as (typeof jobs)[number];
      const now = turnOf('x', '', [], { progress: { text: `${step} of 20`, done: step, total: 20 } });
      setProgress({ ...job, turn: now });
    }
    expect(find(host, '.job')).toBe(row);
    expect(find(row, '.job-text').textContent).toBe('19 of 20');
    expect(seen.read().every((record) => row.contains(record.target))).toBe(true);
    expect(addedElements(seen.records)).toEqual([]);
  });

  test('text that was taken back is shown as it is now', () => {
    const thread = threadOf([live('d', 'A first attempt that was cut')]);
    thread.set([turnOf('d', 'Question', [{ type: 'text', id: 't', text: 'A second', revision: 1 }])]);
    vi.advanceTimersToNextFrame();
    expect(find(thread.host, '.md').innerHTML).toBe('<p>A second</p>');
  });
});
