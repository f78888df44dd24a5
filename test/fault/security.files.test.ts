import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Refusal } from '../../src/gateway/refusal.ts';
import { confine } from '../../src/gateway/security/roots.ts';
import { rawRequest, serve, temporaryDirectory } from '../support/gateway-server.ts';

function builtPages(): string {
  const outer = temporaryDirectory();
  writeFileSync(join(outer, 'secret.txt'), 'the secret');
  const pages = join(outer, 'console');
  for (const directory of ['assets', 'inspect']) mkdirSync(join(pages, directory), { recursive: true });
  writeFileSync(join(pages, 'index.html'), '<title>console</title>');
  writeFileSync(join(pages, 'inspect/index.html'), '<title>inspector</title>');
  writeFileSync(join(pages, 'assets/app-abc123.js'), 'export {};');
  writeFileSync(join(pages, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  return pages;
}

describe('the files of the console', () => {
  it('are served without a token: pages are asked for each time, hashed files are kept for ever', async () => {
    const { url } = await serve({ pages: builtPages() });
    for (const path of ['', 'c/some-id', 'jobs']) {
      const page = await fetch(`${url}${path}`);
      expect([path, page.status, await page.text()]).toEqual([path, 200, '<title>console</title>']);
      expect(page.headers.get('content-type')).toContain('text/html');
      expect(page.headers.get('cache-control')).toBe('no-cache');
    }
    for (const path of ['inspect', 'inspect/']) {
      expect(await (await fetch(`${url}${path}`)).text()).toBe('<title>inspector</title>');
    }
    const asset = await fetch(`${url}assets/app-abc123.js`);
    expect(asset.headers.get('content-type')).toContain('javascript');
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect((await fetch(`${url}favicon.svg`)).headers.get('cache-control')).toBe('no-cache');
    expect((await fetch(`${url}assets/none.js`)).status).toBe(404);
    expect((await fetch(`${url}none`)).status).toBe(404);
  });

  it('say what to do when the console is not built, and are found once it is', async () => {
    const pages = join(temporaryDirectory(), 'console');
    const { url } = await serve({ pages });
    const missing = await fetch(url);
    expect(missing.status).toBe(503);
    expect(await missing.text()).toContain('npm run build');
    mkdirSync(pages);
    writeFileSync(join(pages, 'index.html'), '<title>console</title>');
    expect((await fetch(url)).status).toBe(200);
  });

  it('end at their directory, however the path is written', async () => {
    const { port } = await serve({ pages: builtPages() });
    const paths = [
      '/../secret.txt',
      '/assets/../../secret.txt',
      '/%2e%2e/secret.txt',
      '/assets/%2e%2e/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/..%5csecret.txt',
      '/%252e%252e/secret.txt',
      '/....//secret.txt',
      '//secret.txt',
      '/\\..\\secret.txt',
      '/assets/..%00/secret.txt',
      '/c/../../secret.txt',
      'http://127.0.0.1/../secret.txt',
    ];
    for (const path of paths) {
      const answer = await rawRequest(port, { path, headers: { host: `127.0.0.1:${port}` } });
      expect([path, answer.body.includes('the secret')]).toEqual([path, false]);
      expect([path, [200, 400, 404].includes(answer.status)]).toEqual([path, true]);
    }
  });
});

describe('a working directory', () => {
  function tree() {
    const base = realpathSync(temporaryDirectory());
    for (const path of ['root/project', 'root2', 'rooted', 'outside'])
      mkdirSync(join(base, path), { recursive: true });
    writeFileSync(join(base, 'root/file'), '');
    symlinkSync(join(base, 'outside'), join(base, 'root/escape'));
    symlinkSync('../../outside', join(base, 'root/project/escape'));
    symlinkSync(join(base, 'root/project'), join(base, 'root/inner'));
    symlinkSync(join(base, 'root'), join(base, 'alias'));
    symlinkSync(join(base, 'loop'), join(base, 'loop'));
    return { base, root: join(base, 'root') };
  }
  const refused = (path: string, roots: readonly string[]) =>
    confine(path, roots).then(
      (real) => `allowed: ${real}`,
      (refusal: Refusal) => refusal.code,
    );

  it('is the real path below a root, also by a link that stays inside or by a root that is a link', async () => {
    const { base, root } = tree();
    expect(await confine(root, [root])).toBe(root);
    expect(await confine('.', [root])).toBe(root);
    expect(await confine('project', [root])).toBe(join(root, 'project'));
    expect(await confine(join(root, 'inner'), [root])).toBe(join(root, 'project'));
    expect(await confine(join(base, 'root2'), [root, join(base, 'root2')])).toBe(join(base, 'root2'));
    expect(await confine(join(base, 'alias/project'), [join(base, 'alias')])).toBe(join(root, 'project'));
    expect(await confine('~', [homedir()])).toBe(realpathSync(homedir()));
  });

  it('is refused when it lies outside, by whatever way', async () => {
    const { base, root } = tree();
    const ways = [
      '/',
      '..',
      '../outside',
      join(base, 'outside'),
      join(base, 'rooted'),
      join(root, 'escape'),
      join(root, 'project/escape'),
      'project/../../outside',
      join(base, 'none'),
      join(base, 'loop'),
      '\0',
      '~',
    ];
    for (const way of ways) {
      const code = await refused(way, [root]);
      expect([way, code]).toEqual([way, way === '\0' ? 'directory.unknown' : 'directory.outside']);
    }
  });

  it('is refused when it does not exist or is a file', async () => {
    const { root } = tree();
    expect(await refused('none', [root])).toBe('directory.unknown');
    expect(await refused('file', [root])).toBe('directory.not_one');
    expect(await refused(root, [join(root, 'none')])).toBe('directory.outside');
  });
});
