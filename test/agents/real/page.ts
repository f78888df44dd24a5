import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright';
import { launchChromium } from '../../support/chromium.ts';
import { GatewayProcess } from '../../support/process-gateway.ts';
import type { RealAgent } from './agents.ts';
import type { Cell } from './drive.ts';
import { type Play, ScriptedModel } from './model.ts';
import type { Scenario } from './steps.ts';
import { nextScene } from './talk.ts';

/** Its name in the table. */
export const pageScenario: Scenario = {
  name: 'in the page: permission, diff, stop, background job',
  run: async () => undefined,
};

/** Milliseconds: an agent that starts is slow on a busy machine. */
const patience = 90_000;

/** One agent and its conversation, in a tab of its own. */
interface Tab {
  readonly agent: RealAgent;
  readonly page: Page;
  readonly began: number;
  readonly shot: (name: string) => Promise<void>;
}

/**
 * Drives the agents in Chromium as a user does, in one gateway with a conversation for each: what they do to files one after the
 * other, and then all of them at once. With `shots`, takes pictures on the way into that directory.
 */
export async function inPage(
  agents: readonly RealAgent[],
  into: string,
  shots: string | undefined,
): Promise<ReadonlyMap<RealAgent, readonly Cell[]>> {
  const home = mkdtempSync(join(tmpdir(), 'sluice-agents-'));
  const model = new ScriptedModel();
  await model.start();
  const settings = join(home, 'settings.json');
  const entries = agents.map(({ id, name, command: [program = '', ...rest], home: prepare }) => {
    const command = [join(into, id, 'node_modules', '.bin', program), ...rest];
    mkdirSync(join(home, id));
    return { id, name, command, env: prepare(join(home, id), model.urls) };
  });
  writeFileSync(settings, JSON.stringify({ agents: entries }), { mode: 0o600 });
  const gateway = new GatewayProcess(['--settings', settings]);
  await gateway.start();
  model.directory = gateway.root;
  const browser = await launchChromium();
  const cells = new Map<RealAgent, readonly Cell[]>();
  const judge = async ({ agent, began, shot }: Tab, act: () => Promise<void>) => {
    if (cells.get(agent)?.some(({ mark }) => mark === 'FAILED')) return;
    const found: Pick<Cell, 'mark' | 'remark'> = await act().then(
      () => ({ mark: 'ok' }),
      async (error: unknown) => {
        await shot('failed');
        return { mark: 'FAILED', remark: error instanceof Error ? error.message : String(error) };
      },
    );
    cells.set(agent, [{ ...found, seconds: (Date.now() - began) / 1000 }]);
  };
  try {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
    const tabs: Tab[] = [];
    for (const agent of agents) {
      const began = Date.now();
      const page = await context.newPage();
      const shot = async (name: string) => {
        if (shots) await pictures(page, join(shots, `${agent.id}-${name}`));
      };
      const tab: Tab = { agent, page, began, shot };
      tabs.push(tab);
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      await judge(tab, async () => {
        const body = { agent: agent.id, ...(agent.mode && { mode: agent.mode }) };
        const { id } = await gateway.call<{ id: string }>('POST', '/api/sessions', body);
        await page.goto(gateway.openUrl);
        await page.goto(`${gateway.url}/c/${id}`);
        await work(tab);
        assert.deepEqual(errors, []);
      });
    }
    const running = await Promise.all(
      tabs.map(async (tab) => {
        let job = '';
        await judge(tab, async () => {
          job = await run(tab);
        });
        return { tab, job };
      }),
    );
    // All of them stream now, and each of their jobs: the stop of one is nothing to the others.
    for (const { tab, job } of running) {
      await judge(tab, async () => {
        await tab.page.bringToFront();
        await tab.shot('streams');
        await stop(tab, () => model.gate(job).open());
      });
    }
    return cells;
  } finally {
    await browser.close();
    await gateway.end();
    await gateway.remove();
    await model.close();
    rmSync(home, { recursive: true, force: true });
  }
}

const seen = (what: Locator) => what.first().waitFor({ timeout: patience });
const isIn = (page: Page, state: string) => seen(page.locator(`header.head[data-state="${state}"]`));

async function send(page: Page, play: Play, scene = nextScene(), key = 'Enter'): Promise<void> {
  const box = page.getByRole('textbox', { name: 'Message' });
  await box.fill(`Please go on. [[${play} ${scene}]]`);
  await box.press(key);
}

/** A thought, a file that is written, a command, and a long file, each with its permission. */
async function work({ page, shot }: Tab): Promise<void> {
  const allow = page.locator('.permission .button.primary');
  await send(page, 'thought');
  await isIn(page, 'finalized');
  await send(page, 'write');
  await seen(allow);
  await shot('asks');
  await seen(page.locator('.diff'));
  await allow.first().click();
  await isIn(page, 'finalized');
  await send(page, 'shell');
  await seen(allow);
  await allow.first().click();
  await seen(page.getByText('Done.').nth(1));
  await send(page, 'long write');
  await seen(allow);
  await allow.first().click();
  await seen(page.getByText('Done.').nth(2));
}

/** A job in the background, and an answer that streams beside it; the answer is the job's scene. */
async function run({ page }: Tab): Promise<string> {
  const scene = nextScene();
  await send(page, 'held text', scene, 'Control+Enter');
  await seen(page.locator('.job'));
  await send(page, 'held text');
  await seen(page.locator('article.turn[data-open]').getByText('Hello'));
  return scene;
}

async function stop({ page, shot }: Tab, endJob: () => void): Promise<void> {
  await page.getByRole('button', { name: 'Stop', exact: true }).last().click();
  await isIn(page, 'cancelled');
  endJob();
  await shot('stopped');
}

async function pictures(page: Page, name: string): Promise<void> {
  mkdirSync(join(name, '..'), { recursive: true });
  for (const [look, width, colorScheme] of [
    ['light', 1200, 'light'],
    ['dark', 1200, 'dark'],
    ['narrow', 360, 'light'],
  ] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${name}-${look}.png`, animations: 'disabled' });
  }
  await page.setViewportSize({ width: 1200, height: 900 });
}
