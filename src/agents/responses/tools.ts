import type { ToolKind } from '../../wire/content.ts';
import type { Output } from '../agent.ts';
import type { OutputItem } from './api.ts';

/** The tools that a server runs by itself, and what they are called. */
const known: Readonly<Record<string, { readonly title: string; readonly kind: ToolKind }>> = {
  web_search_call: { title: 'Web search', kind: 'search' },
  file_search_call: { title: 'File search', kind: 'search' },
  code_interpreter_call: { title: 'Run code', kind: 'execute' },
  image_generation_call: { title: 'Make an image', kind: 'other' },
  computer_call: { title: 'Use a computer', kind: 'other' },
  shell_call: { title: 'Shell', kind: 'execute' },
  mcp_call: { title: 'MCP tool', kind: 'other' },
};

export function isTool(item: OutputItem): boolean {
  return Object.hasOwn(known, item.type);
}

/** The card of an item: a call that was approved goes on in the card of its approval. */
export function callOf(item: OutputItem): string {
  const { approval_request_id: approved } = item;
  return typeof approved === 'string' && approved !== '' ? approved : (item.id ?? '');
}

/** A call that the server makes only when a person allows it: its card, and the question. */
export function approvalOf(item: OutputItem): {
  readonly card: Extract<Output, { type: 'tool.started' }>;
  readonly permission: Extract<Output, { type: 'permission.asked' }>;
} {
  const title = [item.server_label, item.name].filter(Boolean).join(': ') || 'MCP tool';
  const toolCallId = item.id ?? '';
  const rawInput = inputOf(item);
  return {
    card: {
      type: 'tool.started',
      toolCallId,
      title,
      kind: 'other',
      status: 'pending',
      ...(rawInput !== undefined && { rawInput }),
    },
    permission: {
      type: 'permission.asked',
      permission: toolCallId,
      toolCallId,
      title: `Let the server use ${title}?`,
      options: [
        { optionId: allowed, name: 'Allow', kind: 'allow_once' },
        { optionId: 'deny', name: 'Do not allow', kind: 'reject_once' },
      ],
    },
  };
}

export const allowed = 'allow';

export function startedTool(item: OutputItem): Extract<Output, { type: 'tool.started' }> {
  const { kind } = known[item.type] ?? { kind: 'other' as const };
  const rawInput = inputOf(item);
  return {
    type: 'tool.started',
    toolCallId: callOf(item),
    title: titleOf(item),
    kind,
    status: 'in_progress',
    ...(rawInput !== undefined && { rawInput }),
  };
}

export function finishedTool(item: OutputItem): Extract<Output, { type: 'tool.finished' }> {
  const failed = item.status === 'failed' || item.status === 'incomplete' || item.error != null;
  const rawInput = inputOf(item);
  const rawOutput = item.error ?? item.output ?? item.outputs ?? item.results ?? undefined;
  const image = typeof item.result === 'string' ? item.result : undefined;
  return {
    type: 'tool.finished',
    toolCallId: callOf(item),
    title: titleOf(item),
    status: failed ? 'failed' : 'completed',
    ...(rawInput !== undefined && { rawInput }),
    ...(rawOutput !== undefined && { rawOutput }),
    ...(image !== undefined && {
      content: [{ type: 'content', content: { type: 'image', data: image, mimeType: 'image/png' } }],
    }),
  };
}

function titleOf(item: OutputItem): string {
  const { title } = known[item.type] ?? { title: 'Tool' };
  if (item.type === 'mcp_call') return [item.server_label, item.name].filter(Boolean).join(': ') || title;
  const query = (item.action as { query?: unknown } | undefined)?.query;
  return typeof query === 'string' && query !== '' ? `${title}: ${query}` : title;
}

function inputOf(item: OutputItem): unknown {
  return item.action ?? item.arguments ?? item.code ?? item.queries ?? undefined;
}
