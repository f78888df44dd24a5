import assert from 'node:assert/strict';
import { allowed, choose, finished, played, type Scenario, toolsOf, type World } from './steps.ts';
import type { Talk } from './talk.ts';

/** Starts a command in the background; undefined when the agent has none. */
async function begun(world: World, talk: Talk, play: 'later' | 'later asks'): Promise<string | undefined> {
  const turn = await talk.say(play);
  await Promise.race([allowed(world, talk, turn), talk.ended(turn)]);
  await finished(talk, turn);
  return toolsOf(talk, turn).length > 0 ? turn : undefined;
}

const none = 'runs no command in the background';

/** What agents do when nobody asked them. */
export const unasked: readonly Scenario[] = [
  {
    name: 'command in the background, told when it is over (A7)',
    alone: true,
    async run(world, talk) {
      const turn = await begun(world, talk, 'later');
      if (turn === undefined) return none;
      const woken = await talk
        .first('turn.started', (fact) => fact.origin === 'agent', world.patience * 2)
        .catch(() => undefined);
      if (woken) {
        await finished(talk, woken.turn);
        assert.match(talk.text(woken.turn), /It is done\./);
      }
      await played(talk, 'answer');
      return woken ? undefined : 'tells nothing of its end: nothing is shown, the next message is answered';
    },
  },
  {
    name: 'question that nobody waits for (A6)',
    alone: true,
    async run(world, talk) {
      const turn = await begun(world, talk, 'later asks');
      if (turn === undefined) return none;
      const asked = await talk
        .first('permission.asked', (fact) => fact.turn !== turn, world.patience * 2)
        .catch(() => undefined);
      if (!asked) {
        await played(talk, 'answer');
        return 'asks nothing: nothing is shown, the next message is answered';
      }
      assert.equal(talk.turn(asked.turn).origin, 'agent');
      assert.equal(toolsOf(talk, asked.turn).length, 1, 'the question has no card of what it is about');
      await choose(talk, 'allow_once', asked.turn);
      await talk.ended(asked.turn);
      await played(talk, 'answer');
      return undefined;
    },
  },
];
