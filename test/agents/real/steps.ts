import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FactOf } from '../../../src/wire/facts.ts';
import type { ToolPart } from '../../../src/wire/turn.ts';
import type { GatewayProcess } from '../../support/process-gateway.ts';
import type { Play } from './model.ts';
import type { Driven, Talk } from './talk.ts';

/** What stands behind the agent, as far as a scenario has a hand in it. */
export interface Behind {
  gate(scene: string): { readonly reached: Promise<void>; open(): void };
  /** In a replay: resolves when the agent has said what it had said at this point. */
  caughtUp?(): Promise<void>;
  /** What the model was asked in a scene, as JSON; undefined where there is no model. */
  asked(scene: string): string | undefined;
}

export interface World {
  readonly agent: Driven;
  readonly gateway: GatewayProcess;
  readonly model: Behind;
  /** False when a recorded program answers: it says what it said, and does nothing. */
  readonly real: boolean;
  /** Milliseconds that something may take which some agents never do. */
  readonly patience: number;
}

export interface Scenario {
  readonly name: string;
  /** Needs a conversation of its own. */
  readonly alone?: true;
  /** Resolves with a remark when the agent itself does something odd: what the user sees then. Throws what is our fault. */
  readonly run: (world: World, talk: Talk) => Promise<string | undefined>;
}

export async function finished(talk: Talk, turn: string): Promise<FactOf<'turn.ended'>> {
  const end = await talk.ended(turn);
  assert.equal(end.outcome, 'finalized', end.error?.message);
  return end;
}

/** Plays a scene to its end, and checks that it ended well. */
export async function played(talk: Talk, play: Play): Promise<string> {
  const turn = await talk.say(play);
  await finished(talk, turn);
  return turn;
}

export async function choose(talk: Talk, kind: string, turn?: string): Promise<void> {
  const asked = await talk.first('permission.asked', (fact) => turn === undefined || fact.turn === turn);
  const option = asked.options.find((one) => one.kind === kind);
  assert.ok(option, `no option ${kind} among ${asked.options.map((one) => one.kind).join(', ')}`);
  await talk.answer(asked.permission, option.optionId);
}

/** Allows it, where the agent asks. */
export async function allowed({ patience }: World, talk: Talk, turn: string): Promise<void> {
  await talk.first('tool.started', (fact) => fact.turn === turn);
  const asked = talk.first('permission.asked', (fact) => fact.turn === turn, patience).catch(() => undefined);
  const ends = talk.first('tool.finished', (fact) => fact.turn === turn).catch(() => undefined);
  const first = await Promise.race([asked, ends]);
  if (first?.type === 'permission.asked') await choose(talk, 'allow_once', turn);
}

/** A command that runs. */
export async function running(world: World, talk: Talk): Promise<string> {
  const turn = await talk.say('long shell');
  await allowed(world, talk, turn);
  return turn;
}

export function toolsOf(talk: Talk, turn: string): ToolPart[] {
  return talk.turn(turn).parts.filter((part) => part.type === 'tool');
}

export async function stopped({ model }: World, talk: Talk, turn: string): Promise<undefined> {
  await model.caughtUp?.();
  await talk.stop(turn);
  const end = await talk.ended(turn, 20_000);
  assert.equal(end.outcome, 'cancelled');
  // The conversation goes on, with the same program or a new one.
  await played(talk, 'answer');
  return undefined;
}

/** SIGKILL to the program of this conversation, as the gateway has recorded it. */
export function kill({ gateway }: World, talk: Talk): void {
  const directory = join(gateway.data, 'processes');
  const records = readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .map(
      (file) => JSON.parse(readFileSync(join(directory, file), 'utf8')) as { session: string; pgid: number },
    );
  const mine = records.filter(({ session }) => session === talk.id);
  assert.ok(mine.length > 0, 'the gateway has no record of the program');
  for (const { pgid } of mine) process.kill(-pgid, 'SIGKILL');
}

export async function died(world: World, talk: Talk, turn: string): Promise<undefined> {
  await world.model.caughtUp?.();
  kill(world, talk);
  const end = await talk.ended(turn, 10_000);
  assert.equal(end.outcome, 'failed');
  assert.equal(end.error?.code, 'agent.exited');
  await played(talk, 'answer');
  const unasked = talk.told.filter((fact) => fact.type === 'turn.started' && fact.origin === 'agent');
  assert.deepEqual(unasked, [], 'what the agent replays is shown as new');
  return undefined;
}

/** Resolves when it holds; an error that says what does not, when it never does. */
export async function comes(what: string, holds: () => boolean, ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`${what}: not within ${ms / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Command lines of living processes, where the system tells (Linux). */
export function commandLines(): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return []; // It has ended meanwhile.
    }
  });
}
