// Finds a Chromium for the tests that need a browser. Plain JavaScript: it runs before anything is installed.
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** @param {NodeJS.ProcessEnv} env */
function usualPlaces(env) {
  if (process.platform === 'darwin') {
    const apps = ['/Applications', join(env.HOME ?? '', 'Applications')];
    return apps.flatMap((dir) => [
      join(dir, 'Google Chrome.app/Contents/MacOS/Google Chrome'),
      join(dir, 'Chromium.app/Contents/MacOS/Chromium'),
      join(dir, 'Microsoft Edge.app/Contents/MacOS/Microsoft Edge'),
    ]);
  }
  if (process.platform === 'win32') {
    const roots = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter(
      (dir) => dir !== undefined,
    );
    return roots.flatMap((dir) => [
      join(dir, 'Google/Chrome/Application/chrome.exe'),
      join(dir, 'Chromium/Application/chrome.exe'),
      join(dir, 'Microsoft/Edge/Application/msedge.exe'),
    ]);
  }
  const dirs = [
    '/usr/bin',
    '/usr/local/bin',
    '/snap/bin',
    ...(env.PATH ?? '').split(delimiter).filter(Boolean),
  ];
  return [...dirs.flatMap((dir) => names.map((name) => join(dir, name))), '/opt/google/chrome/chrome'];
}

/** @returns {string[]} */
function playwrightsOwn() {
  try {
    return [createRequire(import.meta.url)('playwright').chromium.executablePath()];
  } catch {
    return []; // Playwright is not installed, or has no browser for this platform.
  }
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The path of a Chromium, or undefined. `SLUICE_CHROMIUM` wins, and is an error when it names nothing that can be run.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined}
 */
export function findChromium(env = process.env) {
  const wanted = env.SLUICE_CHROMIUM;
  if (wanted) {
    if (!isExecutable(wanted)) throw new Error(`SLUICE_CHROMIUM is ${wanted}, which cannot be run.`);
    return wanted;
  }
  return usualPlaces(env).find(isExecutable) ?? playwrightsOwn().find(isExecutable);
}
