import { expect, onTestFinished } from 'vitest';
import type { Limits } from '../../machines/runner.types.ts';
import type { RpcServer } from '../../src/agents/rpc-sse/options.ts';
import { createRpcSse } from '../../src/agents/rpc-sse/rpc-sse.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import type { Log } from '../../src/gateway/log/log.ts';
import type { Fact } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { violations } from '../support/invariants.ts';
import { type Followed, type Local, localGateway } from '../support/local-gateway.ts';
import { ManualClock } from '../support/model-clock.ts';
import { type Play, type RpcDouble, startRpc } from '../support/rpc-server.ts';

export const limits: Partial<Limits> = { poll: 5, pollMax: 20, cancel: 2_000, quiet: 50 };

export interface Bench {
  readonly server: RpcDouble;
  readonly local: Local;
  readonly gateway: Gateway;
  /** The connector's own clock: its waits end by `advance` alone. */
  readonly clock: ManualClock;
  readonly followed: Followed;
  send(id: string, more?: { readonly delivery?: 'steer' | 'background' }): Promise<string | undefined>;
  ended(turn?: string): Promise<Extract<Fact, { type: 'turn.ended' }>>;
  last(): Promise<Turn | undefined>;
  sound(session?: string): Promise<void>;
}

/** A gateway, a conversation `s` in it, and the double behind; messages are named as their plays. */
export async function bench(
  plays: Readonly<Record<string, Play>>,
  settings: Partial<RpcServer> = {},
): Promise<Bench> {
  const server = await startRpc((message) => plays[message] ?? { steps: [] });
  onTestFinished(() => server.close());
  const clock = new ManualClock();
  const connector = createRpcSse({
    server: { id: 'shrimp', url: server.url, events: server.events, ...settings },
    clock,
  });
  const local = await localGateway({ connectors: [connector], limits });
  onTestFinished(() => local.close());
  const { gateway, log } = local;
  await gateway.create({ id: 's', agent: 'shrimp' });
  const followed = await local.follow('s');
  return {
    server,
    local,
    gateway,
    clock,
    followed,
    async send(id, more = {}) {
      const { turn, job } = await gateway.send('s', { id, content: [{ type: 'text', text: id }], ...more });
      return turn ?? job;
    },
    ended: async (turn) =>
      (await followed.until(
        (f) => f.type === 'turn.ended' && (turn === undefined || f.turn === turn),
      )) as never,
    last: async () => (await gateway.snapshot('s')).turns.at(-1),
    sound: (session = 's') => isSound(gateway, log, session),
  };
}

export const said = (turn: Turn | undefined) =>
  (turn?.parts ?? []).flatMap((p) => (p.type === 'text' ? p.text : [])).join('');

export async function isSound(gateway: Gateway, log: Log, session: string): Promise<void> {
  const { turns } = await gateway.snapshot(session);
  const facts = (await log.read(session, 0)) as Fact[];
  expect(violations(facts)).toEqual([]);
  expect(foldAll(facts)).toEqual(turns);
  expect(turns.flatMap((turn) => turn.misfits)).toEqual([]);
}
