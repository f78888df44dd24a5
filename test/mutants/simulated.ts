import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Mutant } from './mutant.ts';
import { mutants } from './mutants.ts';
import { copyTree, Kept, keyOf, mutate } from './tree.ts';

export interface Simulated {
  readonly key: string;
  /** Schedules that were played: up to the one that found it, or all. */
  readonly played: number;
  readonly seed?: string;
  readonly invariant?: string;
}

export interface SimulatedOptions {
  readonly wanted: readonly Mutant[];
  readonly schedules: number;
  readonly threads: number;
  readonly fresh: boolean;
  /** Milliseconds since 1970. */
  readonly end: number;
}

interface Played {
  readonly played: number;
  readonly seed?: string;
  readonly invariant?: string;
  readonly what?: string;
}

const firstSeed = 1;
/** A mutant may turn for ever: so long without a word is an end too. */
const silenceMs = 120_000;
const running = new Set<number>();
const copies = new Set<string>();

/** Ends what runs and removes what was copied. */
export function abandon(): void {
  for (const pid of running) process.kill(pid, 'SIGKILL');
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
}

export function simulatedVerdicts(fresh = false): Kept<Simulated> {
  return new Kept<Simulated>('sluice-mutants-simulated.json', fresh);
}

async function play(tree: string, from: number, count: number, end: number): Promise<Played> {
  const program = join(tree, 'test/mutants/schedules.program.ts');
  const args = ['--disable-warning=ExperimentalWarning', program, String(from), String(count)];
  const child = spawn(process.execPath, args, { cwd: tree, stdio: ['ignore', 'pipe', 'ignore'] });
  const pid = child.pid as number;
  running.add(pid);
  let last: Played = { played: 0 };
  let silence: NodeJS.Timeout | undefined;
  let isSilent = false;
  const listen = () => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      isSilent = true;
      child.kill('SIGKILL');
    }, silenceMs);
  };
  listen();
  for await (const line of createInterface({ input: child.stdout })) {
    listen();
    last = JSON.parse(line) as Played;
    if (Date.now() > end) child.kill('SIGKILL');
  }
  clearTimeout(silence);
  running.delete(pid);
  if (isSilent) return { ...last, seed: String(from + last.played), invariant: 'no end' };
  const isWhole = last.seed !== undefined || last.played === count || Date.now() > end;
  return isWhole ? last : { ...last, seed: String(from + last.played), invariant: 'the world itself ended' };
}

/** The first schedule that breaks an invariant with the mutant and none without it. */
async function tryOne(
  copy: string,
  mutant: Mutant,
  options: SimulatedOptions,
): Promise<Simulated | undefined> {
  const { schedules, end } = options;
  const key = keyOf(mutant);
  for (let played = 0; played < schedules; ) {
    const mend = mutate(copy, mutant);
    const found = await play(copy, firstSeed + played, schedules - played, end).finally(mend);
    played += found.played;
    if (found.seed === undefined) return played >= schedules ? { key, played } : undefined;
    const sound = await play(copy, Number(found.seed), 1, end);
    if (sound.seed === undefined) return { key, played, seed: found.seed, invariant: found.invariant ?? '' };
    process.stdout.write(
      `seed ${found.seed} breaks ${sound.invariant} without any mutant too: ${sound.what}\n`,
    );
  }
  return { key, played: schedules };
}

/** Plays the simulation against each mutant; what was found is kept, so that a run that was cut goes on. */
export async function simulateAll(options: SimulatedOptions): Promise<void> {
  const kept = simulatedVerdicts(options.fresh);
  const isDone = (mutant: Mutant) => {
    const known = kept.of(mutant);
    return known !== undefined && (known.seed !== undefined || known.played >= options.schedules);
  };
  const todo = options.wanted.filter((mutant) => !isDone(mutant));
  let next = 0;
  const work = async () => {
    const copy = copyTree();
    copies.add(copy);
    try {
      for (let mutant = todo[next++]; mutant && Date.now() < options.end; mutant = todo[next++]) {
        const found = await tryOne(copy, mutant, options);
        if (!found) return;
        kept.keep(mutant, found);
        const how = found.seed ? `${found.invariant} by seed ${found.seed}` : 'NOT SEEN';
        process.stdout.write(`${next}/${todo.length} ${mutant.id}: ${how}, ${found.played} schedules\n`);
      }
    } finally {
      rmSync(copy, { recursive: true, force: true });
      copies.delete(copy);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.threads, todo.length) }, work));
  const verdicts = mutants.map((mutant) => kept.of(mutant));
  const seen = verdicts.filter((verdict) => verdict?.seed !== undefined);
  const most = Math.max(0, ...seen.map((verdict) => verdict?.played ?? 0));
  process.stdout.write(
    `The simulation was played against ${verdicts.filter(Boolean).length} of ${mutants.length} mutants and saw ${seen.length}, ` +
      `the last of them after ${most} schedules.\n`,
  );
}
