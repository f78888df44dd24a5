import { readFileSync, writeFileSync } from 'node:fs';
import type { RealAgent } from './agents.ts';
import type { Cell } from './drive.ts';
import type { Scenario } from './steps.ts';

/** What came of each scenario with an agent, in their order; a sentence when it was not run. */
export type Results = Map<RealAgent, readonly Cell[] | string>;

/** As Markdown: agents across, scenarios down. A remark is what the user sees where the agent itself does something odd. */
export function table(chosen: readonly Scenario[], results: Results): string {
  const heads = [...results.keys()].map(({ name, version }) => `${name} ${version}`);
  const rows = chosen.map(({ name }, index) => {
    const cells = [...results.values()].map((cells) =>
      textOf(typeof cells === 'string' ? undefined : cells[index]),
    );
    return `| ${name} | ${cells.join(' | ')} |`;
  });
  return [`| scenario | ${heads.join(' | ')} |`, `|---|${heads.map(() => '---').join('|')}|`, ...rows].join(
    '\n',
  );
}

function textOf(cell: Cell | undefined): string {
  if (!cell) return 'not run';
  if (cell.mark === 'ok') return 'ok';
  const said = (cell.remark ?? '').replace(/\s+/g, ' ').replaceAll('|', '/');
  return cell.mark === 'FAILED' ? `**FAILED**: ${said.slice(0, 160)}` : said.slice(0, 160);
}

const marks = ['<!-- made by `npm run test:agents` -->', '<!-- end of what is made -->'] as const;

/** Puts the table between the marks of a document; cells of scenarios and agents that were not played stay. */
export function intoDocument(file: string, chosen: readonly Scenario[], results: Results): void {
  const [before, rest] = readFileSync(file, 'utf8').split(marks[0]);
  const [old, after] = rest?.split(marks[1]) ?? [];
  if (before === undefined || old === undefined || after === undefined)
    throw new Error(`${file} has no place for the table: write ${marks.join(' and ')} into it`);
  const merged = merge(old.trim(), table(chosen, results));
  writeFileSync(file, `${before}${marks[0]}\n\n${merged}\n\n${marks[1]}${after}`);
}

function merge(old: string, fresh: string): string {
  const [was, is] = [old, fresh].map((text) => text.split('\n').map((line) => line.split('|').slice(1, -1)));
  const [heads = [], , ...rows] = is ?? [];
  const [oldHeads = [], , ...oldRows] = was ?? [];
  const all = [...oldHeads, ...heads.filter((head) => !oldHeads.includes(head))];
  const names = [...oldRows, ...rows].map(([name = '']) => name);
  const cell = (table: string[][], tableHeads: string[], name: string, head: string) =>
    table.find(([first]) => first === name)?.[tableHeads.indexOf(head)];
  const lines = [...new Set(names)].map((name) =>
    all.map((head) => cell(rows, heads, name, head) ?? cell(oldRows, oldHeads, name, head) ?? ' not run '),
  );
  return [all, all.map(() => '---'), ...lines].map((cells) => `|${cells.join('|')}|`).join('\n');
}
