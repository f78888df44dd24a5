import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { foldAll } from '../../../src/wire/fold.ts';
import { earlier } from './scenarios.earlier.ts';
import { troubles } from './scenarios.trouble.ts';
import { unasked } from './scenarios.unasked.ts';
import { allowed, choose, finished, played, type Scenario, stopped, toolsOf } from './steps.ts';
import { nextScene, Talk } from './talk.ts';

const talking: readonly Scenario[] = [
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
    name: 'commands of the agent are listed, at little weight (A9)',
    alone: true,
    async run({ patience }, talk) {
      const turn = await played(talk, 'answer');
      assert.equal(talk.text(turn), 'Hello world.');
      const listed = await talk
        .first('session.changed', ({ commands = [] }) => commands.length > 0, patience)
        .catch(() => undefined);
      const weight = JSON.stringify(talk.told).length;
      assert.ok(weight < 200_000, `the log of two words weighs ${weight} characters`);
      return listed ? undefined : 'lists none';
    },
  },
  {
    name: 'usage of the turn (A4)',
    async run({ patience }, talk) {
      const turn = await played(talk, 'answer');
      const used = await talk
        .first('usage.updated', (fact) => fact.turn === turn, patience)
        .catch(() => undefined);
      if (!used) return 'reports none';
      const end = talk.told.findIndex((fact) => fact.type === 'turn.ended');
      const usage = talk.told.findIndex((fact) => fact.type === 'usage.updated' && fact.turn === turn);
      return usage > end ? 'comes after the end: kept for its turn' : undefined;
    },
  },
  {
    name: 'thought (A13)',
    async run(_, talk) {
      const turn = await played(talk, 'thought');
      const thoughts = talk.turn(turn).parts.flatMap((part) => (part.type === 'thought' ? part.text : []));
      assert.deepEqual(
        thoughts.map((text) => text.trim()),
        ['Hm.'],
      );
      assert.equal(talk.text(turn), 'Hello world.');
      return undefined;
    },
  },
  {
    name: 'command, allowed (A12)',
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
    name: 'command that fails, with its exit code (A12)',
    async run(world, talk) {
      const turn = await talk.say('failing shell');
      await allowed(world, talk, turn);
      await finished(talk, turn);
      const [tool] = toolsOf(talk, turn);
      assert.ok(tool, 'no tool');
      assert.match(JSON.stringify(tool), /went-wrong/);
      if (tool.exitCode === 3) return undefined;
      return `tells no exit code: the call is shown as ${tool.status}, with what it printed`;
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
    async run({ gateway, real }, talk) {
      const turn = await talk.say('write');
      await choose(talk, 'allow_once');
      await finished(talk, turn);
      if (real) assert.equal(readFileSync(join(gateway.root, 'hello.txt'), 'utf8').trim(), 'hello');
      const diff = toolsOf(talk, turn).some((tool) => tool.content.some((one) => one.type === 'diff'));
      return diff ? undefined : 'sends no diff: the call is shown with its arguments';
    },
  },
  {
    name: 'long arguments, told as they grow (A13)',
    async run(_, talk) {
      const turn = await talk.say('long write');
      await choose(talk, 'allow_once');
      await finished(talk, turn);
      const [tool] = toolsOf(talk, turn);
      const whole = JSON.stringify(tool).replaceAll('\\', '');
      assert.match(whole, /line 1 of it.*line 80 of it/, 'the arguments are not whole');
      const weight = JSON.stringify(talk.told.filter(({ type }) => type.startsWith('tool.'))).length;
      assert.ok(weight < 40_000, `1.2 kB of arguments weigh ${weight} characters in the log`);
      return undefined;
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
      const ends = () => talk.told.filter((fact) => fact.type === 'turn.ended');
      await talk.first('turn.ended', () => ends().length === 3);
      assert.ok(ends().every((fact) => fact.type === 'turn.ended' && fact.outcome === 'finalized'));
      return undefined;
    },
  },
  {
    name: 'guidance into a running turn (A11)',
    async run({ model }, talk) {
      const scene = nextScene();
      const turn = await talk.say('shell', scene);
      await talk.first('permission.asked');
      await talk.say({ words: 'Be brief, please.' }, scene, 'steer');
      await choose(talk, 'allow_once');
      await finished(talk, turn);
      const taken = talk.told.find((fact) => fact.type === 'turn.steered');
      if (!taken) {
        const next = await talk.first('turn.started', (fact) => fact.turn !== turn);
        await talk.ended(next.turn);
        return 'does not take any: it is the next message';
      }
      const asked = model.asked(scene);
      assert.ok(asked === undefined || asked.includes('Be brief, please.'), 'the model was not told');
      return undefined;
    },
  },
  {
    name: 'reload in the middle of an answer (I6)',
    async run({ gateway, model }, talk) {
      const scene = nextScene();
      const turn = await talk.say('held text', scene);
      await talk.first('text.added');
      const again = Talk.join(gateway, talk.id);
      await again.first('text.added', (fact) => fact.turn === turn);
      assert.equal(again.text(turn), 'Hello ');
      model.gate(scene).open();
      await finished(talk, turn);
      await again.ended(turn);
      assert.deepEqual(foldAll(again.facts).at(-1), talk.turn(turn));
      again.close();
      return undefined;
    },
  },
  {
    name: 'two conversations at once (I8)',
    async run(world, talk) {
      const { gateway, agent, model } = world;
      const other = await Talk.begin(gateway, agent);
      const scene = nextScene();
      const [mine, theirs] = await Promise.all([talk.say('held text'), other.say('held text', scene)]);
      await Promise.all([talk.first('text.added'), other.first('text.added')]);
      await stopped(world, talk, mine);
      model.gate(scene).open();
      await finished(other, theirs);
      assert.equal(other.text(theirs), 'Hello world.');
      other.check();
      await other.leave();
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
];

export const scenarios: readonly Scenario[] = [...talking, ...unasked, ...earlier, ...troubles];
