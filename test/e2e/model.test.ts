import type { Browser } from 'playwright';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import { launchChromium, Tab } from '../support/chromium.ts';
import { answer, Gate, type ModelServer, start } from '../support/model-server.ts';
import { GatewayProcess } from '../support/process-gateway.ts';

let browser: Browser;
let gateway: GatewayProcess;
let server: ModelServer;
const gate = new Gate();

beforeEach(async () => {
  server = await start({
    models: ['scripted'],
    script: [
      {
        // Cut inside characters and inside events.
        cut: [7, 3, 11],
        steps: [
          { text: '<th' },
          { text: 'ink>Which word? 水門.</th' },
          { text: 'ink>A **sluice** is a 水門 🌊' },
          { gate },
          { text: ', that is a gate.' },
          { finish: 'stop' },
          { usage: { prompt_tokens: 12, completion_tokens: 34, total_tokens: 46 } },
          { done: true },
        ],
      },
      { status: 429, headers: { 'retry-after': '1' }, body: { error: { message: 'slow down' } } },
      { steps: [{ text: 'Half an ans' }, { drop: true }] },
      answer('The whole answer.'),
    ],
  });
  gateway = new GatewayProcess([], {
    SLUICE_MODEL_URL: server.url,
    SLUICE_MODEL_NAME: 'scripted',
    SLUICE_MODEL_KEY: 'a-secret-key',
  });
  await gateway.start();
  browser = await launchChromium();
});
afterEach(async () => {
  await browser.close();
  await gateway.remove();
  await server.close();
});

describe('a model server behind the page', () => {
  it('answers with thoughts and text, is retried in sight, and an early end is failed with its text kept (C41, C44)', {
    timeout: 120_000,
  }, async () => {
    const tab = await Tab.open(await browser.newContext(), gateway.openUrl);
    const { page } = tab;
    await page.getByRole('button', { name: 'New', exact: true }).click();
    await page.getByRole('radio', { name: /^Model/ }).click({ force: true });
    await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click();
    const box = page.getByRole('textbox', { name: 'Message' });
    const rows = page.locator('article.turn');

    await box.fill('What is a sluice?');
    await box.press('Enter');
    await expect
      .poll(() => rows.nth(0).locator('.turn-parts').textContent())
      .toContain('A sluice is a 水門 🌊');
    expect(await rows.nth(0).locator('strong').textContent()).toBe('sluice');
    gate.open();
    await expect.poll(() => rows.nth(0).getAttribute('data-open')).toBe(null);
    const first = await rows.nth(0).locator('.turn-parts').textContent();
    expect(first).toContain('that is a gate.');
    expect(first).not.toContain('think>');

    await box.fill('And again?');
    await box.press('Enter');
    await expect.poll(() => rows.nth(1).textContent()).toMatch(/429|slow down|again in|Retry|Trying/i);
    await expect.poll(() => rows.nth(1).textContent()).toContain('Half an ans');
    await expect.poll(() => page.locator('header.head').getAttribute('data-state')).toBe('failed');
    expect(await rows.nth(1).textContent()).toMatch(/ended|broke|cut|complete/i);

    await rows
      .nth(1)
      .getByRole('button', { name: /retry|again/i })
      .click();
    await expect.poll(() => rows.nth(2).locator('.turn-parts').textContent()).toContain('The whole answer.');
    await expect.poll(() => page.locator('header.head').getAttribute('data-state')).toBe('finalized');

    const { sessions } = await gateway.call<{ sessions: SessionSnapshot[] }>('GET', '/api/sessions');
    const session = await gateway.call<SessionSnapshot>('GET', `/api/sessions/${sessions[0]?.id}`);
    expect(session.turns.map((turn) => [turn.outcome, turn.retryOf !== undefined])).toEqual([
      ['finalized', false],
      ['failed', false],
      ['finalized', true],
    ]);
    expect(session.turns[0]?.parts.map((part) => part.type)).toEqual(['thought', 'text']);
    expect(JSON.stringify(session)).not.toContain('a-secret-key');
    expect(server.requests[0]?.headers.authorization).toBe('Bearer a-secret-key');
    expect(tab.errors).toEqual([]);
  });
});
