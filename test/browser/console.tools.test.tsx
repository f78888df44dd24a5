import { createSignal } from 'solid-js';
import { expect, test } from 'vitest';
import { Permission } from '../../src/console/parts/permission.tsx';
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

test('the answer that grants least comes first, whatever the agent begins with', () => {
  const option = (kind: 'allow_once' | 'allow_always' | 'reject_once') => ({
    optionId: kind,
    name: kind,
    kind,
  });
  const options = [option('allow_always'), option('allow_once'), option('reject_once')];
  const permission = { type: 'permission', id: 'p', title: 'Write', options, state: 'open' } as const;
  const host = show(() => <Permission permission={permission} onAnswer={() => {}} />);
  const names = [...host.querySelectorAll('.permission-options button')].map((button) => button.textContent);
  expect(names).toEqual(['allow_once', 'allow_always', 'reject_once']);
});
