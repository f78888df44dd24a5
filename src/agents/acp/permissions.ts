import { randomUUID } from 'node:crypto';
import type {
  PermissionOption as AcpOption,
  RequestPermissionRequest,
  RequestPermissionResponse,
  ToolCallContent,
} from '@agentclientprotocol/sdk';
import { type PermissionOption, permissionOption } from '../../wire/content.ts';
import type { Output, PermissionAnswer } from '../agent.ts';
import { diffOf } from './diffs.ts';
import type { ToolCalls } from './tools.ts';

interface Pending {
  readonly toolCallId: string;
  readonly options: readonly PermissionOption[];
  readonly resolve: (answer: PermissionAnswer) => void;
}

/** What the agent waits for an answer to. */
export class Permissions {
  readonly #pending = new Map<string, Pending>();
  readonly #cwd: string;
  readonly #tools: ToolCalls;
  readonly #say: (output: Output) => void;

  constructor(cwd: string, tools: ToolCalls, say: (output: Output) => void) {
    this.#cwd = cwd;
    this.#tools = tools;
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
    this.#tools.take(toolCall);
    await this.#showChange(toolCallId);
    this.#tools.flush();
    if (!this.#pending.has(permission)) return { outcome: { outcome: 'cancelled' } };
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
    if (chosen?.kind.startsWith('reject')) this.#tools.refuse(pending.toolCallId);
    pending.resolve(answer);
  }

  /** Nobody should have to allow a change that is not shown. */
  async #showChange(toolCallId: string): Promise<void> {
    const { args, hasDiff } = this.#tools.known(toolCallId);
    const diff = hasDiff ? undefined : await diffOf(this.#cwd, args);
    if (diff) this.#tools.take({ toolCallId, content: [diff as ToolCallContent] });
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
