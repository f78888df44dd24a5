import assert from 'node:assert/strict';
import {
  allowed,
  comes,
  commandLines,
  died,
  finished,
  played,
  running,
  type Scenario,
  stopped,
  toolsOf,
} from './steps.ts';
import { nextScene } from './talk.ts';

const stops: readonly Scenario[] = [
  {
    name: 'stop before the agent is up (I5)',
    alone: true,
    run: async (world, talk) => stopped(world, talk, await talk.say('answer')),
  },
  {
    name: 'stop before the first word (I5)',
    async run(world, talk) {
      const scene = nextScene();
      const turn = await talk.say('held silence', scene);
      await world.model.gate(scene).reached;
      return stopped(world, talk, turn);
    },
  },
  {
    name: 'stop in text (I4)',
    async run(world, talk) {
      const turn = await talk.say('held text');
      await talk.first('text.added');
      await stopped(world, talk, turn);
      assert.equal(talk.text(turn), 'Hello ');
      return undefined;
    },
  },
  {
    name: 'stop in a command (I12)',
    run: async (world, talk) => stopped(world, talk, await running(world, talk)),
  },
  {
    name: 'stop in a permission (A5)',
    async run(world, talk) {
      const turn = await talk.say('shell');
      await talk.first('permission.asked');
      await stopped(world, talk, turn);
      assert.ok(toolsOf(talk, turn).every((tool) => tool.status === 'failed' || tool.status === 'refused'));
      return undefined;
    },
  },
];

const kills: readonly Scenario[] = [
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
    name: 'SIGKILL in a command, nothing left behind (A15)',
    async run(world, talk) {
      // A number that no other command on this machine has.
      const seconds = `300.${process.pid}${nextScene().slice(1)}`;
      const turn = await talk.say(`long shell ${seconds}`);
      await allowed(world, talk, turn);
      const runs = () => commandLines().some((line) => line.includes(`sleep ${seconds}`));
      if (world.real) await comes('the command runs', runs, 20_000);
      await died(world, talk, turn);
      if (world.real) await comes('the command that it had started ends', () => !runs());
      return undefined;
    },
  },
  {
    name: 'SIGKILL in a permission (A8)',
    async run(world, talk) {
      const turn = await talk.say('shell');
      await talk.first('permission.asked');
      return died(world, talk, turn);
    },
  },
  {
    name: 'gateway killed and started again (A14)',
    async run({ gateway, model }, talk) {
      await played(talk, 'answer');
      await gateway.end('SIGKILL');
      await gateway.start();
      const scene = nextScene();
      const turn = await talk.say('answer', scene);
      await finished(talk, turn);
      const asked = model.asked(scene);
      assert.ok(
        asked === undefined || asked.includes('Hello world.'),
        'the agent does not remember the answer',
      );
      const given = talk
        .turn(turn)
        .parts.some((p) => p.type === 'notice' && p.code === 'agent.context_given');
      return given ? 'does not remember: the earlier turns were given, and a notice says so' : undefined;
    },
  },
];

const faults: readonly Scenario[] = [
  {
    name: 'model fails again and again (A2)',
    async run({ model }, talk) {
      // It is up: its start is no silence of the model.
      await played(talk, 'answer');
      const turn = await talk.say('broken');
      const first = await Promise.race([
        talk.first('turn.watching', (fact) => fact.mode === 'silent'),
        talk.ended(turn),
      ]);
      if (first.type === 'turn.ended')
        return `ends ${first.outcome}: ${first.error?.message ?? first.stopReason}`;
      await model.caughtUp?.();
      await talk.stop(turn);
      assert.equal((await talk.ended(turn, 20_000)).outcome, 'cancelled');
      return 'says nothing: shown as silent, and can be stopped';
    },
  },
  {
    name: 'stream cut without an end (A1)',
    async run(world, talk) {
      const turn = await talk.say('cut');
      const end = await talk.ended(turn, world.patience * 3).catch(() => undefined);
      if (!end) await stopped(world, talk, turn);
      const text = talk.text(turn);
      return `${end ? `ends ${end.outcome}` : 'tries for ever: stopped'}; the row has ${JSON.stringify(text.slice(0, 40))}`;
    },
  },
  {
    name: 'empty answer (A16)',
    async run(world, talk) {
      const turn = await talk.say('nothing');
      const end = await talk.ended(turn, world.patience * 3).catch(() => undefined);
      if (!end) await stopped(world, talk, turn);
      return end ? `ends ${end.outcome}, ${end.stopReason}` : 'never ends: can be stopped';
    },
  },
  {
    name: 'only a thought (A16)',
    async run(world, talk) {
      const turn = await talk.say('only thought');
      const end = await talk.ended(turn, world.patience * 3).catch(() => undefined);
      if (!end) await stopped(world, talk, turn);
      const thought = talk.turn(turn).parts.some((part) => part.type === 'thought');
      assert.ok(thought, 'the thought is not shown');
      return end ? `ends ${end.outcome}, ${end.stopReason}` : 'never ends: can be stopped';
    },
  },
  {
    name: 'answer refused by the model (A16)',
    async run(world, talk) {
      const turn = await talk.say('refusal');
      const end = await talk.ended(turn, world.patience * 3).catch(() => undefined);
      if (!end) await stopped(world, talk, turn);
      if (!end) return 'never ends: can be stopped';
      return end.stopReason === 'refusal' ? undefined : `ends ${end.outcome}, ${end.stopReason}`;
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
];

export const troubles: readonly Scenario[] = [...stops, ...kills, ...faults];
