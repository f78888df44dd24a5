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

/** Puts the table between the marks of a document; the rest of it stays. */
export function intoDocument(file: string, chosen: readonly Scenario[], results: Results): void {
  const [before, rest] = readFileSync(file, 'utf8').split(marks[0]);
  const after = rest?.split(marks[1])[1];
  if (before === undefined || after === undefined)
    throw new Error(`${file} has no place for the table: write ${marks.join(' and ')} into it`);
  writeFileSync(file, `${before}${marks[0]}\n\n${table(chosen, results)}\n\n${marks[1]}${after}`);
}
