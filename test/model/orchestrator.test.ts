import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../src/wire/facts.ts';
import { asks, ended, opened, queued, Script, started, text, tool, toolDone } from '../support/facts.ts';
import { quiet, SessionsWorld, snapshotOf } from '../support/sessions-world.ts';

describe('routing', () => {
  test('C1, I8: interleaved at random, each conversation shows its own script and no other', () => {
    const scripts = fc.array(fc.array(fc.string({ minLength: 1 }), { maxLength: 12 }), {
      minLength: 2,
      maxLength: 4,
    });
    fc.assert(
      fc.property(scripts, fc.infiniteStream(fc.nat()), (texts, picks) => {
        const world = new SessionsWorld();
        const queues = texts.map((chunks, index) => {
          const log = world.begin(`s${index}`);
          log.fact(started('t'));
          let offset = 0;
          for (const chunk of chunks) {
            log.fact(text('t', offset, chunk));
            offset += chunk.length;
          }
          log.fact(ended('t'));
          return log.facts.slice(1);
        });
        for (
          let left = queues.filter((q) => q.length > 0);
          left.length > 0;
          left = left.filter((q) => q.length > 0)
        ) {
          world.feed((left[(picks.next().value ?? 0) % left.length] as Fact[]).shift() as Fact);
        }
        texts.forEach((chunks, index) => {
          expect(world.text(`s${index}`)).toBe(chunks.join(''));
          expect(world.state(`s${index}`)).toBe('finalized');
        });
        expect(world.context).toMatchObject({ unrouted: 0, ignored: {} });
      }),
    );
  });

  test('C8, C20, C40, I14: two jobs of one conversation and one of another stay apart, and write nothing elsewhere', () => {
    const world = new SessionsWorld();
    const chat = world.begin('chat');
    const request = {
      agent: 'a',
      cwd: '/w',
      message: { id: 'm', content: [{ type: 'text', text: 'm' }] },
    } as const;
    world.feed(...chat.write(started('t'), text('t', 0, 'starting two')));
    for (const job of ['j1', 'j2']) world.feed(chat.fact({ type: 'job.attached', job, turn: 't', request }));
    // C40: the turn that asked for them ends while they run.
    world.feed(chat.fact(ended('t')));
    const logs = ['j1', 'j2', 'j3'].map((job) => world.begin(job, 'job'));
    world.begin('other');
    for (const log of logs) world.feed(log.fact(started('t2')));
    const [row] = world.turns('chat');
    const jobs = logs.map((log) => ({ log, offset: 0 }));
    const stream = () => {
      for (let i = 0; i < 30; i++) {
        for (const [index, job] of jobs.entries()) {
          const chunk = `${job.log.session}-${i * index} `;
          world.feed(job.log.fact(text('t2', job.offset, chunk)));
          job.offset += chunk.length;
        }
      }
    };
    expect(world.writes('chat', () => expect(world.writes('other', stream)).toBe(0))).toBe(0);
    expect(world.turns('chat')[0]).toBe(row);
    for (const { log } of jobs) {
      const text = world.text(log.session);
      expect(text.split(' ').filter((word) => word !== '' && !word.startsWith(log.session))).toEqual([]);
      expect(world.state(log.session)).toBe('streaming');
    }
  });

  test('C12, C51: a fact of a session that is not open is counted, and nothing else', () => {
    const world = new SessionsWorld();
    world.begin('s');
    const stranger = new Script('stranger');
    expect(world.writes('s', () => world.feed(stranger.fact(opened()), stranger.fact(started('t'))))).toBe(0);
    expect(world.context.unrouted).toBe(2);
    expect(Object.keys(world.context.sessions)).toEqual(['s']);
  });

  test('C45, C51: a fact without a transition is counted for its session, and changes no row', () => {
    const world = new SessionsWorld();
    const log = world.begin('s');
    world.feed(...log.write(started('t'), ended('t')));
    const rows = world.turns('s');
    const late = new Script('s', 'e', log.seq);
    expect(world.writes('s', () => world.feed(late.fact(text('t', 0, 'late'))))).toBe(0);
    // The same facts again, as after a reconnect.
    expect(world.writes('s', () => world.feed(...log.facts))).toBe(0);
    expect(world.context.ignored).toEqual({ s: 1 + log.facts.length });
    expect(world.turns('s')).toEqual(rows);
  });

  test('C34: a new conversation stays empty while the old one streams, which ends in its own rows', () => {
    const world = new SessionsWorld();
    const old = world.begin('old');
    world.feed(...old.write(started('t'), text('t', 0, 'half ')));
    world.begin('new');
    world.feed(...old.write(text('t', 5, 'and half'), ended('t')));
    expect(world.turns('new')).toEqual([]);
    expect(world.state('new')).toBe('idle');
    expect(world.text('old')).toBe('half and half');
    expect(world.state('old')).toBe('finalized');
  });
});

describe('rows', () => {
  test('C37, C43: a notice, a usage or a token of one turn touches the row of no other, and the stream goes on', () => {
    const world = new SessionsWorld();
    const log = world.begin('s');
    world.feed(
      ...log.write(started('t'), text('t', 0, 'done'), ended('t'), started('u', 2), text('u', 0, 'live')),
    );
    const [row] = world.turns('s');
    world.feed(
      log.fact({
        type: 'notice.added',
        turn: 'u',
        notice: 'n',
        level: 'warning',
        code: 'cwd.moved',
        text: 'moved',
      }),
      log.fact({ type: 'usage.updated', turn: 't', usage: { totalTokens: 3 } }),
    );
    const foreign = new Script('s', 'e', log.seq).fact(text('t', 4, 'foreign'));
    expect(world.writes('s', () => world.feed(foreign))).toBe(0);
    world.feed(log.fact(text('u', 4, ' on')));
    expect(world.turns('s')[0]).toBe(row);
    expect(world.turns('s')[1]?.parts).toMatchObject([
      { text: 'live on' },
      { type: 'notice', text: 'moved' },
    ]);
  });

  test('C35: tools, plans and questions are on the same rows after a reload, live or read back', async () => {
    const world = new SessionsWorld();
    const log = world.begin('s');
    world.feed(...log.write(started('t'), tool('t', 'c'), text('t', 0, 'x'), toolDone('t', 'c'), ended('t')));
    world.feed(
      ...log.write(started('u', 2), tool('u', 'c'), asks('u', 'q'), {
        type: 'plan.updated',
        turn: 'u',
        entries: [],
      }),
    );
    const page = new SessionsWorld();
    page.open('s');
    await page.load(snapshotOf(log.facts));
    expect(page.turns('s')).toEqual(world.turns('s'));
    expect(page.state('s')).toBe(world.state('s'));
    // What is open goes on, in both.
    const more = log.write(toolDone('u', 'c'), {
      type: 'permission.answered',
      turn: 'u',
      permission: 'q',
      option: 'no',
    });
    page.feed(...more);
    world.feed(...more);
    expect(page.turns('s')).toEqual(world.turns('s'));
    expect(page.context.ignored).toEqual({});
  });
});

describe('C30: reading a session', () => {
  const log = new Script('a');
  log.write(
    opened(),
    started('t'),
    text('t', 0, 'one '),
    text('t', 4, 'two '),
    text('t', 8, 'three'),
    ended('t'),
  );

  test('a load that resolves during the live stream wipes nothing; snapshot and tail are the whole', async () => {
    for (let cut = 1; cut <= log.facts.length; cut++) {
      const world = new SessionsWorld();
      world.open('a');
      // Facts come before the snapshot is there, and are not lost: they follow it.
      world.feed(...log.facts.slice(1, cut));
      expect(world.loads).toHaveLength(1);
      await world.load(snapshotOf(log.facts, cut));
      expect(world.emitted).toEqual([{ type: 'ready', session: 'a', cursor: `e.${cut}` }]);
      world.feed(...log.facts.slice(cut));
      expect(world.text('a')).toBe('one two three');
      expect(world.state('a')).toBe('finalized');
      expect(world.loads).toEqual([]);
    }
  });

  test('a load of A that resolves after a switch to B touches B in nothing', async () => {
    const world = new SessionsWorld();
    world.open('a');
    const b = world.begin('b');
    world.feed(...b.write(started('t'), text('t', 0, 'of b')));
    const before = world.ref('b').getSnapshot();
    world.orchestrator.send({ type: 'release', session: 'a' });
    await world.load(snapshotOf(log.facts));
    expect(world.ref('b').getSnapshot()).toBe(before);
    expect(world.text('a')).toBe('one two three');
    expect(world.text('b')).toBe('of b');
  });

  test('a load that resolves after its session was forgotten makes nothing', async () => {
    const world = new SessionsWorld();
    world.open('a');
    const [load] = world.loads;
    world.orchestrator.send({ type: 'forget', session: 'a' });
    load?.resolve(snapshotOf(log.facts));
    await quiet();
    expect(world.context.sessions).toEqual({});
    expect(world.emitted).toEqual([{ type: 'retired', session: 'a' }]);
  });

  test('I10: a resync keeps the identity of finished rows, of the open row, and of its parts that say the same', async () => {
    const world = new SessionsWorld();
    const live = world.begin('s');
    world.feed(...live.write(started('t'), text('t', 0, 'done'), ended('t')));
    world.feed(
      ...live.write(started('u', 2), text('u', 0, 'first', 'p1'), asks('u', 'q'), text('u', 0, 'sec', 'p2')),
    );
    const [row] = world.turns('s');
    const { open } = world.ref('s').getSnapshot().context;
    const parts = world.turns('s')[1]?.parts;
    const more = live.write(text('u', 3, 'ond', 'p2'));
    world.orchestrator.send({ type: 'resync', session: 's', reason: 'slow' });
    await world.load(snapshotOf(live.facts));
    expect(world.ref('s').getSnapshot().context.open?.ref).toBe(open?.ref);
    const after = world.turns('s');
    expect(after[0]).toBe(row);
    expect(after[1]?.parts.map((part, index) => part === parts?.[index])).toEqual([true, true, false]);
    expect(after[1]?.parts[2]).toMatchObject({ text: 'second' });
    world.feed(...more, live.fact(text('u', 6, '!', 'p2')));
    expect(world.turns('s')[1]?.parts[2]).toMatchObject({ text: 'second!' });
  });

  test('I10: a snapshot of the log as it was before changes no row: it is asked for again, and after a minute believed', async () => {
    const world = new SessionsWorld();
    const live = world.begin('s');
    world.feed(...live.write(started('t'), text('t', 0, 'done'), ended('t')));
    const [row] = world.turns('s');
    // Given by a gateway that was overtaken and does not know it yet.
    world.orchestrator.send({ type: 'resync', session: 's', reason: 'ahead' });
    await world.load(snapshotOf(live.facts, 3));
    expect(world.turns('s')).toEqual([row]);
    expect(world.ref('s').getSnapshot().context.problem?.code).toBe('session.behind');
    world.clock.advance(500);
    await world.load(snapshotOf(live.facts));
    expect(world.state('s')).toBe('finalized');
    expect(world.turns('s')[0]).toBe(row);
    expect(world.ref('s').getSnapshot().context.problem).toBeNull();

    world.orchestrator.send({ type: 'resync', session: 's', reason: 'ahead' });
    for (let i = 0; i < 8; i++) {
      await world.load(snapshotOf(live.facts, 3));
      world.clock.advance(15_000);
    }
    await world.load(snapshotOf(live.facts, 3));
    expect(world.state('s')).toBe('streaming');
  });

  test('I6: a new epoch is another log: nothing of the old one stays', async () => {
    const world = new SessionsWorld();
    const old = world.begin('s');
    world.feed(...old.write(started('t'), text('t', 0, 'old'), ended('t'), started('u', 2)));
    const fresh = new Script('s', 'f');
    fresh.write(opened(), started('t'), text('t', 0, 'new'), ended('t'));
    world.feed(fresh.facts[3] as Fact);
    expect(world.state('s')).toBe('opening');
    await world.load(snapshotOf(fresh.facts));
    expect(world.text('s')).toBe('new');
    expect(world.turns('s')).toHaveLength(1);
    expect(world.emitted.at(-1)).toEqual({ type: 'ready', session: 's', cursor: 'f.4' });
  });

  test('I6: with facts lost, doubled and late, the rows are those of the log once the snapshot is read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5), { minLength: 1, maxLength: 30 }), async (jumps) => {
        const world = new SessionsWorld();
        world.open('a');
        await world.load(snapshotOf(log.facts, 1));
        let at = 1;
        for (const jump of jumps) {
          // 0 and 1 go on in order, more is a loss, and what was seen comes again.
          at = Math.min(at + Math.max(1, jump), log.facts.length);
          world.feed(log.facts[at - 1] as Fact, log.facts[0] as Fact, log.facts[Math.floor(at / 2)] as Fact);
          if (world.loads.length > 0) await world.load(snapshotOf(log.facts, at));
        }
        world.feed(...log.facts);
        if (world.loads.length > 0) await world.load(snapshotOf(log.facts));
        expect(world.turns('a')).toEqual(snapshotOf(log.facts).turns);
      }),
      { numRuns: 60 },
    );
  });

  test('I13: a session that cannot be read says why, and is tried again with growing waits', async () => {
    const world = new SessionsWorld();
    world.open('a');
    const waits: number[] = [];
    for (let i = 0; i < 7; i++) {
      await world.failLoad('a', new Error('down'));
      expect(world.ref('a').getSnapshot().context.problem).toEqual({ code: 'load.failed', message: 'down' });
      waits.push(world.clock.next ?? 0);
      world.clock.advance(waits.at(-1) ?? 0);
      await quiet();
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    await world.load(snapshotOf(log.facts));
    expect(world.ref('a').getSnapshot().context.problem).toBeNull();
    expect(world.clock.pending).toBe(0);
  });

  test('older pages join before what is there, once, and a resync keeps them', async () => {
    const world = new SessionsWorld();
    const long = new Script('s');
    long.write(opened());
    for (let i = 0; i < 6; i++) long.write(started(`t${i}`, i + 1), text(`t${i}`, 0, `${i}`), ended(`t${i}`));
    const whole = snapshotOf(long.facts);
    world.open('s');
    await world.load({ ...whole, turns: whole.turns.slice(3), older: true });
    const ref = world.ref('s');
    const older = { type: 'older.loaded', turns: whole.turns.slice(1, 3), older: true } as const;
    ref.send(older as never);
    ref.send(older as never);
    expect(world.text('s')).toBe('12345');
    const rows = world.turns('s');
    world.orchestrator.send({ type: 'resync', session: 's', reason: 'gap' });
    await world.load({ ...whole, turns: whole.turns.slice(3), older: true });
    expect(world.turns('s').every((row, index) => row === rows[index])).toBe(true);
    expect(world.turns('s')).toHaveLength(5);
    expect(ref.getSnapshot().context.older).toBe(true);
  });
});

describe('keeping and retiring', () => {
  test('at most 40 idle actors are kept; those used last stay', () => {
    const world = new SessionsWorld();
    for (let i = 0; i < 60; i++) {
      world.begin(`s${i}`);
      world.orchestrator.send({ type: 'release', session: `s${i}` });
    }
    const kept = Object.keys(world.context.sessions);
    expect(kept).toEqual(Array.from({ length: 40 }, (_, i) => `s${i + 20}`));
    expect(Object.keys(world.orchestrator.getSnapshot().children)).toHaveLength(40);
    expect(world.emitted.filter((event) => event.type === 'retired')).toHaveLength(20);
    // Used again, it is the last to go.
    world.open('s20');
    world.orchestrator.send({ type: 'release', session: 's20' });
    world.begin('more');
    world.orchestrator.send({ type: 'release', session: 'more' });
    expect(Object.keys(world.context.sessions)).toContain('s20');
    expect(Object.keys(world.context.sessions)).not.toContain('s21');
  });

  const request = {
    agent: 'a',
    cwd: '/w',
    message: { id: 'm', content: [{ type: 'text', text: 'm' }] },
  } as const;
  const busy: Readonly<Record<string, (log: Script) => Fact[]>> = {
    runs: (log) => log.write(started('t')),
    'has a queue': (log) => log.write(queued('q', 1), { type: 'queue.held', reason: 'edited', revision: 2 }),
    'has an open permission': (log) => log.write(started('t'), asks('t', 'q')),
    'waits for a job': (log) => log.write({ type: 'job.attached', job: 'j', request }),
    stops: (log) => log.write(started('t'), { type: 'turn.stopping', turn: 't', stage: 'asked' }),
  };
  test.each(Object.entries(busy))('one that %s is never retired, although nobody looks at it', (_, facts) => {
    const world = new SessionsWorld(0);
    const log = world.begin('s');
    world.feed(...facts(log));
    world.orchestrator.send({ type: 'release', session: 's' });
    expect(Object.keys(world.context.sessions)).toEqual(['s']);
  });

  test('one that somebody looks at is never retired', () => {
    const world = new SessionsWorld(0);
    world.begin('s');
    world.begin('t');
    expect(Object.keys(world.context.sessions)).toEqual(['s', 't']);
    world.orchestrator.send({ type: 'release', session: 's' });
    expect(Object.keys(world.context.sessions)).toEqual(['t']);
  });

  test('one that is still being read is never retired', () => {
    const world = new SessionsWorld(0);
    world.open('s');
    world.orchestrator.send({ type: 'release', session: 's' });
    expect(Object.keys(world.context.sessions)).toEqual(['s']);
  });

  test('opening what is open finds the same actor', () => {
    const world = new SessionsWorld();
    world.begin('s');
    const ref = world.ref('s');
    expect(world.open('s')).toBe(ref);
  });

  test('C10: an ended job stays readable, is a child no more, and takes nothing more', () => {
    const world = new SessionsWorld();
    const log = world.begin('chat.j4', 'job');
    world.feed(...log.write(started('t2'), text('t2', 0, 'result'), ended('t2')));
    expect(Object.keys(world.orchestrator.getSnapshot().children)).toEqual([]);
    expect(world.ref('chat.j4').getSnapshot()).toMatchObject({
      status: 'done',
      output: { session: 'chat.j4', outcome: 'finalized', stopReason: 'end_turn' },
    });
    const rows = world.turns('chat.j4');
    world.feed(
      log.fact(text('t2', 6, 'late')),
      log.fact(ended('t2', 'failed')),
      log.fact({ type: 'session.changed', title: 'x' }),
    );
    expect(world.turns('chat.j4')).toBe(rows);
    expect(world.text('chat.j4')).toBe('result');
    expect(world.context.ignored).toEqual({ 'chat.j4': 3 });
    expect(world.orchestrator.getSnapshot().status).toBe('active');
  });

  test('a session that did not exist is read anew when it is opened again', async () => {
    const world = new SessionsWorld();
    world.open('a');
    await world.failLoad('a', Object.assign(new Error('gone'), { code: 'session.unknown' }));
    expect(world.state('a')).toBe('closed');
    world.open('a');
    const log = new Script('a');
    log.write(opened());
    await world.load(snapshotOf(log.facts));
    expect(world.state('a')).toBe('idle');
  });
});
