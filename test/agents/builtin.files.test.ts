import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { searchText } from '../../src/agents/workspace/files.ts';
import { all, end, openBuiltin, prompt, reading, text } from './builtin.kit.ts';

async function outside(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-outside-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'secret.txt'), 'the secret');
  return directory;
}

async function ask(message: string, files: Record<string, string> = {}) {
  const opened = await openBuiltin();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(opened.cwd, name, '..'), { recursive: true });
    await writeFile(join(opened.cwd, name), content);
  }
  const outputs = await all(prompt(opened.session, message));
  return { ...opened, outputs, answer: text(outputs) };
}

describe('the builtin agent in a directory', () => {
  it('lists it, directories first, with sizes', async () => {
    const { outputs, answer } = await ask('list', { 'b.txt': 'twelve bytes', 'a/inner.txt': '' });
    expect(answer).toContain('.state/\na/\nb.txt  12 B');
    expect(outputs.find((output) => output.type === 'tool.finished')).toMatchObject({ status: 'completed' });
  });

  it('reads a file, and fences it so that its own fences stay inside', async () => {
    const { outputs, answer } = await ask('read `notes.md`', { 'notes.md': 'a\n```js\nb\n```\n' });
    expect(answer).toBe('`notes.md`, 4 lines:\n\n````md\na\n```js\nb\n```\n````\n');
    expect(outputs.find((output) => output.type === 'tool.started')).toMatchObject({
      kind: 'read',
      locations: [{ path: 'notes.md' }],
    });
  });

  it('quotes the beginning of a long file and keeps all of it in the card', async () => {
    const long = 'x😀'.repeat(10_000);
    const { outputs, answer } = await ask('read long.txt', { 'long.txt': long });
    expect(answer.length).toBeLessThan(17_000);
    expect(answer.isWellFormed()).toBe(true);
    expect(outputs.find((output) => output.type === 'tool.finished')).toMatchObject({
      content: [{ type: 'content', content: { type: 'text', text: long } }],
    });
  });

  it('finds lines, case aside, and passes over dependencies, binaries and links', async () => {
    const { cwd, session } = await ask('hello', {
      'src/one.ts': 'first\nA Needle here\n',
      'node_modules/dep.js': 'needle',
      '.git/config': 'needle',
      'blob.bin': 'needle\0',
    });
    await symlink(await outside(), join(cwd, 'link'));
    const outputs = await all(prompt(session, 'search for needle'));
    const found = outputs.find((output) => output.type === 'tool.finished');
    expect(found).toMatchObject({ locations: [{ path: 'src/one.ts', line: 2 }] });
    expect(text(outputs)).toContain('src/one.ts:2: A Needle here');
    expect(text(await all(prompt(session, 'search "needle" in src')))).toContain('1 line in 1 file');
    expect(text(await all(prompt(session, 'search the secret')))).toContain('No line holds');
  });

  it('stops a search at its bounds and says so', async () => {
    const { cwd } = await ask('hello', { 'a.txt': 'x\n'.repeat(50), 'b.txt': 'x' });
    const found = await searchText(cwd, '.', 'x', new AbortController().signal, { matches: 10, files: 100 });
    expect(found).toMatchObject({ bounded: true });
    expect(found.matches).toHaveLength(10);
    expect(
      await searchText(cwd, '.', 'none', new AbortController().signal, { matches: 10, files: 1 }),
    ).toMatchObject({
      bounded: true,
      files: 1,
    });
  });

  it('shows how two files differ', async () => {
    const { outputs, answer } = await ask('compare a.txt with b.txt', {
      'a.txt': 'one\ntwo\n',
      'b.txt': 'one\n2\n3\n',
    });
    expect(answer).toBe('From `a.txt` to `b.txt`: 2 lines added, 1 line removed.');
    expect(outputs.find((output) => output.type === 'tool.finished')).toMatchObject({
      content: [{ type: 'diff', path: 'b.txt', oldText: 'one\ntwo\n', newText: 'one\n2\n3\n' }],
    });
  });

  it('writes only what was allowed, with the change shown before', async () => {
    const { cwd, session } = await ask('hello');
    const refused = reading(prompt(session, 'write notes/new.txt: some text'));
    const question = await refused.until('permission.asked');
    expect(refused.seen).toContainEqual(
      expect.objectContaining({
        type: 'tool.updated',
        content: [{ type: 'diff', path: 'notes/new.txt', oldText: null, newText: 'some text' }],
      }),
    );
    session.answer(question.permission, { outcome: 'selected', optionId: 'reject' });
    expect(await refused.done).toContainEqual(expect.objectContaining({ type: 'tool.refused' }));
    await expect(readFile(join(cwd, 'notes/new.txt'))).rejects.toThrow('ENOENT');

    const allowed = reading(prompt(session, 'again'));
    const second = await allowed.until('permission.asked');
    session.answer(second.permission, { outcome: 'selected', optionId: 'always' });
    expect(text(await allowed.done)).toContain('1 line added, 0 lines removed');
    expect(await readFile(join(cwd, 'notes/new.txt'), 'utf8')).toBe('some text');

    const edited = await all(prompt(session, 'edit notes/new.txt: some => $& other'));
    expect(edited.some((output) => output.type === 'permission.asked')).toBe(false);
    expect(await readFile(join(cwd, 'notes/new.txt'), 'utf8')).toBe('$& other text');
    expect(text(await all(prompt(session, 'edit notes/new.txt: e => x')))).toContain('is there 2 times');
  });

  it('does not overwrite a file that changed while the user decided', async () => {
    const { cwd, session } = await ask('hello', { 'a.txt': 'old' });
    const stream = reading(prompt(session, 'write a.txt: mine'));
    const { permission } = await stream.until('permission.asked');
    await writeFile(join(cwd, 'a.txt'), 'theirs');
    session.answer(permission, { outcome: 'selected', optionId: 'allow' });
    expect(text(await stream.done)).toContain('changed while you decided');
    expect(await readFile(join(cwd, 'a.txt'), 'utf8')).toBe('theirs');
  });

  it('stays in its directory: no parent, no absolute path elsewhere, no link out of it', async () => {
    const { cwd, session } = await ask('hello');
    const elsewhere = await outside();
    await symlink(elsewhere, join(cwd, 'link'));
    await symlink(join(elsewhere, 'secret.txt'), join(cwd, 'file-link'));
    await symlink(join(elsewhere, 'not-yet.txt'), join(cwd, 'dangling'));
    const attempts = [
      'read ../secret.txt',
      'list ..',
      'list sub/../..',
      `read ${join(elsewhere, 'secret.txt')}`,
      'read link/secret.txt',
      'read file-link',
      'list link',
      'search secret in link',
      'diff file-link link/secret.txt',
      'write link/new.txt: x',
      'write link/deep/new.txt: x',
      'write ../new.txt: x',
      'write dangling: x',
    ];
    for (const attempt of attempts) {
      const stream = reading(prompt(session, attempt));
      void stream.until('permission.asked').then(
        ({ permission }) => session.answer(permission, { outcome: 'selected', optionId: 'allow' }),
        () => undefined,
      );
      const outputs = await stream.done;
      expect(text(outputs), attempt).toMatch(/is refused|lies outside|may go/);
      expect(JSON.stringify(outputs), attempt).not.toContain('the secret');
      expect(outputs, attempt).toContainEqual(
        expect.objectContaining({ type: 'tool.finished', status: 'failed' }),
      );
      expect(end(outputs), attempt).toBe('end_turn');
    }
    await expect(readFile(join(elsewhere, 'not-yet.txt'))).rejects.toThrow('ENOENT');
    await expect(readFile(join(elsewhere, 'new.txt'))).rejects.toThrow('ENOENT');
  });

  it('says why it cannot read something, and does not hang on a pipe', async () => {
    const { cwd, session } = await ask('hello', { 'blob.bin': 'a\0b', 'big.txt': '' });
    await truncate(join(cwd, 'big.txt'), 1024 * 1024 + 1);
    execFileSync('mkfifo', [join(cwd, 'pipe')]);
    const say = async (message: string) => text(await all(prompt(session, message)));
    expect(await say('read nothing.txt')).toContain('There is no `nothing.txt` here');
    expect(await say('read .state')).toContain('is a directory: try `list .state`');
    expect(await say('read blob.bin')).toContain('binary');
    expect(await say('read big.txt')).toContain('I read files up to 1048576');
    expect(await say('read pipe')).toContain('not an ordinary file');
    expect(await say('list blob.bin')).toContain('is not a directory');
    expect(await say('write .state: x')).toContain('is a directory');
  });
});
