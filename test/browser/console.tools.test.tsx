import { createSignal } from 'solid-js';
import { expect, test } from 'vitest';
import { Tool } from '../../src/console/parts/tool.tsx';
import type { ToolPart } from '../../src/wire/turn.ts';
import { show } from './console.harness.tsx';

const announced: ToolPart = {
  type: 'tool',
  id: 't1',
  title: 'Write',
  kind: 'edit',
  status: 'pending',
  content: [],
  locations: [],
  output: '',
  rawInput: { path: 'a.txt' },
};
const diff = { type: 'diff' as const, path: 'a.txt', oldText: null, newText: 'new\n' };

test('a call that says only later what it will change opens then, unless it was closed by hand', () => {
  const [tool, setTool] = createSignal(announced);
  const host = show(() => <Tool tool={tool()} />);
  const head = () => host.querySelector('button.disclosure-head') as HTMLButtonElement;
  expect(head().getAttribute('aria-expanded')).toBe('false');
  setTool({ ...announced, content: [diff] });
  expect(host.querySelector('.diff')?.textContent).toContain('new');
  head().click();
  setTool({ ...announced, status: 'completed', content: [diff, { ...diff, path: 'b.txt' }] });
  expect(host.querySelector('.diff')).toBeNull();
  expect(head().getAttribute('aria-expanded')).toBe('false');
});
