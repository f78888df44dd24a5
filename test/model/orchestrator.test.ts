import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../src/wire/facts.ts';
import { asks, ended, opened, Script, started, text, tool, toolDone } from '../support/facts.ts';
import { SessionsWorld, snapshotOf } from '../support/sessions-world.ts';

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
