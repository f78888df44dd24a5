import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bench, Problem, type Request, settled } from '../support/outbox.bench.ts';

type Fate = 'answered' | 'lost answer' | 'not delivered' | 'unavailable';

const network = () => new TypeError('Failed to fetch');
const fates: readonly Fate[] = ['answered', 'lost answer', 'not delivered', 'unavailable'];

function meet(bench: Bench, request: Request, fate: Fate): void {
  if (fate === 'not delivered') return request.fail(network());
  if (fate === 'unavailable') return request.fail(new Problem(503, 'log.unavailable'));
  const posted = bench.ledger.take(request.entry);
  if (fate === 'answered') request.answer(posted);
  else request.fail(network());
}

/** The network is sound from here on: everything that is owed arrives, and every page hears of it. */
async function soundly(bench: Bench): Promise<void> {
  for (let round = 0; round < 200; round++) {
    for (const request of bench.pending) meet(bench, request, 'answered');
    await settled();
    for (const tab of bench.tabs.keys()) bench.deliver(tab);
    const busy = bench.tabs.some((tab) => tab.getSnapshot().value !== 'resting');
    if (!busy && bench.pending.length === 0) return;
    bench.clock.advance(bench.clock.next ?? 0);
  }
  throw new Error('the outbox never came to rest');
}

const tab = fc.integer({ min: 0, max: 1 });
const at = fc.nat({ max: 20 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('send' as const), tab, session: fc.constantFrom('a', 'b') }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('meet' as const), at, fate: fc.constantFrom(...fates) }),
  },
  // A request whose page has given up waiting may still arrive.
  { weight: 1, arbitrary: fc.record({ do: fc.constant('arrive late' as const), at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reload' as const), tab }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('facts' as const), tab }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), tab, at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wake' as const), tab }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
  },
);

describe('any schedule of the outbox', () => {
  it('gets each message accepted once and in order: lost answers, reloads, offline, two pages (I9)', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const bench = new Bench();
        bench.open(0);
        bench.open(1);
        const asked: { readonly id: string; readonly from: string }[] = [];
        for (const one of steps) {
          if (one.do === 'send') {
            asked.push({ id: bench.send(one.session, one.tab), from: `${one.tab} ${one.session}` });
          } else if (one.do === 'meet') {
            const request = bench.pending[one.at % Math.max(1, bench.pending.length)];
            if (request) meet(bench, request, one.fate);
          } else if (one.do === 'arrive late') {
            const late = bench.requests.filter((request) => !request.open);
            const request = late[one.at % Math.max(1, late.length)];
            if (request) bench.ledger.take(request.entry);
          } else if (one.do === 'reload') bench.open(one.tab);
          else if (one.do === 'facts') bench.deliver(one.tab);
          else if (one.do === 'repeat') {
            const entries = bench.tabs[one.tab]?.getSnapshot().context.entries ?? [];
            const entry = entries[one.at % Math.max(1, entries.length)];
            if (entry) bench.ask(entry, one.tab);
          } else if (one.do === 'wake') bench.tabs[one.tab]?.send({ type: 'wake' });
          else bench.clock.advance(one.ms);
          await settled();
          for (const session of ['a', 'b']) {
            for (const page of [0, 1]) {
              const out = bench.pending.filter(
                (request) => request.tab === page && request.entry.session === session,
              );
              expect(out.length).toBeLessThanOrEqual(1);
            }
          }
        }
        await soundly(bench);
        const { accepted } = bench.ledger;
        expect([...accepted].sort()).toEqual(asked.map(({ id }) => id).sort());
        for (const from of new Set(asked.map((one) => one.from))) {
          const mine = asked.filter((one) => one.from === from).map(({ id }) => id);
          expect(accepted.filter((id) => mine.includes(id))).toEqual(mine);
        }
        expect(bench.store.size).toBe(0);
        for (const outbox of bench.tabs) {
          const left = outbox.getSnapshot().context.entries.filter((entry) => entry.state !== 'accepted');
          expect(left).toEqual([]);
          outbox.stop();
        }
        expect(bench.clock.pending).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('never stops what is not known yet, and stops whatever the gateway has got (C42)', async () => {
    const stopStep = fc.oneof(
      { weight: 3, arbitrary: fc.constant({ do: 'send' } as const) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('stop' as const), at }) },
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constant('meet' as const), at, fate: fc.constantFrom(...fates) }),
      },
      { weight: 1, arbitrary: fc.constant({ do: 'reload' } as const) },
      { weight: 2, arbitrary: fc.constant({ do: 'facts' } as const) },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 9000 }) }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(stopStep, { maxLength: 50 }), async (steps) => {
        const bench = new Bench();
        bench.open();
        const messages: string[] = [];
        const stopped = new Set<string>();
        const takenBack = new Set<string>();
        for (const one of steps) {
          if (one.do === 'send') messages.push(bench.send());
          else if (one.do === 'stop' && messages.length > 0) {
            const message = messages[one.at % messages.length] as string;
            const wasOut = bench.requests.some((request) => request.entry.id === message);
            bench.stop({ message });
            if (wasOut) stopped.add(message);
            for (const entry of bench.tabs[0]?.getSnapshot().context.entries ?? []) {
              if (entry.code === 'outbox.stopped') takenBack.add(entry.id);
            }
          } else if (one.do === 'meet') {
            const request = bench.pending[one.at % Math.max(1, bench.pending.length)];
            if (request) meet(bench, request, one.fate);
          } else if (one.do === 'reload') bench.open();
          else if (one.do === 'facts') bench.deliver();
          else if (one.do === 'pass') bench.clock.advance(one.ms);
          await settled();
          for (const { entry } of bench.pending) {
            if (entry.kind !== 'stop' || !('message' in entry.body)) continue;
            expect(bench.ledger.accepted).toContain(entry.body.message);
          }
        }
        await soundly(bench);
        const { accepted, stops } = bench.ledger;
        for (const message of stopped) expect(stops).toContain(`t.${message}`);
        for (const message of takenBack) expect(accepted).not.toContain(message);
        expect(accepted).toEqual(messages.filter((message) => !takenBack.has(message)));
        bench.tabs[0]?.stop();
      }),
      { numRuns: 200 },
    );
  });
});
