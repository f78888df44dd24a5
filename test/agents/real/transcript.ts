import { readFileSync, writeFileSync } from 'node:fs';

/** A JSON-RPC message without its `jsonrpc`. */
export interface Wired {
  readonly id?: number | string | null;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** What happened, in its order; `p` counts the processes of the agent. */
export type Line =
  | { readonly p: number; readonly to: Wired }
  | { readonly p: number; readonly from: Wired }
  /** It ended by itself. */
  | { readonly p: number; readonly exit: number }
  /**
   * The driver let a held model go on, saw that it had been asked, or (`seen`) had read what was said by then when it
   * stopped or killed the agent. Gates are counted as they are used, and so is what was seen.
   */
  | { readonly mark: 'open' | 'reached' | 'seen'; readonly gate: number };

/** One scenario as it went with a real agent. */
export interface Recorded {
  readonly scenario: string;
  /** What the agent did oddly, as in the table. */
  readonly remark?: string;
  /** What a user saw: see `outline`. */
  readonly rows: readonly string[];
  readonly lines: readonly Line[];
}

export interface Transcript {
  readonly agent: string;
  readonly name: string;
  readonly version: string;
  readonly scenes: readonly Recorded[];
}

/** JSON lines: a head, messages that occur often (`shared`, named `#N`), and each scene with its lines. */
export function writeTranscript(file: string, { scenes, ...head }: Transcript): void {
  const counts = new Map<string, number>();
  for (const { lines } of scenes)
    for (const line of lines) {
      const text = JSON.stringify(wiredOf(line) ?? '');
      if (text.length > 120) counts.set(text, (counts.get(text) ?? 0) + 1);
    }
  const shared = [...counts].flatMap(([text, count]) => (count > 1 ? text : []));
  const out: string[] = [JSON.stringify(head), ...shared.map((text) => `{"shared":${text}}`)];
  for (const { lines, ...scene } of scenes) {
    out.push(JSON.stringify(scene));
    for (const line of lines) {
      const at = shared.indexOf(JSON.stringify(wiredOf(line) ?? ''));
      if (at < 0) out.push(JSON.stringify(line));
      else if ('to' in line) out.push(JSON.stringify({ p: line.p, to: `#${at}` }));
      else if ('from' in line) out.push(JSON.stringify({ p: line.p, from: `#${at}` }));
    }
  }
  writeFileSync(file, `${out.join('\n')}\n`);
}

export function readTranscript(file: string): Transcript {
  const [head = '{}', ...rest] = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const shared: Wired[] = [];
  const scenes: (Omit<Recorded, 'lines'> & { readonly lines: Line[] })[] = [];
  const wired = (one: Wired | string) =>
    typeof one === 'string' ? (shared[Number(one.slice(1))] ?? {}) : one;
  for (const text of rest) {
    const one = JSON.parse(text);
    if ('shared' in one) shared.push(one.shared);
    else if ('scenario' in one) scenes.push({ ...one, lines: [] });
    else if ('to' in one) scenes.at(-1)?.lines.push({ ...one, to: wired(one.to) });
    else if ('from' in one) scenes.at(-1)?.lines.push({ ...one, from: wired(one.from) });
    else scenes.at(-1)?.lines.push(one);
  }
  return { ...JSON.parse(head), scenes };
}

function wiredOf(line: Line): Wired | undefined {
  if ('to' in line) return line.to;
  return 'from' in line ? line.from : undefined;
}
