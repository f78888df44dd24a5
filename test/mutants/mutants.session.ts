import { at, lawTests, type Mutant, model, order, runnerTests } from './mutant.ts';

/** Rules of a session: what the law lets into its log, and the states that read it. */
export const session: readonly Mutant[] = [
  ...at('machines/session.ts', lawTests, [
    [
      'I6: a gap is taken',
      'fact.seq !== context.seq + 1) return false',
      'fact.seq <= context.seq) return false',
    ],
    [
      'I8: a fact of another session is taken',
      'fact.session !== context.id || fact.seq !== context.seq + 1',
      'fact.seq !== context.seq + 1',
    ],
    [
      'I6: another epoch is no gap',
      'return fact.epoch !== context.epoch || fact.seq > context.seq + 1;',
      'return fact.seq > context.seq + 1;',
    ],
    [
      'I9: a message is queued twice',
      'revised(context, fact) && !queued(context, fact.message.id),',
      'revised(context, fact),',
    ],
    [
      'D2: the queue goes back a revision',
      'fact.revision === context.queue.revision + 1;',
      'fact.revision >= context.queue.revision;',
    ],
    [
      'I3: any queued message may start',
      'held || messages.length === 0 : place === 0 && !held;',
      'held || messages.length === 0 : !held;',
    ],
    [
      'I3: a held queue may drain',
      'held || messages.length === 0 : place === 0 && !held;',
      'held || messages.length === 0 : place === 0;',
    ],
    [
      'I3: a message overtakes the queue',
      'return place < 0 ? held || messages.length === 0 :',
      'return place < 0 ? true :',
    ],
    ['I4: the ladder of a stop goes down', 'stages.indexOf(fact.stage) > stages.indexOf(stage)', 'true'],
    ['I4: a stop begins with a kill', ": fact.stage === 'asked';", ': true;'],
    [
      'I12: a turn ends with a tool open',
      'ofOpenTurn(context, fact) && context.open.tools.length === 0 && context.permissions',
      'ofOpenTurn(context, fact) && context.permissions',
    ],
    [
      'I12: a turn ends with a question open',
      'context.open.tools.length === 0 && context.permissions.length === 0,',
      'context.open.tools.length === 0,',
    ],
    [
      'C48: a tool starts twice',
      'ofOpenTurn(context, fact) && !context.open.seen.includes(fact.toolCallId),',
      'ofOpenTurn(context, fact),',
    ],
    [
      'I4: a notice in a turn that stops',
      '(ofOpenTurn(context, fact) && context.open.stage === undefined)',
      'ofOpenTurn(context, fact)',
    ],
    [
      'C10: a job settles twice',
      'context.jobs.some((j) => j.job === fact.job && !j.outcome),',
      'context.jobs.some((j) => j.job === fact.job),',
    ],
    ['I14: a job is attached twice', '!context.jobs.some((j) => j.job === fact.job),', 'true,'],
    [
      'D2: guidance that is not queued',
      'ofOpenTurn(context, fact) && revised(context, fact) && queued(context, fact.message.id),',
      'ofOpenTurn(context, fact) && revised(context, fact),',
    ],
    [
      'I1: any turn may be retried',
      'if (fact.retryOf !== undefined && fact.retryOf !== context.turns.at(-1)?.id) return false;',
      '',
    ],
  ]),
  ...at('machines/session.ts', model('orchestrator', 'orchestrator.reading'), [
    ['I10: rows are new after a reread', 'return known?.seq === turn.seq ? known : turn;', 'return turn;'],
  ]),
  ...at('machines/session.states.ts', lawTests, [
    [
      'I4: a stopped turn ends well',
      "'turn.ended': { guard: 'endsCancelled', actions: 'take', target: 'cancelled' },",
      "'turn.ended': { ...take, target: 'finalized' },",
      order,
    ],
    [
      'I4: text after a stop',
      "    'permission.withdrawn': take,\n    'turn.stopping': take,",
      "    'text.added': take,\n    'permission.withdrawn': take,\n    'turn.stopping': take,",
    ],
    [
      'I3: a failure is as good as an end',
      "{ ...take, target: 'failed' },",
      "{ ...take, target: 'finalized' },",
      order,
    ],
    [
      'I5: no stop before the agent answers',
      "    ...firstPart,\n    'turn.accepted'",
      "    ...firstPart,\n    'turn.stopping': undefined as never,\n    'turn.accepted'",
    ],
  ]),
  ...at('machines/session.states.ts', model('orchestrator.reading', 'session.chart'), [
    ['C30: facts start the reading anew', "    '*': {},\n", ''],
  ]),
  ...at('machines/conversation.machine.ts', lawTests, [
    [
      'I3: the queue goes on after a stop',
      'cancelled: { on: { ...startByUser, ...close } },',
      'cancelled: { on: { ...start, ...close } },',
    ],
    [
      'I3: the queue goes on after a failure',
      'failed: { on: { ...startByUser, ...close } },',
      'failed: { on: { ...start, ...close } },',
    ],
    [
      'I3: resume does not let go',
      "'queue.released': { ...take, target: 'idle' },",
      "'queue.released': take,",
      order,
    ],
  ]),
  ...at('machines/session.setup.ts', lawTests, [
    ['I3: a queued message starts as if asked', "origin === 'user' && !waits &&", "origin === 'user' &&"],
  ]),
  ...at(
    'machines/reduce.ts',
    [...lawTests, ...runnerTests],
    [
      [
        'D2: guidance stands behind the queue',
        "if (added.delivery === 'queue') return [...messages, added];",
        'return [...messages, added];',
        order,
      ],
      [
        'D2: newer guidance goes first',
        'return [...messages.slice(0, steers), added, ...messages.slice(steers)];',
        'return [added, ...messages];',
        order,
      ],
      [
        'I9: a started message stays queued',
        'return queue(forgetting(context), fact, (messages) =>\n        messages.filter((q) => q.message.id !== fact.message?.id),\n      );',
        'return queue(forgetting(context), fact, (messages) => messages);',
        order,
      ],
    ],
  ),
  ...at('machines/session.ts', model('session', 'imported', 'runner.retry'), [
    [
      'A1: history is imported after turns of ours',
      'if (fact.imported && (context.older || !context.turns.every((turn) => turn.imported))) return false;',
      '',
    ],
    [
      'I3: a turn that is not the last waits to be run again',
      'return ended && last.id === fact.retry && fact.until !== undefined;',
      'return ended && fact.until !== undefined;',
    ],
  ]),
  ...at('machines/reduce.ts', model('runner.retry'), [
    [
      'I3: what runs meanwhile leaves a turn waiting to be run again',
      "return retry === undefined ? context : { ...context, queue: { ...rest, reason: 'failed' } };",
      'return context;',
    ],
  ]),
];
