import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runnerMachine } from '../../machines/runner.machine.ts';
import { transitionId } from '../../machines/transition.id.ts';
import { createBuiltin } from '../../src/agents/builtin/builtin.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import { MemoryLog } from '../../src/gateway/log/memory.log.ts';
import type { InspectLine } from '../../src/wire/inspect.ts';

type ActorLine = Extract<InspectLine, { type: 'actor' }>;
type EventLine = Extract<InspectLine, { type: 'event' }>;

let dir: string;
let gateway: Gateway;
let session: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-inspect-'));
  gateway = await createGateway({
    log: new MemoryLog(),
    connectors: [createBuiltin()],
    roots: [dir],
    stateRoot: join(dir, 'state'),
  });
  session = (await gateway.create({ agent: 'builtin' })).id;
});

afterEach(async () => {
  await gateway.close();
  rmSync(dir, { recursive: true });
});

/** Sends one message and resolves when its turn has ended. */
async function turn(id: string, text: string): Promise<void> {
  const { cursor } = await gateway.snapshot(session);
  const ended = Promise.withResolvers<void>();
  const subscription = await gateway.subscribe(session, cursor, 'live', {
    facts: ({ facts }) => {
      if (facts.some((fact) => fact.type === 'turn.ended')) ended.resolve();
    },
    resync: (reason) => ended.reject(new Error(reason)),
  });
  await gateway.send(session, { id, content: [{ type: 'text', text }] });
  await ended.promise;
  subscription.close();
}

function listen(): { lines: InspectLine[]; stop: () => void } {
  const lines: InspectLine[] = [];
  return { lines, stop: gateway.inspect((line) => lines.push(line)) };
}

const actors = (lines: readonly InspectLine[]) => lines.filter((l): l is ActorLine => l.type === 'actor');
const eventsOf = (lines: readonly InspectLine[], id: string | undefined) =>
  lines.filter((l): l is EventLine => l.type === 'event' && l.id === id);

describe('the actors of a gateway, as an inspector reads them', () => {
  test('one that comes late is told of every actor that is there, with its state and how long it is in it', async () => {
    await turn('m1', 'hello');
    const { turns, title = '' } = await gateway.snapshot(session);
    const { lines, stop } = listen();
    expect(lines[0]?.type).toBe('began');
    const [orchestrator, ...others] = actors(lines);
    expect(orchestrator).toMatchObject({ machine: 'orchestrator', status: 'active' });
    const conversation = others.find((line) => line.machine === 'conversation');
    expect(conversation).toMatchObject({
      parent: orchestrator?.id,
      session,
      title,
      state: 'finalized',
      since: turns.at(-1)?.endedAt,
    });
    expect(others.find((line) => line.machine === 'runner')).toMatchObject({
      parent: conversation?.id,
      session,
      state: { pen: 'idle', work: { resting: 'quiet' } },
    });
    stop();
  });

  test('a turn is told as events with the state after each and the transitions that were taken', async () => {
    await turn('m1', 'hello');
    const { lines, stop } = listen();
    await turn('m2', 'hello');
    stop();
    const conversation = actors(lines).find((line) => line.machine === 'conversation');
    const events = eventsOf(lines, conversation?.id);
    expect(events[0]).toMatchObject({ event: 'turn.started', state: 'dispatching', taken: true });
    expect(events.at(-1)).toMatchObject({ event: 'turn.ended', state: 'finalized', taken: true });
    expect(events.every((line) => line.taken && line.transitions?.length === 1)).toBe(true);
    expect(events.at(-1)?.transitions?.[0]).toMatch(/^session\.streaming:\d+$/);
    // The pen of the runner moves by transitions that no event names.
    const runner = actors(lines).find((line) => line.machine === 'runner');
    const ids = eventsOf(lines, runner?.id).flatMap((line) => line.transitions ?? []);
    const unnamed = runnerMachine.states.pen?.states.idle?.always?.map(transitionId) ?? [];
    expect(ids.some((id) => unnamed.includes(id))).toBe(true);
  });

  test('I14: a turn itself, with each of its tokens, is not told of', async () => {
    const { lines, stop } = listen();
    await turn('m1', 'hello');
    stop();
    expect(actors(lines).filter((line) => line.machine.startsWith('turn'))).toEqual([]);
    const known = new Set(actors(lines).map((line) => line.id));
    expect(lines.every((line) => line.type === 'began' || known.has(line.id))).toBe(true);
  });

  test('lines are plain data: what is read back from JSON is what was told', async () => {
    const { lines, stop } = listen();
    await turn('m1', 'hello');
    stop();
    expect(lines.length).toBeGreaterThan(5);
    expect(JSON.parse(JSON.stringify(lines))).toEqual(lines);
  });

  test('nobody is told after they have stopped to listen', async () => {
    const { lines, stop } = listen();
    stop();
    const before = lines.length;
    await turn('m1', 'hello');
    expect(lines.length).toBe(before);
  });
});
