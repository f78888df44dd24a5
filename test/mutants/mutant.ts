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

/** What it breaks in a few words, the source, what takes its place, and the tests with real processes. */
export type Piece = readonly [id: string, find: string, replace: string, real?: readonly string[]];

/** Tests by their names, without folder and ending. */
export const model = (...names: string[]) => names.map((name) => `test/model/${name}.test.ts`);
export const unit = (...names: string[]) => names.map((name) => `test/unit/${name}.test.ts`);
export const fault = (...names: string[]) => names.map((name) => `test/fault/${name}.test.ts`);
export const order = fault('order');
export const lawTests = model(
  'session.guards',
  'session',
  'session.law',
  'session.chart',
  'runner.turns',
  'runner.stop',
  'runner.random',
);
export const runnerTests = model(
  'runner.guards',
  'runner.turns',
  'runner.stop',
  'runner.log',
  'runner.late',
  'runner.outputs',
  'runner.poll',
  'runner.random',
);

/** Mutants of one file, which the same tests are to find. */
export const at = (file: string, tests: readonly string[], list: readonly Piece[]): readonly Mutant[] =>
  list.map(([id, find, replace, real]) => ({ id, file, find, replace, tests, ...(real && { real }) }));
