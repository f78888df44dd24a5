import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Locator, Page } from 'playwright';
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

/** Drives the agent in Chromium as a user does; with `shots`, takes pictures on the way into that directory. */
export async function inPage(
  agent: RealAgent,
  into: string,
  shots: string | undefined,
): Promise<readonly Cell[]> {
  const began = Date.now();
  const home = mkdtempSync(join(tmpdir(), `sluice-${agent.id}-`));
  const model = new ScriptedModel();
  await model.start();
  const [program = '', ...rest] = agent.command;
  const command = [join(into, agent.id, 'node_modules', '.bin', program), ...rest];
  const settings = join(home, 'settings.json');
  const entry = { id: agent.id, name: agent.name, command, env: agent.home(home, model.urls) };
  writeFileSync(settings, JSON.stringify({ agents: [entry] }), { mode: 0o600 });
  const gateway = new GatewayProcess(['--settings', settings]);
  await gateway.start();
  model.directory = gateway.root;
  const browser = await launchChromium();
  try {
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
    const body = { agent: agent.id, ...(agent.mode && { mode: agent.mode }) };
    const { id } = await gateway.call<{ id: string }>('POST', '/api/sessions', body);
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(gateway.openUrl);
    await page.goto(`${gateway.url}/c/${id}`);
    const shot = async (name: string) => {
      if (shots) await pictures(context, page, join(shots, `${agent.id}-${name}`));
    };
    await use(page, model, shot).catch(async (error) => {
      await shot('failed');
      throw error;
    });
    assert.deepEqual(errors, []);
    return [{ mark: 'ok', seconds: (Date.now() - began) / 1000 }];
  } catch (error) {
    const remark = error instanceof Error ? error.message : String(error);
    return [{ mark: 'FAILED', remark, seconds: (Date.now() - began) / 1000 }];
  } finally {
    await browser.close();
    await gateway.end();
    await gateway.remove();
    await model.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function use(page: Page, model: ScriptedModel, shot: (name: string) => Promise<void>): Promise<void> {
  const box = page.getByRole('textbox', { name: 'Message' });
  const send = async (play: Play, scene = nextScene(), key = 'Enter') => {
    await box.fill(`Please go on. [[${play} ${scene}]]`);
    await box.press(key);
  };
  const seen = (what: Locator) => what.first().waitFor({ timeout: patience });
  const isIn = (state: string) => seen(page.locator(`header.head[data-state="${state}"]`));
  const allow = page.locator('.permission .button.primary');

  await send('thought');
  await isIn('finalized');
  await send('write');
  await seen(allow);
  await shot('asks');
  await seen(page.locator('.diff'));
  await allow.first().click();
  await isIn('finalized');
  await send('shell');
  await seen(allow);
  await allow.first().click();
  await seen(page.getByText('Done.').nth(1));
  await send('long write');
  await seen(allow);
  await allow.first().click();
  await seen(page.getByText('Done.').nth(2));
  const scene = nextScene();
  await send('held text', scene, 'Control+Enter');
  await seen(page.locator('.job'));
  await send('held text');
  await seen(page.locator('article.turn[data-open]').getByText('Hello'));
  await shot('streams');
  await page.getByRole('button', { name: 'Stop', exact: true }).last().click();
  await isIn('cancelled');
  model.gate(scene).open();
  await shot('stopped');
}

async function pictures(context: BrowserContext, page: Page, name: string): Promise<void> {
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
  assert.equal(context.pages().length, 1);
}
