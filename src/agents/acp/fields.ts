import type { ToolCallContent, ToolCallUpdate } from '@agentclientprotocol/sdk';
import {
  type ContentBlock,
  contentBlock,
  type PlanEntry,
  planEntry,
  type ToolContent,
  toolContent,
  toolKind,
  toolLocation,
} from '../../wire/content.ts';
import type { ToolFields } from '../agent.ts';

/** Characters of JSON; more is cut from what a tool was given or gave back, not from its content. */
const largestRaw = 256 * 1024;

/** What an update says of a tool call, in our shapes; what fits none is left out, so that one slip costs one item. */
export function fieldsOf(update: Omit<ToolCallUpdate, 'status' | 'title'>): ToolFields {
  const { toolCallId, content, locations, rawInput, rawOutput } = update;
  const kind = toolKind.safeParse(update.kind);
  return {
    toolCallId: String(toolCallId),
    ...(kind.success && { kind: kind.data }),
    ...(Array.isArray(content) && { content: content.flatMap(toolContentOf) }),
    ...(Array.isArray(locations) && {
      locations: locations.flatMap((location) => toolLocation.safeParse(withoutNulls(location)).data ?? []),
    }),
    ...(rawInput != null && { rawInput: bounded(rawInput) }),
    ...(rawOutput != null && { rawOutput: bounded(rawOutput) }),
  };
}

function toolContentOf(content: ToolCallContent): ToolContent[] {
  if (content?.type === 'content') {
    const block = blockOf(content.content);
    return block ? [{ type: 'content', content: block }] : [];
  }
  const plain = withoutNulls(content) as Record<string, unknown>;
  const parsed = toolContent.safeParse(content?.type === 'diff' ? { oldText: null, ...plain } : plain);
  return parsed.success ? [parsed.data] : [];
}

export function blockOf(block: unknown): ContentBlock | undefined {
  const plain = withoutNulls(block) as Record<string, unknown>;
  const nested = plain.type === 'resource' ? { ...plain, resource: withoutNulls(plain.resource) } : plain;
  return contentBlock.safeParse(nested).data;
}

export function planOf(entries: unknown): PlanEntry[] {
  if (!Array.isArray(entries)) return [];
  return entries.flatMap(
    (entry) => planEntry.safeParse({ priority: 'medium', ...(withoutNulls(entry) as object) }).data ?? [],
  );
}

/** A12: agents put the exit code of a command in what the tool gave back. */
export function exitCodeOf(rawOutput: unknown): number | undefined {
  if (typeof rawOutput !== 'object' || rawOutput === null) return undefined;
  const raw = rawOutput as Record<string, unknown>;
  const code = [raw.exitCode, raw.exit_code, raw.exit].find((value) => typeof value === 'number');
  return Number.isInteger(code) ? (code as number) : undefined;
}

function withoutNulls(value: unknown): object {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member != null));
}

function bounded(raw: unknown): unknown {
  const json = JSON.stringify(raw) ?? '';
  return json.length <= largestRaw ? raw : `${json.slice(0, largestRaw)} … (${json.length} characters, cut)`;
}
