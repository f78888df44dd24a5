import type { Mutant } from './mutant.ts';
import { gateway } from './mutants.gateway.ts';
import { page } from './mutants.page.ts';
import { runner } from './mutants.runner.ts';
import { session } from './mutants.session.ts';

export const mutants: readonly Mutant[] = [...session, ...runner, ...gateway, ...page];
