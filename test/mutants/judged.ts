const model = (...names: string[]) => names.map((name) => `test/model/${name}.test.ts`);
const unit = (...names: string[]) => names.map((name) => `test/unit/${name}.test.ts`);

const folds = [
  ...unit('wire-fold.kinds', 'wire-fold', 'wire-fold.misfits', 'wire-facts'),
  ...model('runner.outputs'),
];
const sessions = model(
  'session.guards',
  'session.read',
  'session.job',
  'session.chart',
  'orchestrator.reading',
  'orchestrator',
  'effects',
);
const runner = model(
  'runner.chart',
  'runner.guards',
  'runner.turns',
  'runner.begin',
  'runner.late',
  'runner.batches',
  'runner.signs',
  'runner.stop',
  'runner.log',
  'runner.outputs',
  'runner.poll',
  'runner.jobs',
  'runner.retry',
  'effects',
);
const names = unit('inspector.names');
const outbox = [...model('outbox.chart', 'outbox', 'outbox.stops'), ...names];
const links = [...model('link.chart', 'link'), ...names];

/**
 * The sources whose every mutant is made, each with the tests that are to find them; the most important ones first. Left
 * out are the searches (minutes for one mutant) and files that hold shapes alone: `content.ts`, `facts.ts`, `turn.ts`, `output.ts`,
 * `snapshot.ts`, `live.ts`, `inspect.ts`, `immutable.ts` of the wire and `runner.types.ts`.
 */
export const judged: Readonly<Record<string, readonly string[]>> = {
  'src/wire/fold.ts': folds,
  'machines/decide.ts': model('decide', 'runner.turns'),
  'machines/answers.ts': model('decide', 'runner.outputs'),
  'machines/refuse.ts': model('decide'),
  'machines/outputs.ts': model('outputs', 'runner.outputs'),
  'machines/session.ts': model('session', 'session.guards', 'decide'),
  'machines/session.setup.ts': sessions,
  'machines/runner.guards.ts': runner,
  'machines/runner.setup.ts': runner,
  'machines/runner.pending.ts': runner,
  'machines/runner.work.ts': runner,
  'machines/outbox.entries.ts': model('outbox.entries', 'outbox', 'outbox.stops'),
  'machines/outbox.setup.ts': outbox,
  'machines/link.machine.ts': links,
  'machines/link.subscriptions.ts': links,
  'machines/changes.ts': model('changes'),
  'machines/earlier.machine.ts': [...model('earlier'), ...names],
  'machines/imported.ts': model('imported'),
  'machines/closings.ts': model('decide', 'runner.outputs', 'runner.stop'),
  'machines/reduce.ts': model('reduce', 'session.guards', 'session.chart'),
  'src/wire/think.ts': unit('think'),
  'src/wire/cursor.ts': unit('wire-cursor'),
  'src/wire/requests.ts': unit('wire-requests'),
  'src/wire/form.ts': unit('wire-form'),
  'src/wire/form.schema.ts': unit('wire-form'),
  'src/wire/options.ts': unit('wire-options'),
  'machines/session.outputs.ts': model('outputs'),
  'machines/law.ts': model('session.guards', 'decide', 'session.chart', 'session.law'),
  'machines/turn.logic.ts': model('turn'),
  'machines/transition.id.ts': unit('inspector.chart', 'inspector.lines'),
  'machines/directory.lines.ts': model('directory.lines', 'directory'),
  'machines/directory.machine.ts': [...model('directory.chart', 'directory'), ...names],
  'machines/orchestrator.machine.ts': [
    ...model('orchestrator.keeping', 'orchestrator', 'orchestrator.reading'),
    ...names,
  ],
  'machines/outbox.machine.ts': outbox,
  'machines/runner.machine.ts': runner,
  'machines/session.states.ts': sessions,
  'machines/conversation.machine.ts': sessions,
  'machines/job.machine.ts': sessions,
  'machines/inspection.plain.ts': unit('inspector.plain'),
  'machines/inspection.ts': unit(
    'inspector.lines',
    'inspector.sessions',
    'inspector.inspection',
    'inspector.names',
  ),
};
