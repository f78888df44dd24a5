import { describe, expect, it } from 'vitest';
import { type Ask, ask, deliver, type Entries, restored } from '../../machines/outbox.entries.ts';

/** What becomes of the entries, as plain functions: one rule at a time. */
const send = (id: string, at = 1, session = 's'): Ask => ({
  id,
  session,
  at,
  kind: 'send',
  body: { content: [{ type: 'text', text: id }], delivery: 'queue' },
});
const stop = (message: string): Ask => ({
  id: `stop-${message}`,
  session: 's',
  at: 9,
  kind: 'stop',
  body: { message },
});
const all = (...asks: readonly Ask[]): Entries => asks.reduce<Entries>(ask, []);
const states = (entries: Entries) => entries.map(({ id, state, attempts }) => [id, state, attempts]);

describe('the entries of the outbox', () => {
  it('hold a message once, however often it is asked, also while and after it is sent (I9)', () => {
    const once = all(send('m1'));
    expect(ask(once, send('m1'))).toBe(once);
    const sent = deliver(once);
    expect(ask(sent, send('m1'))).toBe(sent);
    expect(states(sent)).toEqual([['m1', 'sent', 1]]);
  });

  it('send one message of a session at a time, and those of other sessions beside it (I3)', () => {
    const sent = deliver(all(send('m1'), send('m2'), send('n1', 1, 'other')));
    expect(states(sent)).toEqual([
      ['m1', 'sent', 1],
      ['m2', 'waiting', 0],
      ['n1', 'sent', 1],
    ]);
  });

  it('take from what was kept only what they do not have: another page may have taken it over (I9)', () => {
    const mine = deliver(all(send('m1', 1)));
    const after = restored(mine, all(send('m1', 1), send('m0', 0)));
    expect(states(after)).toEqual([
      ['m0', 'waiting', 1],
      ['m1', 'sent', 1],
    ]);
    expect(restored(mine, all(send('m1', 1)))).toBe(mine);
  });

  it('count what was kept as sent once, so that a stop does not take back what may have arrived (I4, I9)', () => {
    const [fresh, kept] = [all(send('m1')), restored([], all(send('m1')))];
    expect(states(ask(fresh, stop('m1')))).toEqual([['m1', 'refused', 0]]);
    expect(states(ask(kept, stop('m1')))).toEqual([
      ['m1', 'waiting', 1],
      ['stop-m1', 'waiting', 0],
    ]);
  });
});
