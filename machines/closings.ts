import type { Draft } from '../src/wire/facts.ts';
import type { SessionContext } from './session.ts';

/** What closes everything that is open in a turn (I12): written with its end, or with its stop. */
export function closings(context: SessionContext, reason: string): { tools: Draft[]; permissions: Draft[] } {
  const turn = context.open?.id ?? '';
  return {
    tools: (context.open?.tools ?? []).map((toolCallId) => ({
      type: 'tool.finished',
      turn,
      toolCallId,
      status: 'failed',
      reason,
    })),
    permissions: context.permissions.map((p) => ({
      type: 'permission.withdrawn',
      turn,
      permission: p.id,
      reason,
    })),
  };
}
