/** A fault that somebody might make: one exact piece of source, replaced. */
export interface Mutant {
  /** The rule that it breaks, in a few words; unique. */
  readonly id: string;
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The first one is asked first, then the others together. */
  readonly tests: readonly string[];
  /** A rule of order: a test with real processes has to find it too, one of these. */
  readonly real?: readonly string[];
}

const model = (...names: string[]) => names.map((name) => `test/model/${name}.test.ts`);
const unit = (...names: string[]) => names.map((name) => `test/unit/${name}.test.ts`);
const fault = (...names: string[]) => names.map((name) => `test/fault/${name}.test.ts`);

const law = model(
  'session.guards',
  'session',
  'session.law',
  'session.chart',
  'runner.turns',
  'runner.stop',
  'runner.random',
);
const runner = model(
  'runner.guards',
  'runner.turns',
  'runner.stop',
  'runner.log',
  'runner.outputs',
  'runner.poll',
  'runner.random',
);
const folds = [...unit('wire-fold.misfits', 'wire-fold'), ...model('runner.outputs')];
const outbox = model('outbox.entries', 'outbox.chart', 'outbox', 'outbox.stops', 'outbox.schedules');
const link = [...model('link.chart', 'link'), ...unit('transport.start')];
const sessions = unit('gateway', 'gateway.sweep');
const order = fault('order');

const at = (file: string, tests: readonly string[], list: readonly Piece[]): readonly Mutant[] =>
  list.map(([id, find, replace, real]) => ({ id, file, find, replace, tests, ...(real && { real }) }));
type Piece = readonly [id: string, find: string, replace: string, real?: readonly string[]];

export const mutants: readonly Mutant[] = [
  ...at('machines/session.ts', law, [
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
  ...at('machines/session.states.ts', law, [
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
  ...at('machines/conversation.machine.ts', law, [
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
  ...at('machines/session.setup.ts', law, [
    ['I3: a queued message starts as if asked', "origin === 'user' && !waits &&", "origin === 'user' &&"],
  ]),
  ...at('machines/decide.ts', runner, [
    [
      'I3: a send overtakes the queue',
      'if (atRest(state) && (empty || queue.held)) {',
      'if (atRest(state)) {',
    ],
    [
      'I4: a stop does not hold the queue',
      "const holds = (!queue.held || queue.retry !== undefined) && context.kind === 'conversation';",
      'const holds = false;',
      order,
    ],
    [
      'C42: a second stop is written again',
      'if (open.stage) return { drafts: hold, answer: now };',
      '',
      order,
    ],
    [
      'C26: a stale edit is taken',
      'if (edit.revision !== queue.revision) {',
      'if (edit.revision > queue.revision) {',
      order,
    ],
    [
      'I1: any turn is run again',
      'if (!last || last.id !== turn || !last.message) {',
      'if (!last || !last.message) {',
      order,
    ],
    [
      'I9: a retry keeps its message id',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source code, looked for as it stands
      'message: { id: `${id.slice(0, 180)}~${next}`, content },',
      'message: { id, content },',
      order,
    ],
    [
      'I12: a stop leaves the question open',
      "stage: 'asked' }, ...permissions, ...hold],",
      "stage: 'asked' }, ...hold],",
    ],
    [
      'I4: a late stop does not hold the queue',
      '    return {\n      drafts: hold,\n      answer: now,\n      refused: {',
      '    return {\n      drafts: [],\n      answer: now,\n      refused: {',
    ],
    [
      'I4: a stop of a waiting message stops what runs',
      'if (waits) return { drafts: hold, answer: now };',
      'if (waits && open === null) return { drafts: hold, answer: now };',
    ],
    [
      'C26: an edited queue goes on',
      'queue.held && queue.retry === undefined\n        ? []',
      'queue.held !== undefined\n        ? []',
    ],
  ]),
  ...at('machines/runner.work.ts', runner, [
    [
      'I3: the queue drains from its end',
      'const message = messages[0]?.message;',
      'const message = messages.at(-1)?.message;',
      order,
    ],
    ['I3: a held queue drains', '!rests || held || !message', '!rests || !message', order],
    [
      'D4: a turn starts while the gateway ends',
      'if (context.closing || context.settled || !rests',
      'if (context.settled || !rests',
    ],
    ['I4: a stop waits in line', '  if (stop) return stop;\n', ''],
    ['I4: a send goes into a stop', "state !== 'cancelling' || !waitsForStop.has(command.type)", 'true'],
    [
      'I4: the agent says how a stopped turn ended',
      "if (stopping || stopReason === 'cancelled')",
      "if (stopReason === 'cancelled')",
    ],
    ['I3: a failure does not hold the queue', '? [] : [holdAfter(end.outcome)];', '? [] : [];', order],
    [
      'I12: an end closes nothing',
      "drafts: [...tools, ...permissions, ...job, { type: 'turn.ended',",
      "drafts: [...job, { type: 'turn.ended',",
      order,
    ],
    [
      'D2: guidance in a turn that stops',
      'if (!open || open.stage) return nothing;',
      'if (!open) return nothing;',
    ],
    [
      'C10: a job that is over takes usage',
      "if (context.session.getSnapshot().status !== 'active') return { drafts: [], outputs, dropped: outputs };",
      '',
    ],
    [
      'I3: the agent begins by itself after a stop',
      "session.kind === 'conversation' && (state === 'idle' || state === 'finalized');",
      "session.kind === 'conversation';",
    ],
  ]),
  ...at(
    'machines/reduce.ts',
    [...law, ...runner],
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
  ...at('machines/runner.machine.ts', runner, [
    [
      'C46: the end goes before the last output',
      "            { guard: 'hasUrgentOutput', actions: 'takeOutput', target: 'deciding' },\n            { guard: 'hasEnd', actions: 'takeEnd', target: 'deciding' },",
      "            { guard: 'hasEnd', actions: 'takeEnd', target: 'deciding' },\n            { guard: 'hasUrgentOutput', actions: 'takeOutput', target: 'deciding' },",
    ],
    [
      'I3: the drain goes before commands',
      "            { guard: 'owesStop', actions: 'takeStop', target: 'deciding' },",
      "            { guard: 'hasDrain', actions: 'takeDrain', target: 'deciding' },\n            { guard: 'owesStop', actions: 'takeStop', target: 'deciding' },",
    ],
    [
      'I7: a writer that was fenced tries again',
      "actions: ['giveBack', 'emitFenced', 'stopAgent'], target: 'fenced' },",
      "actions: ['giveBack', 'emitFenced', 'stopAgent'], target: 'blocked' },",
    ],
    [
      'I4: a stop keeps what was not written',
      "actions: ['dropOutput', 'tellAgent', 'tellCancel'],",
      "actions: ['tellAgent', 'tellCancel'],",
    ],
    [
      'I5: a stop does not reach the agent',
      "actions: ['dropOutput', 'tellAgent', 'tellCancel'],",
      "actions: ['dropOutput', 'tellAgent'],",
      order,
    ],
    [
      'D3: a stop on a full disk is forgotten',
      "'stop.unwritten': { actions: ['oweStop', 'dropOutput', 'tellCancel'], target: '.cancelling' },",
      "'stop.unwritten': { actions: ['dropOutput', 'tellCancel'], target: '.cancelling' },",
      fault('disk-full'),
    ],
    [
      'D3: a full disk stops a stop',
      "{ guard: 'asksToStop', actions: ['refuseUnavailable', 'stopAgent'] },",
      '',
      fault('disk-full'),
    ],
    ['I5: nobody insists on a stop', "asked: { after: { cancel: 'terminated' } },", 'asked: {},', order],
    ['I5: SIGTERM is the last word', "after: { terminate: 'killed' },", '', order],
    [
      'I5: a killed agent leaves its turn open',
      "after: { kill: { actions: 'settleKilled', target: '#runner.work.ending' } },",
      '',
    ],
    [
      'I3: the next prompt begins before the end',
      "{ guard: 'ended', actions: 'forget', target: 'resting' },",
      "{ guard: 'stopping', actions: 'forget', target: 'resting' },",
    ],
  ]),
  ...at('machines/runner.setup.ts', runner, [
    [
      'I2: output after the agent has settled',
      'const late = event.turn !== null && (event.turn !== open?.id || context.settled !== null);',
      'const late = event.turn !== null && event.turn !== open?.id;',
    ],
    [
      'C45: output of another turn',
      'const late = event.turn !== null && (event.turn !== open?.id || context.settled !== null);',
      'const late = event.turn !== null && context.settled !== null;',
    ],
    [
      'A7: what comes unasked joins the turn that ends',
      'if (event.turn === null && open && context.settled)',
      'if (Number.isNaN(0))',
    ],
    [
      'I4: output written during a stop stays',
      'const kept = outputs.filter(outlivesStop);',
      'const kept = outputs;',
    ],
    ['D2: guidance that was not taken leaves the queue', 'return event.taken ? {', 'return event ? {', order],
    ['I11: a poll writes what is known', 'if (!progress || same) return {};', 'if (!progress) return {};'],
    ['C24: an answer does not reach the agent', "case 'permission.answered': {", "case 'never' as never: {"],
  ]),
  ...at('machines/runner.guards.ts', runner, [
    [
      'I1: the end of an earlier turn ends this one',
      'return event.turn === null || event.turn === running(context).id;',
      'return true;',
    ],
  ]),
  ...at('machines/outputs.ts', runner, [
    [
      'I4: text of a turn that stops is written',
      'if (this.#cancelling && !isOfSession(output) && !this.#closes(output)) return this.#drop();',
      '',
    ],
    [
      'C24: a question is asked twice',
      'if (this.#permissions.has(output.permission)) return this.#drop();',
      '',
    ],
    [
      'A6: a tool is announced twice',
      'if (this.#seen.has(output.toolCallId)) {\n      // Announced',
      'if (this.#seen.size < 0) {\n      // Announced',
    ],
    ['I6: text says the wrong place', 'part, offset: length, text });', 'part, offset: 0, text });'],
    [
      'A6: a tool that ended ends again',
      'this.drafts.push({ type, turn, toolCallId, status, ...rest });\n        this.#tools.delete(toolCallId);',
      'this.drafts.push({ type, turn, toolCallId, status, ...rest });',
    ],
  ]),
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
  ...at('machines/decide.ts', model('runner.retry'), [
    [
      'I4: a stop leaves a turn that waits to be run again',
      'const holds = (!queue.held || queue.retry !== undefined) &&',
      'const holds = !queue.held &&',
    ],
  ]),
  ...at('machines/runner.machine.ts', model('runner.retry'), [
    [
      'I3: a turn is run again before its time',
      "guard: and([stateIn({ retry: 'due' }), 'hasRetry'])",
      "guard: and(['hasRetry'])",
    ],
  ]),
  ...at('machines/reduce.ts', model('runner.retry'), [
    [
      'I3: what runs meanwhile leaves a turn waiting to be run again',
      "return retry === undefined ? context : { ...context, queue: { ...rest, reason: 'failed' } };",
      'return context;',
    ],
  ]),
  ...at('src/console/transport/connect.ts', unit('transport.start'), [
    [
      'I9: a message of a session that is gone is shown for ever',
      "root.on('over', () => queueMicrotask(settle)),",
      '',
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
    [...sessions, ...fault('order')],
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
    ],
  ),
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
        "open.tell({ type: 'begin', how: 'interrupt', reason });\n        await open.ended(5_000);",
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
        '          host.kill();\n          this.forget(session);',
        '          host.kill();',
      ],
      [
        'I7: the agent of a fenced session goes on',
        '          host.kill();\n          this.forget(session);',
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
    ['I13: silence is taken for life', "after: { quiet: 'stale' },", 'after: {},'],
    [
      'I13: a stale link stays so',
      "after: { quiet: { actions: 'noteReason', target: 'reconnecting' } },",
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

/** Mutants that change nothing that anybody could see, and why: another guard stands behind the one that is gone. */
export const unseen: Readonly<Record<string, string>> = {
  'I4: a stop keeps what was not written':
    'what is left waiting is refused when it is written, because its turn stops; only memory is held a moment longer',
  'I1: the agent settles twice':
    'the runner leaves the prompt with its first report and hears no second one from it',
};
