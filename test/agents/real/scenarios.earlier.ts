import assert from 'node:assert/strict';
import type { EarlierSessions, SessionSnapshot } from '../../../src/wire/snapshot.ts';
import { finished, kill, running, type Scenario } from './steps.ts';
import { nextScene, Talk } from './talk.ts';

/** What was said before, here or elsewhere. */
export const earlier: readonly Scenario[] = [
  {
    name: 'background job knows the conversation',
    alone: true,
    async run({ gateway, model }, talk) {
      const first = nextScene();
      await finished(talk, await talk.say('answer', first));
      const scene = nextScene();
      await talk.say('answer', scene, 'background');
      const { job, outcome } = await talk.first('job.settled');
      assert.equal(outcome, 'finalized');
      const asked = String(model.asked(scene));
      assert.ok(asked.includes(`answer ${first}`), 'the job does not know what was said before');
      const done = Talk.join(gateway, job);
      await done.ended('t2').finally(() => done.close());
      const told = done.turn('t2').parts.find((part) => part.type === 'notice');
      return told?.type === 'notice'
        ? 'does not fork: the job gets the earlier turns as text, and says so'
        : undefined;
    },
  },
  {
    name: 'earlier session, listed and continued (A1, A8)',
    alone: true,
    async run(world, talk) {
      const { agent, gateway, model } = world;
      const first = nextScene();
      await finished(talk, await talk.say('answer', first));
      const cut = await running(world, talk);
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
      assert.deepEqual([one?.imported, one?.outcome], [true, 'finalized']);
      // An agent that is killed at once may not have written down yet that it was asked: that is between it and its disk.
      if (two) assert.deepEqual([two.imported, two.outcome !== undefined], [true, true]);
      assert.ok(!JSON.stringify(made.turns).includes('<system'), 'hidden text is shown');
      const later = Talk.join(gateway, made.id);
      const scene = nextScene();
      try {
        await finished(later, await later.say('answer', scene));
        later.check();
      } finally {
        await later.leave();
      }
      const asked = String(model.asked(scene));
      assert.ok(asked.includes(`answer ${first}`), 'the agent does not know what was said before');
      if (!two) return 'had not kept the turn in which it was killed';
      return two.outcome === 'interrupted' ? undefined : 'closes the command that was cut by itself';
    },
  },
];
