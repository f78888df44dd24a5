import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Coverage } from './coverage.ts';
import type { Played } from './worker.program.ts';

/** What all schedules of a search came to. */
export class Totals {
  runs = 0;
  steps = 0;
  events = 0;
  facts = 0;
  /** Of searching, over all the parts of a search that was cut. */
  seconds = 0;
  readonly hits = new Map<string, number>();
  readonly coverage = new Coverage();
  readonly failed: Played['failed'][number][] = [];

  add(played: Played): void {
    this.runs += played.runs;
    this.steps += played.steps;
    this.events += played.events;
    this.facts += played.facts;
    this.coverage.merge(played);
    this.failed.push(...played.failed);
    for (const [name, count] of played.hits) this.hits.set(name, (this.hits.get(name) ?? 0) + count);
  }

  get speed(): string {
    const per = (count: number) => `${Math.round(count / this.seconds)}/s`;
    const { size } = this.coverage.situations;
    return (
      `${this.seconds.toFixed(0)} s: ${this.runs} schedules (${(this.runs / this.seconds).toFixed(1)}/s), ` +
      `steps ${per(this.steps)}, events ${per(this.events)}, facts ${per(this.facts)}, ` +
      `${size} distinct situations (${per(size)}), ${this.failed.length} failed`
    );
  }
}

/** Where a search stands, so that one that was cut goes on. */
export interface Place {
  /** The first of its fresh seeds. */
  readonly first: number;
  /** How many of its seeds were given out, fixed and fresh. */
  readonly next: number;
  /** Of these, what was not finished. */
  readonly open: readonly (readonly [from: number, size: number])[];
}

const root = resolve(import.meta.dirname, '../../..');
const file = join(root, 'node_modules/.cache/sluice-simulation.json');

/** A schedule means what it means only for the sources that play it. */
function sources(): string {
  const hash = createHash('sha256');
  const found = globSync(
    ['machines/**/*.ts', 'src/**/*.ts', 'test/model/simulation/*.ts', 'test/support/*.ts'],
    {
      cwd: root,
    },
  );
  for (const path of found.sort()) hash.update(path).update(readFileSync(join(root, path)));
  return hash.digest('base64url');
}

/** Keeps the whole of a long search, whole or not at all. */
export function keep(totals: Totals, place: Place): void {
  const { coverage, hits, ...rest } = totals;
  const { transitions, states, situations } = coverage;
  const text = JSON.stringify({
    ...{ key: sources(), place, ...rest, hits: [...hits] },
    ...{ transitions: [...transitions], states: [...states], situations: [...situations] },
  });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** A search over these very sources that was cut; undefined when there is none. */
export function resume(): { readonly totals: Totals; readonly place: Place } | undefined {
  if (!existsSync(file)) return undefined;
  const { key, place, seconds, ...played } = JSON.parse(readFileSync(file, 'utf8'));
  if (key !== sources()) return undefined;
  const totals = new Totals();
  totals.add(played as Played);
  totals.seconds = seconds as number;
  return { totals, place: place as Place };
}
