import type { Output } from '../agent.ts';
import type { BackEvent } from './events.ts';

/** Tool events -> output. A call without an id is the open one of its name, or the newest that is open (C48-50). */
export class Tools {
  /** Open calls, oldest first. */
  readonly #open = new Map<string, string>();
  #unnamed = 0;

  take(event: BackEvent): Output | undefined {
    const { input, output, call, tool = 'Tool' } = event;
    switch (event.kind) {
      case 'toolStarted': {
        const toolCallId = call ?? this.#name();
        this.#open.set(toolCallId, tool);
        return {
          type: 'tool.started',
          toolCallId,
          title: tool,
          status: 'in_progress',
          ...(input !== undefined && { rawInput: input }),
        };
      }
      case 'toolOutput': {
        const toolCallId = call ?? this.#find(event.tool);
        const text = event.text ?? (typeof output === 'string' ? output : undefined);
        if (toolCallId === undefined || text === undefined) return undefined;
        return { type: 'tool.updated', toolCallId, output: text };
      }
      case 'toolFinished': {
        const toolCallId = this.#close(call, event.tool);
        const failed = event.failed === true || event.error !== undefined;
        const rawOutput = output ?? event.error;
        return {
          type: 'tool.finished',
          toolCallId,
          title: tool,
          status: failed ? 'failed' : 'completed',
          ...(rawOutput !== undefined && { rawOutput }),
        };
      }
      case 'toolRefused': {
        const reason = event.reason ?? event.error ?? 'The back end refused it.';
        return { type: 'tool.refused', toolCallId: this.#close(call, event.tool), reason };
      }
      default:
        return undefined;
    }
  }

  #close(call: string | undefined, tool: string | undefined): string {
    const id = call ?? this.#find(tool) ?? this.#name();
    this.#open.delete(id);
    return id;
  }

  #find(tool: string | undefined): string | undefined {
    const open = [...this.#open];
    const same = open.find(([, name]) => name === tool);
    return (same ?? (tool === undefined ? open.at(-1) : undefined))?.[0];
  }

  #name(): string {
    this.#unnamed += 1;
    return `call-${this.#unnamed}`;
  }
}
