import { resolve } from 'node:path';
import type { Browser, CDPSession } from 'playwright';
import { build, type PreviewServer, preview } from 'vite';
import solid from 'vite-plugin-solid';
import { launchChromium } from '../support/chromium.ts';
import { readOptions } from '../support/options.ts';
import type { Seen } from './page/main.ts';

/**
 * Measures the page that streams, beside the least that a page can do, in one run and in turns: what is compared has met the same
 * machine. Times are of this machine; what is worth quoting are the ratios.
 */
const { values, count, misuse } = readOptions(
  {
    options: { rounds: { type: 'string' }, only: { type: 'string', default: '' }, help: { type: 'boolean' } },
  },
  'npm run bench -- [--rounds 3] [--only TEXT]',
);
const rounds = count('rounds') ?? 3;
const subjects = ['floor', 'sluice'] as const;
type Subject = (typeof subjects)[number];

interface Scene {
  readonly rows: number;
  /** UTF-16 units that the growing row begins with, and how many come, in how many pieces. */
  readonly begun: number;
  readonly size: number;
  readonly count: number;
  /** All at once without it. */
  readonly pace?: { readonly atOnce: number; readonly everyMs: number };
}

const restMs = 3_000;
const pace = { atOnce: 5, everyMs: 10 };
const short = { begun: 0, size: 12_000, count: 1_000, pace };
const scenes = {
  'all at once': { rows: 200, begun: 0, size: 48_000, count: 4_000 },
  '500 pieces a second': { rows: 200, begun: 0, size: 48_000, count: 4_000, pace },
  // Adjacent text is one fact of 20 ms: what a page gets of these 500.
  'as a gateway joins them': {
    rows: 200,
    begun: 0,
    size: 48_000,
    count: 400,
    pace: { atOnce: 1, everyMs: 20 },
  },
  'a message of 1 KB': { ...short, rows: 50, begun: 1_000 },
  'a message of 100 KB': { ...short, rows: 50, begun: 100_000 },
  'nothing comes': { rows: 50, begun: 1_000, size: 0, count: 0 },
  '100 rows': { ...short, rows: 100 },
  '1,000 rows': { ...short, rows: 1_000 },
} as const satisfies Record<string, Scene>;
type Name = keyof typeof scenes;

interface Measured extends Seen {
  /** Of the main thread, in ms. */
  readonly cpu: number;
  readonly openMs: number;
  readonly said: number;
}

const root = resolve(import.meta.dirname, 'page');
const outDir = resolve(import.meta.dirname, '../../node_modules/.cache/bench');

async function serve(): Promise<PreviewServer> {
  const shared = { configFile: false, root, publicDir: false, logLevel: 'error' } as const;
  await build({ ...shared, plugins: [solid()], build: { outDir, emptyOutDir: true, target: 'es2023' } });
  return preview({ ...shared, build: { outDir }, preview: { host: '127.0.0.1', port: 0, open: false } });
}

async function busy(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1_000;
}

async function measure(browser: Browser, url: string, subject: Subject, scene: Scene): Promise<Measured> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 } });
  try {
    const page = await context.newPage();
    page.on('pageerror', (error) => process.stdout.write(`the page says: ${error.message}\n`));
    await page.goto(`${url}?subject=${subject}`);
    const openMs = await page.evaluate(({ rows, begun }) => window.bench.open(rows, begun), scene);
    await page.evaluate(({ count, size }) => window.bench.prepare(count, size), scene);
    const session = await context.newCDPSession(page);
    await session.send('Performance.enable');
    await session.send('HeapProfiler.collectGarbage');
    const before = await busy(session);
    const seen = await page.evaluate((given) => window.bench.play(given), scene.pace);
    if (scene.count === 0) await page.waitForTimeout(restMs);
    const cpu = (await busy(session)) - before;
    return { ...seen, cpu, openMs, said: await page.evaluate(() => window.bench.said()) };
  } finally {
    await context.close();
  }
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(at)] as number) + (sorted[Math.ceil(at)] as number)) / 2;
}

const found = new Map<string, Measured[]>();
const of = (name: Name, subject: Subject, read: (one: Measured) => number) =>
  median((found.get(`${name}/${subject}`) ?? []).map(read));

function table(): string {
  const rows: string[][] = [];
  const has = (name: Name) => found.has(`${name}/floor`);
  const beside = (what: string, name: Name, read: (one: Measured) => number, unit: string, digits = 0) => {
    if (!has(name)) return;
    const [floor, sluice] = subjects.map((subject) => of(name, subject, read)) as [number, number];
    const text = (value: number) => `${value.toFixed(digits)} ${unit}`.trim();
    rows.push([what, text(floor), text(sluice), floor > 0 ? (sluice / floor).toFixed(2) : '']);
  };
  const within = (what: string, small: Name, large: Name, read: (one: Measured) => number) => {
    if (!has(small) || !has(large)) return;
    const [floor, sluice] = subjects.map((subject) => of(large, subject, read) / of(small, subject, read));
    rows.push([what, `${floor?.toFixed(2)} ×`, `${sluice?.toFixed(2)} ×`, '']);
  };
  const cpu = (one: Measured) => one.cpu;
  const burst = 'all at once';
  const steady = '500 pieces a second';
  beside('4,000 pieces at once: CPU for each', burst, (one) => (one.cpu / one.pieces) * 1_000, 'µs', 1);
  beside('… until all is on the page', burst, (one) => one.ms, 'ms');
  beside('… longest task', burst, (one) => one.longest, 'ms');
  beside('500 a second: CPU of 8 s', steady, cpu, 'ms');
  beside('… updates a second', steady, (one) => (one.updates / one.ms) * 1_000, '', 1);
  beside('… tasks over 50 ms', steady, (one) => one.longTasks, '');
  beside('… last piece to the page', steady, (one) => one.lastMs, 'ms', 1);
  beside('… changes to finished rows', steady, (one) => one.touched, '');
  beside('… elements made for each that is left', steady, (one) => one.made, '', 2);
  beside('the same as a gateway joins them', 'as a gateway joins them', cpu, 'ms');
  beside('a turn in which nothing comes: CPU of 3 s', 'nothing comes', cpu, 'ms');
  within('CPU in a message of 100 KB, of one of 1 KB', 'a message of 1 KB', 'a message of 100 KB', cpu);
  within('CPU under 1,000 rows, of that under 100', '100 rows', '1,000 rows', cpu);
  const opened = (one: Measured) => one.openMs;
  beside(
    'a conversation is opened: until its newest 50 turns are on the page',
    'a message of 1 KB',
    opened,
    'ms',
  );
  beside('1,000 rows: until they are on the page', '1,000 rows', opened, 'ms');
  const head = ['What', 'Floor', 'Sluice', 'Sluice / floor'];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const wanted = (Object.keys(scenes) as Name[]).filter((name) => name.includes(values.only));
if (wanted.length === 0)
  misuse(`--only ${values.only}: no scene says so; there are ${Object.keys(scenes).join(', ')}.`);

const server = await serve();
const browser = await launchChromium();
try {
  const url = server.resolvedUrls?.local[0] as string;
  for (let round = 1; round <= rounds; round++) {
    for (const name of wanted) {
      const said = new Set<number>();
      for (const subject of round % 2 === 1 ? subjects : [...subjects].reverse()) {
        const measured = await measure(browser, url, subject, scenes[name]);
        const key = `${name}/${subject}`;
        found.set(key, [...(found.get(key) ?? []), measured]);
        said.add(measured.said);
        process.stdout.write(`${round}/${rounds} ${name}, ${subject}: ${measured.cpu.toFixed(0)} ms\n`);
      }
      // The floor holds back a mark that may still become something.
      if (Math.max(...said) - Math.min(...said) > 8)
        process.stdout.write(`${name}: they do not say the same: ${[...said].join(', ')}\n`);
    }
  }
  process.stdout.write(`\n${table()}\n`);
} finally {
  await browser.close();
  await server.close();
}
