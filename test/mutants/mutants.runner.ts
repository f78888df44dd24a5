import { at, fault, type Mutant, model, order, runnerTests } from './mutant.ts';

/** Rules of the only writer: what it decides, when it writes, what it tells the agent. */
export const runner: readonly Mutant[] = [
  ...at('machines/decide.ts', runnerTests, [
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
  ...at('machines/runner.work.ts', runnerTests, [
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
  ...at('machines/runner.machine.ts', runnerTests, [
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
      'I5: a stop does not reach the agent',
      "actions: ['tellAgent', 'tellCancel'], target: '.cancelling' },",
      "actions: ['tellAgent'], target: '.cancelling' },",
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
  ...at('machines/runner.setup.ts', runnerTests, [
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
  ...at('machines/runner.guards.ts', runnerTests, [
    [
      'I1: the end of an earlier turn ends this one',
      'return event.turn === null || event.turn === running(context).id;',
      'return true;',
    ],
  ]),
  ...at('machines/outputs.ts', runnerTests, [
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
  ...at('machines/decide.ts', model('runner.retry'), [
    [
      'I4: a stop leaves a turn that waits to be run again',
      'const holds = (!queue.held || queue.retry !== undefined) &&',
      'const holds = !queue.held &&',
    ],
  ]),
  ...at('machines/runner.work.ts', model('runner.retry'), [
    [
      'I3: a turn is run again before its time',
      'return retryWait(context) === 0 ?',
      'return !context.closing ?',
    ],
  ]),
];
