import { describe, expect, test } from 'vitest';
import { readEnvironment, shellOnly, splitCommand } from '../../src/console/lib/argv.ts';

describe('a command line, without a shell', () => {
  test.each([
    ['my-agent --acp', ['my-agent', '--acp']],
    ['  a \t b\n', ['a', 'b']],
    ['"/opt/my agent/run" --name "a \\"b\\""', ['/opt/my agent/run', '--name', 'a "b"']],
    [`'it is $HOME \\n' x`, ['it is $HOME \\n', 'x']],
    ['a\\ b c', ['a b', 'c']],
    ['C:\\Tools\\agent.exe --x', ['C:\\Tools\\agent.exe', '--x']],
    ['--a="x y"z', ['--a=x yz']],
    [`a "" ''`, ['a', '', '']],
    ['a | b > c', ['a', '|', 'b', '>', 'c']],
    ['', []],
  ])('%s', (line, argv) => {
    expect(splitCommand(line)).toEqual({ argv });
  });

  test.each(['a "b', "a 'b", 'a "b\\"'])('is none while a quote is open: %s', (line) => {
    expect(splitCommand(line)).toEqual({ problem: expect.stringContaining('not closed') });
  });

  test('what only a shell would read is pointed out', () => {
    const found = (line: string) => shellOnly(splitCommand(line).argv ?? []);
    expect(found('KEY=1 agent')).toBe('KEY=1');
    expect(found('~/bin/agent --acp')).toBe('~/bin/agent');
    expect(found('agent && other')).toBe('&&');
    expect(found('agent --key $KEY')).toBe('$KEY');
    expect(found('agent --acp --key=a&b "x y" 5')).toBeUndefined();
  });
});

test('variables are NAME=value, one a line; what is wrong is named by its line, without its value', () => {
  expect(readEnvironment('A=1\n\n  B_2=x=y z\r\n')).toEqual({ env: { A: '1', B_2: 'x=y z' } });
  expect(readEnvironment('')).toEqual({ env: {} });
  const { problem } = readEnvironment('A=1\nmy secret') as { problem: string };
  expect(problem).toContain('line 2');
  expect(problem).not.toContain('secret');
});
