import { at, fault, type Mutant, model, unit } from './mutant.ts';

const folds = [...unit('wire-fold.misfits', 'wire-fold'), ...model('runner.outputs')];
const sessions = unit('gateway', 'gateway.sweep');

/** Rules of the fold and of the gateway around the machines. */
export const gateway: readonly Mutant[] = [
  ...at('src/wire/fold.ts', folds, [
    ['I6: a fact counts twice', 'if (fact.seq <= turn.seq || !(', 'if (!('],
    ['I2: a row changes after its end', 'if (turn.outcome) return turn;', ''],
    [
      'I6: text that overlaps is taken',
      'if (fact.offset !== part.text.length) {',
      'if (fact.offset > part.text.length) {',
    ],
    [
      'I6: text begins in the middle',
      'if (fact.offset !== 0) return misfit',
      'if (fact.offset < 0) return misfit',
    ],
    [
      'I14: a fact of another turn',
      "!('turn' in fact) || fact.turn !== turn.id) return turn;",
      "!('turn' in fact)) return turn;",
    ],
    ['C49: a tool changes after its end', 'if (!isOpen(tool)) return misfit', 'if (!tool) return misfit'],
    [
      'C24: a question is settled twice',
      "if (part?.state !== 'open') return misfit",
      'if (part === undefined) return misfit',
    ],
    [
      'C48: a tool has two cards',
      "if (has(turn, 'tool', fact.toolCallId)) return misfit(turn, fact, 'tool started twice');",
      '',
    ],
    [
      'I6: output of a tool counts twice',
      'if (output && output.offset !== tool.output.length) {',
      'if (output && output.offset > tool.output.length) {',
    ],
    [
      'I13: a retry is shown for ever',
      'const { retrying: _, watching, ...rest } = turn;\n  return',
      'const { watching, ...rest } = turn;\n  return',
    ],
  ]),
  ...at('src/gateway/sessions/subscribe.ts', unit('subscribe', 'gateway'), [
    [
      'I6: old facts come twice',
      'const fresh = facts.filter((fact) => fact.seq > sent &&',
      'const fresh = facts.filter((fact) => fact.seq > 0 &&',
    ],
    ['I6: new facts overtake old ones', 'else waiting.push(facts);', 'else void send(facts);'],
    [
      'I6: facts that came meanwhile are lost',
      'while (waiting.length > 0) await send(waiting.shift() as readonly Fact[]);',
      '',
    ],
    [
      'I6: another epoch goes on',
      "if (from.epoch !== head.epoch && !(from.seq === 0 && from.epoch === '0')) {",
      'if (from.seq < 0) {',
    ],
    ['I6: a cursor from the future goes on', 'if (from.seq > head.seq) {', 'if (from.seq < 0) {'],
    ['I8: a reader that left is still told', 'session.readers.delete(read);', ''],
  ]),
  ...at(
    'src/gateway/sessions/agent.effect.ts',
    [...unit('agent.effect'), ...sessions, ...fault('order')],
    [
      [
        'I5: a prompt is sent after its stop',
        '      if (this.#settled) return;\n      const rejoins',
        '      const rejoins',
      ],
      [
        'I1: the agent settles twice',
        '    if (this.#settled) return;\n    this.#settled = true;\n    this.#unwatch();\n    // D4',
        '    this.#settled = true;\n    this.#unwatch();\n    // D4',
      ],
      [
        'I5: a killed agent has settled before it has ended',
        'if (this.#killed) void this.#killed.then(report);\n    else report();',
        'report();',
      ],
    ],
  ),
  ...at('src/gateway/sessions/agent.host.ts', unit('agent.host'), [
    [
      'I5: a signal is taken for an end',
      'const ends = [...this.#processes].map((process) => process.ended);',
      'const ends: Promise<void>[] = [];',
    ],
  ]),
  ...at(
    'src/gateway/sessions/sweep.ts',
    [...sessions, ...fault('gateway-kill')],
    [
      [
        'D4: an open turn is never joined again',
        'if (handle !== undefined) {\n        open.tell',
        'if (handle === null) {\n        open.tell',
      ],
      [
        'D4: an open turn stays open over a crash',
        "open.tell({ type: 'begin', how: 'interrupt', reason: reasonIn(open.state) });\n        await open.ended(5_000);",
        '',
      ],
      [
        'D4: a half-made job is forgotten',
        'await startJob(head.id, job.job, job.request);\n        continue;',
        'continue;',
      ],
      ['I1: a job that runs on is settled', 'if (known.openTurn) continue;', ''],
    ],
  ),
  ...at(
    'src/gateway/sessions/session.ts',
    [...sessions, ...fault('writers')],
    [
      [
        'I7: what is committed is not applied',
        "for (const fact of facts) orchestrator.send({ type: 'fact', fact });\n    for (const read of [...this.readers]) read(facts);",
        'for (const read of [...this.readers]) read(facts);',
      ],
      [
        'I7: the log is not compared',
        'const facts = await log.append(this.id, before.context.seq, drafts, (facts) => {',
        'const facts = await log.append(this.id, (await log.head(this.id))?.seq ?? 0, drafts, (facts) => {',
        fault('writers'),
      ],
    ],
  ),
  ...at(
    'src/gateway/sessions/registry.ts',
    [...unit('gateway'), ...fault('writers')],
    [
      [
        'I7: a fenced session stays open',
        '          void host.kill();\n          this.forget(session);',
        '          void host.kill();',
      ],
      [
        'I7: the agent of a fenced session goes on',
        '          void host.kill();\n          this.forget(session);',
        '          this.forget(session);',
      ],
    ],
  ),
  ...at('src/gateway/sessions/sends.ts', sessions, [
    [
      'I9: a double click is two messages',
      'if (under) return under.digest === digest ? under.answer : Promise.reject(otherBody(body.id));',
      '',
    ],
    [
      'I9: a message sent again starts again',
      'if (before) {\n        if (before.digest',
      'if (before && before.id === undefined) {\n        if (before.digest',
    ],
  ]),
  ...at(
    'src/gateway/sessions/agent.effect.ts',
    [...sessions, ...fault('order')],
    [
      [
        'I1: a stream without an end leaves its turn open',
        "if (!lost) return this.#settle(this.#cancelled ? { stopReason: 'cancelled' } : early);",
        'if (!lost) return;',
      ],
    ],
  ),
];
