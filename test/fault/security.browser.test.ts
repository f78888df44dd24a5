import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium } from 'playwright';
import { expect, it, onTestFinished } from 'vitest';
import { findChromium } from '../../src/setup/chromium.mjs';
import { serve, temporaryDirectory } from '../support/gateway-server.ts';

/** The page leaves what it saw in its title: nothing else of it can be read under its own policy. */
const own = `
  const saw = { inline: window.inline ?? 'blocked', address: location.href, cookie: document.cookie };
  saw.list = (await fetch('/api/sessions')).status;
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ agent: 'builtin', id: 'mine' });
  saw.create = (await fetch('/api/sessions', { method: 'POST', headers, body })).status;
  saw.events = await new Promise((done) => {
    const source = new EventSource('/api/sessions/mine/events');
    source.onopen = () => done('open');
    source.onerror = () => done('refused');
  });
  saw.live = await new Promise((done) => {
    const socket = new WebSocket('/api/live');
    socket.onmessage = ({ data }) => done(JSON.parse(data).type);
    socket.onerror = () => done('refused');
  });
  try { saw.eval = eval('1'); } catch { saw.eval = 'blocked'; }
  document.title = JSON.stringify(saw);`;

const foreign = (url: string) => `<!doctype html><script type="module">
  const saw = {};
  const credentials = 'include';
  saw.list = await fetch('${url}api/sessions', { credentials }).then(({ status }) => status, () => 'blocked');
  const body = '{"agent":"builtin","id":"theirs"}';
  saw.create = await fetch('${url}api/sessions', { method: 'POST', mode: 'no-cors', credentials, body })
    .then(({ type }) => type, () => 'blocked');
  saw.live = await new Promise((done) => {
    const socket = new WebSocket('${url.replace('http', 'ws')}api/live');
    socket.onopen = () => done('open');
    socket.onerror = () => done('refused');
  });
  const frame = document.createElement('iframe');
  frame.src = '${url}';
  await new Promise((done) => { frame.onload = done; document.body.append(frame); });
  document.title = JSON.stringify(saw);
</script><body></body>`;

it('in a real browser the page of the gateway gets in by its address, and the page of another port does not', async () => {
  const pages = temporaryDirectory();
  mkdirSync(join(pages, 'assets'));
  writeFileSync(join(pages, 'assets/page.js'), own);
  const html =
    '<!doctype html><script>window.inline = "ran"</script><script type="module" src="/assets/page.js"></script>';
  writeFileSync(join(pages, 'index.html'), html);
  const { openUrl, url, fake } = await serve({ pages });
  const other = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(foreign(url));
  });
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  const executablePath = findChromium();
  const browser = await chromium.launch({
    ...(executablePath !== undefined && { executablePath }),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic'],
  });
  onTestFinished(async () => {
    await browser.close();
    other.close();
  });
  const context = await browser.newContext();
  const visit = async (address: string) => {
    const page = await context.newPage();
    await page.goto(address);
    await expect.poll(() => page.title(), { timeout: 10_000 }).toMatch(/^\{/);
    return {
      saw: JSON.parse(await page.title()) as object,
      frames: page.frames().map((frame) => frame.url()),
    };
  };

  expect((await visit(openUrl)).saw).toEqual({
    inline: 'blocked',
    address: url,
    cookie: '',
    list: 200,
    create: 201,
    events: 'open',
    live: 'hello',
    eval: 'blocked',
  });
  const before = fake.calls.length;
  const { saw, frames } = await visit(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
  expect(saw).toEqual({ list: 'blocked', create: 'blocked', live: 'refused' });
  expect(frames).toContain('chrome-error://chromewebdata/');
  expect(fake.calls.slice(before)).toEqual([]);
});
