import { describe, expect, test } from 'vitest';
import { matching } from '../../src/console/composer/commands.match.ts';
import { plainOutput } from '../../src/console/lib/ansi.ts';
import { span } from '../../src/console/lib/time.ts';
import { summaryWord } from '../../src/console/lib/words.ts';
import { diffOf } from '../../src/console/parts/diff.ts';
import { statusOf } from '../../src/console/thread/status.ts';
import type { Turn } from '../../src/wire/turn.ts';

const now = 1_000_000;
const turn = (more: Partial<Turn>): Turn => ({
  id: 't',
  origin: 'user',
  startedAt: now - 20_000,
  firstSeq: 1,
  seq: 2,
  parts: [],
  accepted: true,
  misfits: [],
  ...more,
});
const text = { type: 'text', id: 'p', text: 'Hello', revision: 0 } as const;
const ended = (outcome: Turn['outcome'], stopReason: Turn['stopReason'], more: Partial<Turn> = {}) =>
  statusOf(turn({ outcome, stopReason, ...more } as Partial<Turn>), now);

describe('how a turn stands, in words', () => {
  test('I13: each way to wait is told apart, with how long', () => {
    const since = now - 34_000;
    expect(statusOf(turn({ accepted: false }), now).label).toBe('Waiting for the agent');
    expect(statusOf(turn({ parts: [text] }), now).label).toBe('Writing');
    expect(statusOf(turn({ watching: { mode: 'silent', reason: 'quiet', since } }), now)).toMatchObject({
      label: 'No output for 34 s',
      detail: 'quiet',
    });
    expect(statusOf(turn({ watching: { mode: 'poll', reason: 'lost', since } }), now).label).toBe(
      'Checking on the agent for 34 s',
    );
    const retrying = { attempt: 2, reason: 'busy', next: now + 4000 };
    expect(statusOf(turn({ retrying }), now).label).toBe('Trying again in 4 s (attempt 2)');
    expect(statusOf(turn({ retrying }), now + 5000).label).toBe('Trying again now (attempt 2)');
  });

  test('I4: from the moment a stop is asked for nothing else is said', () => {
    const open = turn({ parts: [text], retrying: { attempt: 1, reason: 'busy' } });
    expect(statusOf(open, now, true).label).toBe('Stopping…');
    expect(statusOf({ ...open, stopping: 'killed' }, now)).toMatchObject({
      label: 'Stopping…',
      detail: expect.stringContaining('killed'),
    });
  });

  test('D5: a usage limit has its time, with its day when that is not today', () => {
    const at = new Date(2026, 10, 23, 14, 20).getTime();
    const failed = (until: number) =>
      statusOf(
        turn({
          outcome: 'failed',
          stopReason: 'error',
          error: { code: 'model.usage_limit', message: 'm', until },
        }),
        at,
      );
    const time = (ms: number) =>
      new Date(ms).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
    expect(failed(at + 1_800_000)).toMatchObject({
      label: `Usage limit until ${time(at + 1_800_000)}`,
      detail: 'm',
      next: 'retry',
    });
    expect(failed(at + 86_400_000).label).toContain('24');
    expect(failed(at - 60_000).label).toBe(`Usage limit, over since ${time(at - 60_000)}`);
  });

  test('D1: each end has its own words, and the step that makes sense', () => {
    expect(ended('finalized', 'end_turn', { parts: [text] })).toEqual({ tone: 'done', label: 'Done' });
    expect(ended('finalized', 'end_turn')).toMatchObject({
      label: 'Finished without a reply',
      next: 'retry',
    });
    expect(ended('finalized', 'max_tokens', { parts: [text] }).next).toBe('continue');
    expect(ended('finalized', 'max_turn_requests').next).toBe('continue');
    expect(ended('finalized', 'refusal').next).toBeUndefined();
    expect(ended('finalized', 'job').label).toBe('Goes on in the background');
    expect(ended('cancelled', 'cancelled')).toMatchObject({ label: 'Stopped', next: 'retry' });
    const error = { code: 'x', message: 'The server is down.' };
    expect(ended('failed', 'error', { error })).toMatchObject({ detail: error.message, next: 'retry' });
    expect(ended('interrupted', 'lost', { accepted: false }).detail).toContain('may not have reached it');
    expect(ended('interrupted', 'lost', { parts: [text] }).detail).toContain('is kept');
  });
});

test('a line of the list says first what needs the user, then what comes by itself', () => {
  const line = { state: 'streaming', permissions: 0, held: false, queued: 0 } as const;
  const said = (more: Partial<Parameters<typeof summaryWord>[0]>) =>
    summaryWord({ ...line, ...more }, Date.parse('2026-03-05T12:00')).text;
  expect(said({})).toBe('Working');
  expect(said({ permissions: 1 })).toBe('Needs an answer');
  expect(said({ state: 'cancelled', held: true, queued: 2 })).toBe('Queue held');
  expect(said({ state: 'cancelled', held: true })).toBe('Stopped');
  const retry = { state: 'failed', held: true, queued: 1, retryAt: Date.parse('2026-03-05T15:00') } as const;
  expect(said(retry)).toMatch(/^Tries again at 0?3:00|^Tries again at 15:00/);
  expect(said({ ...retry, state: 'dispatching' })).toBe('Waiting for the agent');
});

test('spans of time are said in the fewest words', () => {
  expect([0, 400, 59_400, 60_000, 95_000, 1_500_000, 7_500_000, 90_000_000].map(span)).toEqual([
    ...['0 s', '0 s', '59 s', '1 min', '1 min 35 s', '25 min', '2 h 5 min', '1 day'],
  ]);
});

describe('terminal output', () => {
  test('loses its colours, titles and cursor moves, and nothing else', () => {
    expect(plainOutput('\u001b[1;31mred\u001b[0m \u001b]0;title\u0007x\u001b[2K\u001b[?25l')).toBe('red x');
    expect(plainOutput('a\tb [0m \\u001b')).toBe('a\tb [0m \\u001b');
  });

  test('shows what a carriage return leaves, and no half of a sequence', () => {
    expect(plainOutput('10 %\r50 %\r100 %\ndone\r\n')).toBe('100 %\ndone\n');
    expect(plainOutput('longer line\rshort')).toBe('shortr line');
    expect(plainOutput('text\u001b[3')).toBe('text');
  });
});

describe('a diff', () => {
  test('numbers the lines that changed, with three around them', () => {
    const before = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`).join('\n');
    const { lines, added, removed } = diffOf(before, before.replace('line 10', 'line ten'));
    expect([added, removed]).toEqual([1, 1]);
    expect(lines.map((line) => line.kind)).toEqual([
      ...['gap', 'same', 'same', 'same', 'removed', 'added', 'same', 'same', 'same'],
    ]);
    expect(lines.find((line) => line.kind === 'removed')).toMatchObject({ before: 10, text: 'line 10' });
    expect(lines.find((line) => line.kind === 'added')).toMatchObject({ after: 10, text: 'line ten' });
  });

  test('of a new file adds every line; of two huge files it is not tried', () => {
    expect(diffOf(null, 'a\nb\n')).toMatchObject({ added: 2, removed: 0, skipped: false });
    expect(diffOf('x'.repeat(300_000), 'y'.repeat(300_000)).skipped).toBe(true);
  });
});

test('a slash offers the commands that what is typed may become', () => {
  const commands = [
    { name: 'help', description: '' },
    { name: 'review', description: '' },
    { name: 'run', description: '' },
  ];
  const names = (typed: string) => matching(typed, commands).map((command) => command.name);
  expect(names('/')).toEqual(['help', 'review', 'run']);
  expect(names('/R')).toEqual(['review', 'run']);
  expect(names('/run ls')).toEqual([]);
  expect(names('see /run')).toEqual([]);
  expect(names('')).toEqual([]);
});
