import { expect, test } from 'vitest';
import type { AgentProcess, AgentSession, Connector } from '../../src/agents/agent.ts';
import { AgentHost } from '../../src/gateway/sessions/agent.host.ts';
import { TestClock } from '../support/clock.ts';

/** A host whose agent comes up when it is let; each start gets the next process group. */
function hosted() {
  const signals: [pgid: number, signal: string][] = [];
  const starts: (() => void)[] = [];
  const ends: (() => void)[] = [];
  const session: AgentSession = {
    prompt: () => expect.fail('nobody asks it'),
    cancel: async () => {},
    answer: () => {},
    close: async () => {},
  };
  const connector: Connector = {
    id: 'a',
    name: 'A',
    description: '',
    available: async () => ({ available: true }),
    open: ({ onProcess }) =>
      new Promise((resolve) => {
        const process: AgentProcess = {
          pgid: 100 + starts.length,
          command: 'a',
          survives: true,
          ended: new Promise((end) => ends.push(end)),
        };
        starts.push(() => {
          onProcess(process);
          resolve(session);
        });
      }),
  };
  const host = new AgentHost({
    session: 's',
    kind: 'conversation',
    connector,
    stateDir: '/nowhere',
    current: async () => ({ cwd: '/', history: [] }),
    onOutput: () => {},
    onProcess: () => {},
    clock: new TestClock(),
    signal: (pgid, signal) => signals.push([pgid, signal]),
    warn: (message) => expect.fail(message),
  });
  return { host, starts, ends, signals };
}

test('I7: an agent that is killed while it starts is killed as soon as it is there, and the next one is not', async () => {
  const { host, starts, signals } = hosted();
  const first = host.open();
  await expect.poll(() => starts.length).toBe(1);
  void host.kill();
  expect(signals).toEqual([]);
  const second = host.open();
  await expect.poll(() => starts.length).toBe(2);
  for (const start of starts) start();
  await Promise.all([first, second]);
  expect(signals).toEqual([[100, 'SIGKILL']]);
});

test('I5: it is killed when its processes have ended', async () => {
  const { host, starts, ends, signals } = hosted();
  const opened = host.open();
  await expect.poll(() => starts.length).toBe(1);
  starts[0]?.();
  await opened;
  let isOver = false;
  const killed = host.kill().then(() => {
    isOver = true;
  });
  expect(signals).toEqual([[100, 'SIGKILL']]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  ends[0]?.();
  await killed;
});
