import type { Mutant } from './mutant.ts';
import { gateway } from './mutants.gateway.ts';
import { page } from './mutants.page.ts';
import { runner } from './mutants.runner.ts';
import { session } from './mutants.session.ts';

export const mutants: readonly Mutant[] = [...session, ...runner, ...gateway, ...page];

/** Mutants that change nothing that anybody could see, and why: another guard stands behind the one that is gone. */
export const unseen: Readonly<Record<string, string>> = {
  'I1: the agent settles twice':
    'the runner leaves the prompt with its first report and hears no second one from it',
};
