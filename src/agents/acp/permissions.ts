import type {
  PermissionOption as AcpOption,
  RequestPermissionRequest,
  RequestPermissionResponse,
  ToolCallContent,
} from '@agentclientprotocol/sdk';
import { type PermissionOption, permissionOption } from '../../wire/content.ts';
import { diffOf } from './diffs.ts';
import type { Questions } from './questions.ts';
import type { ToolCalls } from './tools.ts';

/** What the agent may do only when the user allows it. */
export class Permissions {
  readonly #cwd: string;
  readonly #tools: ToolCalls;
  readonly #questions: Questions;

  constructor(cwd: string, tools: ToolCalls, questions: Questions) {
    this.#cwd = cwd;
    this.#tools = tools;
    this.#questions = questions;
  }

  async ask(request: RequestPermissionRequest, signal: AbortSignal): Promise<RequestPermissionResponse> {
    const { toolCall } = request;
    const { toolCallId } = toolCall;
    const options = request.options.map(optionOf);
    const answer = await this.#questions.ask(signal, async () => {
      // A6: the call may never have been announced; the question brings what is known of it.
      this.#tools.take(toolCall);
      await this.#showChange(toolCallId);
      this.#tools.flush();
      const title = toolCall.title || toolCall.name || 'The agent asks for permission';
      return { toolCallId, title, options };
    });
    if (answer.outcome === 'cancelled') return { outcome: answer };
    const { optionId } = answer;
    const chosen = options.find((option) => option.optionId === optionId);
    if (chosen?.kind.startsWith('reject')) this.#tools.refuse(toolCallId);
    return { outcome: { outcome: 'selected', optionId } };
  }

  /** Nobody should have to allow a change that is not shown. */
  async #showChange(toolCallId: string): Promise<void> {
    const { args, hasDiff } = this.#tools.known(toolCallId);
    const diff = hasDiff ? undefined : await diffOf(this.#cwd, args);
    if (diff) this.#tools.take({ toolCallId, content: [diff as ToolCallContent] });
  }
}

function optionOf({ optionId, name, kind }: AcpOption): PermissionOption {
  const known = permissionOption.shape.kind.safeParse(kind);
  const guessed = /reject|deny|no|cancel/i.test(optionId) ? 'reject_once' : 'allow_once';
  return { optionId, name: name || optionId, kind: known.data ?? guessed };
}
