import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findChromium } from '../../src/setup/chromium.mjs';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-chromium-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('takes the browser that SLUICE_CHROMIUM names before any other', () => {
  const own = join(dir, 'my-browser');
  writeFileSync(own, '');
  chmodSync(own, 0o755);
  expect(findChromium({ PATH: '/usr/bin', SLUICE_CHROMIUM: own })).toBe(own);
});

it('says so when SLUICE_CHROMIUM names nothing that can be run, and takes no other', () => {
  expect(() => findChromium({ PATH: '/usr/bin', SLUICE_CHROMIUM: join(dir, 'gone') })).toThrow(
    /SLUICE_CHROMIUM/,
  );
});
