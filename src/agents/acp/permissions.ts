import { randomUUID } from 'node:crypto';
import type {
  PermissionOption as AcpOption,
  RequestPermissionRequest,
  RequestPermissionResponse,
} from '@agentclientprotocol/sdk';
import { type PermissionOption, permissionOption } from '../../wire/content.ts';
import type { Output, PermissionAnswer } from '../agent.ts';
import type { Updates } from './updates.ts';

interface Pending {
  readonly toolCallId: string;
  readonly options: readonly PermissionOption[];
  readonly resolve: (answer: PermissionAnswer) => void;
}

/** What the agent waits for an answer to. */
export class Permissions {
  readonly #pending = new Map<string, Pending>();
  readonly #updates: Updates;
  readonly #say: (output: Output) => void;

  constructor(updates: Updates, say: (output: Output) => void) {
    this.#updates = updates;
    this.#say = say;
  }

  async ask(request: RequestPermissionRequest, signal: AbortSignal): Promise<RequestPermissionResponse> {
    const { toolCall } = request;
    const { toolCallId } = toolCall;
    const options = request.options.map(optionOf);
    const permission = `permission-${randomUUID()}`;
    const answered = Promise.withResolvers<PermissionAnswer>();
    this.#pending.set(permission, { toolCallId, options, resolve: answered.resolve });
    const withdraw = () => {
      if (!this.#pending.delete(permission)) return;
      answered.resolve({ outcome: 'cancelled' });
      const reason = 'The agent withdrew its question.';
      this.#say({ type: 'permission.withdrawn', permission, reason });
    };
    signal.addEventListener('abort', withdraw, { once: true });
    // A6: the call may never have been announced; the question brings what is known of it.
    this.#updates.tool(toolCall);
    this.#updates.flush();
    const title = toolCall.title || toolCall.name || 'The agent asks for permission';
    this.#say({ type: 'permission.asked', permission, toolCallId, title, options });
    const answer = await answered.promise;
    signal.removeEventListener('abort', withdraw);
    return { outcome: answer };
  }

  answer(permission: string, answer: PermissionAnswer): void {
    const pending = this.#pending.get(permission);
    if (!pending) return;
    this.#pending.delete(permission);
    const chosen =
      answer.outcome === 'selected' ? pending.options.find((o) => o.optionId === answer.optionId) : undefined;
    if (chosen?.kind.startsWith('reject')) this.#updates.refuse(pending.toolCallId);
    pending.resolve(answer);
  }

  /** Nobody will answer these any more. */
  cancelAll(): void {
    for (const { resolve } of this.#pending.values()) resolve({ outcome: 'cancelled' });
    this.#pending.clear();
  }
}

function optionOf({ optionId, name, kind }: AcpOption): PermissionOption {
  const known = permissionOption.shape.kind.safeParse(kind);
  const guessed = /reject|deny|no|cancel/i.test(optionId) ? 'reject_once' : 'allow_once';
  return { optionId, name: name || optionId, kind: known.data ?? guessed };
}
