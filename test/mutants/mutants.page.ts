import { at, type Mutant, model, unit } from './mutant.ts';

const outbox = model('outbox.entries', 'outbox.chart', 'outbox', 'outbox.stops', 'outbox.schedules');
const link = [...model('link.chart', 'link'), ...unit('transport.start')];

/** Rules of the page: its outbox, its link, what it keeps open. */
export const page: readonly Mutant[] = [
  ...at('src/console/transport/connect.ts', unit('transport.start'), [
    [
      'I9: a message of a session that is gone is shown for ever',
      "root.on('over', () => queueMicrotask(settle)),",
      '',
    ],
  ]),
  ...at('machines/outbox.entries.ts', outbox, [
    [
      'I9: a double click is two requests',
      'entries.some((entry) => entry.id === wish.id || (entry.state',
      'entries.some((entry) => (entry.state',
    ],
    [
      'I3: sends go out of order',
      'e.session === entry.session && isOpen(e)) === entry;',
      'e.session === entry.session && isOpen(e)) !== undefined;',
    ],
    [
      'I9: no wait between attempts',
      "if (entry.state !== 'waiting' || entry.nextAt !== null) return false;",
      "if (entry.state !== 'waiting') return false;",
    ],
    [
      'C42: a stop goes before its message',
      'return !entries.some((e) => e.id === stopped(entry) && isOpen(e));',
      'return true;',
    ],
    ['I4: a stop takes back what may have arrived', '    entry.attempts === 0 &&\n', ''],
    [
      'I4: a stop takes nothing back',
      'const kept = rest.map((old) => (isTakenBack(old, wish.session) ? takenBack(old) : old));',
      'const kept = rest;',
    ],
    [
      'I9: a gateway that is away refuses',
      'if (!problem || mayPass(problem)) {',
      'if (problem && mayPass(problem)) {',
    ],
    [
      'I9: a restored send counts as never sent',
      'attempts: Math.max(1, entry.attempts) },',
      'attempts: entry.attempts },',
    ],
    [
      'I9: two tabs send what was kept',
      '.filter((entry) => !entries.some((e) => e.id === entry.id) && entry.state',
      '.filter((entry) => entry.state',
    ],
    [
      'I3: what was kept loses its order',
      '[...entries, ...fresh].sort((a, b) => a.at - b.at);',
      '[...entries, ...fresh];',
    ],
    ['I9: a fact does not confirm a send', 'return messageOf(fact) === entry.id;', 'return false;'],
    [
      'I13: an accepted send vanishes before its row',
      'at.epoch === answer.epoch && answer.seq > at.seq;',
      'at.epoch === answer.epoch && answer.seq < 0;',
    ],
    [
      'C42: a stop that did its work is refused',
      "if (entry.kind === 'stop') return code === 'turn.over' && entry.attempts > 1;",
      "if (entry.kind === 'stop') return false;",
    ],
  ]),
  ...at('machines/outbox.machine.ts', outbox, [
    [
      'I3: a new send goes before the kept ones',
      "        ask: { actions: 'change' },",
      "        ask: { actions: 'change', target: 'deciding' },",
    ],
  ]),
  ...at('machines/outbox.setup.ts', outbox, [
    [
      'I9: an answered request stays kept',
      "if ((!after || after.state === 'accepted') && before.state !== 'accepted') {",
      "if (!after && before.state !== 'accepted') {",
    ],
  ]),
  ...at('machines/link.subscriptions.ts', link, [
    [
      'I6: frames of an earlier subscription',
      'return after !== undefined && after.epoch === frame.epoch && frame.prev <= after.seq;',
      'return true;',
    ],
  ]),
  ...at('machines/link.machine.ts', link, [
    [
      'I6: a new connection believes the old one',
      'if (after === undefined) return [session, null] as const;',
      'if (after === undefined) return [session, context.wanted[session] ?? null] as const;',
    ],
    [
      'I8: frames that nobody asked for',
      'if (!known || !isMeant(known, frame)) return;',
      'if (known && !isMeant(known, frame)) return;',
    ],
    ['I13: silence is taken for life', ", { target: 'stale' }],", '],'],
    [
      'I13: a clock that is set back is taken for life',
      'silence(context) >= 0 && silence(context) < patience(context)',
      'silence(context) < patience(context)',
    ],
    ['I13: what was heard is not looked at', "{ guard: 'wasHeard', target: 'live', reenter: true }, ", ''],
    [
      'I13: a stale link stays so',
      "after: { patience: { actions: 'noteReason', target: 'reconnecting' } },",
      '',
    ],
    ['I13: waits grow for ever', 'attempt: 0, reason: null });', 'reason: null });'],
    [
      'I6: subscriptions are not made anew',
      "enqueue.sendTo('socket', { type: 'send', frame: { type: 'subscribe', session, after } });\n        return",
      'return',
    ],
    ['I8: a resync of a session that is not followed', 'if (!(frame.session in context.wanted)) return;', ''],
    ['I13: nobody says hello', 'after: { greeting:', 'after: {}, meta: { greeting:'],
  ]),
  ...at('machines/orchestrator.machine.ts', model('orchestrator', 'orchestrator.keeping'), [
    ['C12: a session that is looked at is retired', 'if (pinned) return false;', ''],
    [
      'I3: a session with a queue is retired',
      'return atRest(value) && !waits && jobs',
      'return atRest(value) && jobs',
    ],
    ['I1: a session that runs is retired', 'return atRest(value) && !waits && jobs', 'return !waits && jobs'],
    [
      'C45: a fact without a transition is not counted',
      "if (snapshot.status !== 'active' || !snapshot.can(fact)) {",
      "if (snapshot.status !== 'active') {",
    ],
    [
      'C12: the newest is retired first',
      '.sort(([, a], [, b]) => a.used - b.used)',
      '.sort(([, a], [, b]) => b.used - a.used)',
    ],
  ]),
];
