import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FactOf } from '../../../src/wire/facts.ts';
import type { EarlierSessions, SessionSnapshot } from '../../../src/wire/snapshot.ts';
import type { GatewayProcess } from '../../support/process-gateway.ts';
import type { RealAgent } from './agents.ts';
import type { Play, ScriptedModel } from './model.ts';
import { nextScene, Talk } from './talk.ts';

export interface World {
  readonly agent: RealAgent;
  readonly gateway: GatewayProcess;
  readonly model: ScriptedModel;
}

export interface Scenario {
  readonly name: string;
  /** Resolves with a remark when the agent itself does something odd: what the user sees then. Throws what is our fault. */
  readonly run: (world: World, talk: Talk) => Promise<string | undefined>;
}

async function finished(talk: Talk, turn: string): Promise<FactOf<'turn.ended'>> {
  const end = await talk.ended(turn);
  assert.equal(end.outcome, 'finalized', end.error?.message);
  return end;
}

/** Plays a scene to its end, and checks that it ended well. */
async function played(talk: Talk, play: Play): Promise<string> {
  const turn = await talk.say(play);
  await finished(talk, turn);
  return turn;
}

async function choose(talk: Talk, kind: string): Promise<void> {
  const asked = await talk.first('permission.asked');
  const option = asked.options.find((one) => one.kind === kind);
  assert.ok(option, `no option ${kind} among ${asked.options.map((one) => one.kind).join(', ')}`);
  await talk.answer(asked.permission, option.optionId);
}

/** A command that runs: allowed, where the agent asks. */
async function running(talk: Talk): Promise<string> {
  const turn = await talk.say('long shell');
  await talk.first('tool.started');
  const asked = await talk.first('permission.asked', () => true, 5_000).catch(() => undefined);
  if (asked) await choose(talk, 'allow_once');
  return turn;
}

function toolsOf(talk: Talk, turn: string) {
  return talk.turn(turn).parts.filter((part) => part.type === 'tool');
}

async function stopped(talk: Talk, turn: string): Promise<undefined> {
  await talk.stop(turn);
  const end = await talk.ended(turn, 20_000);
  assert.equal(end.outcome, 'cancelled');
  // The conversation goes on, with the same program or a new one.
  await played(talk, 'answer');
  return undefined;
}

/** SIGKILL to the program of this conversation, as the gateway has recorded it. */
function kill({ gateway }: World, talk: Talk): void {
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

async function died(world: World, talk: Talk, turn: string): Promise<undefined> {
  kill(world, talk);
  const end = await talk.ended(turn, 10_000);
  assert.equal(end.outcome, 'failed');
  assert.equal(end.error?.code, 'agent.exited');
  await played(talk, 'answer');
  return undefined;
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'text, then a second turn',
    async run(_, talk) {
      const turn = await played(talk, 'answer');
      assert.equal(talk.text(turn), 'Hello world.');
      await played(talk, 'answer');
      return undefined;
    },
  },
  {
    name: 'usage of the turn (A4)',
    async run(_, talk) {
      const turn = await played(talk, 'answer');
      const told = await talk
        .first('usage.updated', (fact) => fact.turn === turn, 5_000)
        .catch(() => undefined);
      if (!told) return 'reports none';
      const end = talk.facts.findIndex((fact) => fact.type === 'turn.ended');
      const usage = talk.facts.findIndex((fact) => fact.type === 'usage.updated');
      return usage > end ? 'comes after the end: kept for its turn' : undefined;
    },
  },
  {
    name: 'thought',
    async run(_, talk) {
      const turn = await played(talk, 'thought');
      assert.ok(talk.turn(turn).parts.some((part) => part.type === 'thought' && part.text.includes('Hm.')));
      assert.equal(talk.text(turn), 'Hello world.');
      return undefined;
    },
  },
  {
    name: 'command, allowed',
    async run(_, talk) {
      const turn = await talk.say('shell');
      await choose(talk, 'allow_once');
      await finished(talk, turn);
      const [tool] = toolsOf(talk, turn);
      assert.ok(tool, 'no tool');
      const shown = JSON.stringify(tool);
      assert.match(shown, /from-the-shell/);
      return tool.status === 'completed' ? undefined : `is said to have ${tool.status}: shown so (A12)`;
    },
  },
  {
    name: 'command, refused',
    async run(_, talk) {
      const turn = await talk.say('shell');
      await choose(talk, 'reject_once');
      const end = await talk.ended(turn);
      assert.ok(toolsOf(talk, turn).every((tool) => tool.status !== 'completed'));
      return end.outcome === 'finalized' ? undefined : `ends the turn: ${end.outcome}`;
    },
  },
  {
    name: 'file written, with a diff',
    async run({ gateway }, talk) {
      const turn = await talk.say('write');
      await choose(talk, 'allow_once');
      await finished(talk, turn);
      assert.equal(readFileSync(join(gateway.root, 'hello.txt'), 'utf8').trim(), 'hello');
      const diff = toolsOf(talk, turn).some((tool) => tool.content.some((one) => one.type === 'diff'));
      return diff ? undefined : 'sends no diff: the call is shown with its arguments';
    },
  },
  {
    name: 'queue: one prompt at a time (A3)',
    async run({ model }, talk) {
      const scene = nextScene();
      const first = await talk.say('held text', scene);
      await talk.first('text.added');
      await talk.say('answer');
      await talk.say('answer');
      model.gate(scene).open();
      await finished(talk, first);
      await talk.first('turn.ended', (fact) => fact.turn !== first);
      const ends = () => talk.facts.filter((fact) => fact.type === 'turn.ended');
      await talk.first('turn.ended', () => ends().length === 3);
      assert.ok(ends().every((fact) => fact.type === 'turn.ended' && fact.outcome === 'finalized'));
      return undefined;
    },
  },
  {
    name: 'stop before the agent is up',
    run: async (_, talk) => stopped(talk, await talk.say('answer')),
  },
  {
    name: 'stop before the first word',
    async run({ model }, talk) {
      await played(talk, 'answer');
      const scene = nextScene();
      const turn = await talk.say('held silence', scene);
      await model.gate(scene).reached;
      return stopped(talk, turn);
    },
  },
  {
    name: 'stop in text',
    async run(_, talk) {
      const turn = await talk.say('held text');
      await talk.first('text.added');
      await stopped(talk, turn);
      assert.equal(talk.text(turn), 'Hello ');
      return undefined;
    },
  },
  {
    name: 'stop in a command',
    async run(_, talk) {
      return stopped(talk, await running(talk));
    },
  },
  {
    name: 'stop in a permission (A5)',
    async run(_, talk) {
      const turn = await talk.say('shell');
      await talk.first('permission.asked');
      await stopped(talk, turn);
      assert.ok(toolsOf(talk, turn).every((tool) => tool.status === 'failed' || tool.status === 'refused'));
      return undefined;
    },
  },
  {
    name: 'SIGKILL in text (A8)',
    async run(world, talk) {
      const turn = await talk.say('held text');
      await talk.first('text.added');
      await died(world, talk, turn);
      assert.equal(talk.text(turn), 'Hello ');
      return undefined;
    },
  },
  {
    name: 'SIGKILL in a command',
    async run(world, talk) {
      return died(world, talk, await running(talk));
    },
  },
  {
    name: 'SIGKILL in a permission',
    async run(world, talk) {
      const turn = await talk.say('shell');
      await talk.first('permission.asked');
      return died(world, talk, turn);
    },
  },
  {
    name: 'model fails again and again (A2)',
    async run(_, talk) {
      const turn = await talk.say('broken');
      const told = await Promise.race([
        talk.first('turn.watching', (fact) => fact.mode === 'silent'),
        talk.ended(turn),
      ]);
      if (told.type === 'turn.ended')
        return `ends ${told.outcome}: ${told.error?.message ?? told.stopReason}`;
      await talk.stop(turn);
      assert.equal((await talk.ended(turn, 20_000)).outcome, 'cancelled');
      return 'says nothing: shown as silent, and can be stopped';
    },
  },
  {
    name: 'stream cut without an end (A1)',
    async run(_, talk) {
      const turn = await talk.say('cut');
      const end = await talk.ended(turn, 20_000).catch(() => undefined);
      if (!end) await stopped(talk, turn);
      const text = talk.text(turn);
      return `${end ? `ends ${end.outcome}` : 'tries for ever: stopped'}; the row has ${JSON.stringify(text.slice(0, 40))}`;
    },
  },
  {
    name: 'empty answer (A16)',
    async run(_, talk) {
      const turn = await talk.say('nothing');
      const end = await talk.ended(turn, 30_000).catch(() => undefined);
      if (!end) await stopped(talk, turn);
      return end ? `ends ${end.outcome}, ${end.stopReason}` : 'never ends: can be stopped';
    },
  },
  {
    name: 'answer cut by its length (A16)',
    async run(_, talk) {
      const turn = await talk.say('max_tokens');
      const end = await talk.ended(turn);
      return end.stopReason === 'max_tokens' ? undefined : `ends ${end.outcome}, ${end.stopReason}`;
    },
  },
  {
    name: 'command of the agent (A10)',
    async run(_, talk) {
      const turn = await talk.say({ words: '/help' });
      const end = await talk.ended(turn);
      await played(talk, 'answer');
      return end.outcome === 'finalized' ? undefined : `ends ${end.outcome}: ${end.error?.message}`;
    },
  },
  {
    name: 'gateway killed and started again',
    async run({ gateway, model }, talk) {
      await played(talk, 'answer');
      await gateway.end('SIGKILL');
      await gateway.start();
      const scene = nextScene();
      const turn = await talk.say('answer', scene);
      await finished(talk, turn);
      const sent = JSON.stringify(model.requests(scene).map((one) => one.messages));
      assert.match(sent, /Hello world\./, 'the agent does not remember the first answer');
      const given = talk
        .turn(turn)
        .parts.some((p) => p.type === 'notice' && p.code === 'agent.context_given');
      return given ? 'does not remember: the earlier turns were given, and a notice says so' : undefined;
    },
  },
  {
    name: 'two conversations at once',
    async run({ gateway, agent, model }, talk) {
      const other = await Talk.begin(gateway, agent);
      const scene = nextScene();
      const [mine, theirs] = await Promise.all([talk.say('held text'), other.say('held text', scene)]);
      await Promise.all([talk.first('text.added'), other.first('text.added')]);
      await stopped(talk, mine);
      model.gate(scene).open();
      await finished(other, theirs);
      assert.equal(other.text(theirs), 'Hello world.');
      other.check();
      other.leave();
      return undefined;
    },
  },
  {
    name: 'background job beside a turn',
    async run({ model }, talk) {
      const scene = nextScene();
      await talk.say('held text', scene, 'background');
      await played(talk, 'answer');
      model.gate(scene).open();
      assert.equal((await talk.first('job.settled')).outcome, 'finalized');
      return undefined;
    },
  },
  {
    name: 'background job knows the conversation',
    async run({ gateway, model }, talk) {
      const first = nextScene();
      await finished(talk, await talk.say('answer', first));
      const scene = nextScene();
      await talk.say('answer', scene, 'background');
      const { job, outcome } = await talk.first('job.settled');
      assert.equal(outcome, 'finalized');
      const asked = JSON.stringify(model.requests(scene));
      assert.ok(asked.includes(`answer ${first}`), 'the job does not know what was said before');
      const done = Talk.join(gateway, job);
      await done.ended('t2').finally(() => done.leave());
      const told = done.turn('t2').parts.find((part) => part.type === 'notice');
      return told?.type === 'notice'
        ? 'does not fork: the job gets the earlier turns as text, and says so'
        : undefined;
    },
  },
  {
    name: 'earlier session, listed and continued (A1, A8)',
    async run(world, talk) {
      const { agent, gateway, model } = world;
      const first = nextScene();
      await finished(talk, await talk.say('answer', first));
      const cut = await running(talk);
      kill(world, talk);
      await talk.ended(cut, 20_000);
      const { agentSession } = await gateway.call<SessionSnapshot>('GET', `/api/sessions/${talk.id}`);
      // As if another program had had it: here it is not known any more.
      await gateway.call('DELETE', `/api/sessions/${talk.id}`);
      const where = `cwd=${encodeURIComponent(gateway.root)}`;
      const page = await gateway
        .call<EarlierSessions>('GET', `/api/agents/${agent.id}/sessions?${where}`)
        .catch((error: { readonly text?: string }) => String(error.text));
      if (typeof page === 'string') return String((JSON.parse(page) as { detail: string }).detail);
      const listed = page.sessions.find(({ id }) => id === agentSession);
      assert.ok(listed, `${agentSession} is not among ${page.sessions.map(({ id }) => id).join(', ')}`);
      assert.equal(listed.session, undefined);
      const body = { agent: agent.id, cwd: gateway.root, continue: agentSession };
      const made = await gateway.call<SessionSnapshot>('POST', '/api/sessions', body);
      const [one, two] = made.turns;
      assert.deepEqual([one?.imported, one?.outcome, two?.imported], [true, 'finalized', true]);
      assert.ok(two?.outcome, 'a turn of the past is open');
      assert.ok(!JSON.stringify(made.turns).includes('<system'), 'hidden text is shown');
      const later = Talk.join(gateway, made.id);
      const scene = nextScene();
      try {
        await finished(later, await later.say('answer', scene));
        later.check();
      } finally {
        later.leave();
      }
      const asked = JSON.stringify(model.requests(scene));
      assert.ok(asked.includes(`answer ${first}`), 'the agent does not know what was said before');
      return two.outcome === 'interrupted' ? undefined : 'closes the command that was cut by itself';
    },
  },
];
