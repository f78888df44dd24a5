import { onTestFinished } from 'vitest';
import type { Limits } from '../../machines/runner.types.ts';
import type { AcpAgent, AcpOptions } from '../../src/agents/acp/options.ts';
import type { Fact, FactOf } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { Double, type DoubleOptions, type DoubleStep, openGate, play } from '../support/acp-double.ts';
import { type Followed, type Local, localGateway } from '../support/local-gateway.ts';

export interface Bench {
  readonly double: Double;
  readonly local: Local;
  readonly followed: Followed;
  /** Sends a message that plays these steps; resolves with the turn's id. */
  send(steps: readonly DoubleStep[] | string): Promise<string>;
  ended(turn: string): Promise<FactOf<'turn.ended'>>;
  /** Sends, and waits for the end. */
  run(steps: readonly DoubleStep[] | string): Promise<Turn>;
  turn(id: string): Promise<Turn>;
  first<T extends Fact['type']>(type: T, fits?: (fact: FactOf<T>) => boolean): Promise<FactOf<T>>;
  open(gate: string): void;
}

/** A gateway with the scripted agent, and a conversation with it. */
export async function bench(
  options: DoubleOptions = {},
  agent: Partial<AcpAgent> = {},
  more: { readonly acp?: Partial<AcpOptions>; readonly limits?: Partial<Limits> } = {},
): Promise<Bench> {
  const double = new Double(options, agent, more.acp);
  onTestFinished(() => double.remove());
  const limits = { stall: 60_000, cancel: 2_000, terminate: 300, kill: 300, quiet: 150, ...more.limits };
  const local = await localGateway({ connectors: [double.connector], limits });
  onTestFinished(() => local.close());
  await local.gateway.create({ id: 's', agent: double.connector.id });
  const followed = await local.follow('s');
  let messages = 0;
  const turn = async (id: string) => {
    const found = foldAll((await local.log.read('s', 0)) as Fact[]).find((one) => one.id === id);
    if (!found) throw new Error(`no turn ${id}`);
    return found;
  };
  const send = async (steps: readonly DoubleStep[] | string) => {
    messages += 1;
    const id = `m${messages}`;
    const content = [{ type: 'text' as const, text: String(steps) }];
    const message = typeof steps === 'string' ? { id, content } : play(id, steps);
    return String((await local.gateway.send('s', message)).turn);
  };
  const first: Bench['first'] = async (type, fits = () => true) =>
    (await followed.until((f) => f.type === type && fits(f as never))) as never;
  const ended = (id: string) => first('turn.ended', (fact) => fact.turn === id);
  return {
    double,
    local,
    followed,
    send,
    ended,
    turn,
    first,
    open: (gate) => openGate(local.directory, gate),
    async run(steps) {
      const id = await send(steps);
      await ended(id);
      return turn(id);
    },
  };
}

export function textOf(turn: Turn): string {
  return turn.parts.flatMap((part) => (part.type === 'text' ? part.text : [])).join('');
}
