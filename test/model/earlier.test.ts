import { expect, it, onTestFinished } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import { type EarlierAsk, earlierMachine } from '../../machines/earlier.machine.ts';
import type { EarlierSessions } from '../../src/wire/snapshot.ts';

type Asked = EarlierAsk & { readonly cursor: string | null };

/** The machine over a gateway that answers when the test says so. */
function looking() {
  const asked: (Asked & PromiseWithResolvers<EarlierSessions> & { readonly signal: AbortSignal })[] = [];
  const list = fromPromise<EarlierSessions, Asked>(({ input, signal }) => {
    const answer = Promise.withResolvers<EarlierSessions>();
    asked.push({ ...input, ...answer, signal });
    return answer.promise;
  });
  const actor = createActor(earlierMachine.provide({ actors: { list } }));
  actor.start();
  onTestFinished(() => void actor.stop());
  const stands = () => {
    const { value, context } = actor.getSnapshot();
    return [value, context.sessions.map(({ id }) => id), context.next, context.problem];
  };
  return { actor, asked, stands };
}

const page = (ids: readonly string[], next?: string): EarlierSessions => ({
  sessions: ids.map((id) => ({ id, cwd: '/w' })),
  ...(next !== undefined && { next }),
});
const settled = () => new Promise((resolve) => setImmediate(resolve));

it('shows page after page, each session once', async () => {
  const { actor, asked, stands } = looking();
  actor.send({ type: 'more' });
  expect(asked).toEqual([]);
  actor.send({ type: 'ask', ask: { agent: 'a', cwd: '/w' } });
  expect(asked[0]).toMatchObject({ agent: 'a', cwd: '/w', cursor: null });
  asked[0]?.resolve(page(['1', '2'], 'c'));
  await settled();
  expect(stands()).toEqual(['shown', ['1', '2'], 'c', null]);
  actor.send({ type: 'more' });
  expect(asked[1]).toMatchObject({ agent: 'a', cwd: '/w', cursor: 'c' });
  asked[1]?.resolve(page(['2', '3']));
  await settled();
  expect(stands()).toEqual(['shown', ['1', '2', '3'], null, null]);
  actor.send({ type: 'more' });
  expect(asked).toHaveLength(2);
});

it('a page that failed keeps those before it, and is asked for again', async () => {
  const { actor, asked, stands } = looking();
  actor.send({ type: 'ask', ask: { agent: 'a' } });
  asked[0]?.resolve(page(['1'], 'c'));
  await settled();
  actor.send({ type: 'more' });
  asked[1]?.reject(new Error('gone'));
  await settled();
  expect(stands()).toEqual(['failed', ['1'], 'c', 'gone']);
  actor.send({ type: 'retry' });
  expect(stands()).toEqual(['loading', ['1'], 'c', null]);
  expect(asked[2]).toMatchObject({ cursor: 'c' });
});

it('the last question counts: an answer to one before it changes nothing (C30)', async () => {
  const { actor, asked, stands } = looking();
  actor.send({ type: 'ask', ask: { agent: 'a' } });
  actor.send({ type: 'ask', ask: { agent: 'b' } });
  expect(asked[0]?.signal.aborted).toBe(true);
  asked[0]?.resolve(page(['of-a'], 'c'));
  await settled();
  expect(stands()).toEqual(['loading', [], null, null]);
  asked[1]?.resolve(page(['of-b']));
  await settled();
  expect(stands()).toEqual(['shown', ['of-b'], null, null]);
  actor.send({ type: 'ask', ask: { agent: 'a' } });
  expect(stands()).toEqual(['loading', [], null, null]);
});

it('when nobody looks any more, nothing is waited for', async () => {
  const { actor, asked, stands } = looking();
  actor.send({ type: 'ask', ask: { agent: 'a' } });
  actor.send({ type: 'leave' });
  expect(asked[0]?.signal.aborted).toBe(true);
  asked[0]?.resolve(page(['1']));
  await settled();
  expect(stands()).toEqual(['idle', [], null, null]);
});

it('has asked nobody at first, and says so when there is nothing to ask with', async () => {
  const actor = createActor(earlierMachine).start();
  expect(actor.getSnapshot().value).toBe('idle');
  expect(actor.getSnapshot().context).toEqual({
    ask: { agent: '' },
    sessions: [],
    next: null,
    problem: null,
  });
  actor.send({ type: 'ask', ask: { agent: 'a' } });
  await settled();
  expect(actor.getSnapshot().context.problem).toBe('the list actor was not provided');
  actor.stop();
});
