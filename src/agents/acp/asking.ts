import type * as acp from '@agentclientprotocol/sdk';
import type { Output, PermissionAnswer } from '../agent.ts';
import { Elicitations } from './elicitations.ts';
import { Permissions } from './permissions.ts';
import { Questions } from './questions.ts';
import type { ToolCalls } from './tools.ts';

/** What an agent may ask its user. */
export interface Asks {
  permission(
    request: acp.RequestPermissionRequest,
    signal: AbortSignal,
  ): Promise<acp.RequestPermissionResponse>;
  elicit(request: acp.CreateElicitationRequest, signal: AbortSignal): Promise<acp.CreateElicitationResponse>;
  /** What the user was sent to a page for is done. */
  elicited(elicitation: string): void;
}

export interface AskingOptions {
  readonly cwd: string;
  readonly tools: ToolCalls;
  readonly say: (output: Output) => void;
  /** Said with the next prompt. */
  readonly note: (notice: Output) => void;
  /** `starting`: nobody could answer yet; `stopped`: nobody shall be asked any more. */
  readonly state: () => 'starting' | 'asking' | 'stopped';
}

/** The questions of one session. */
export class Asking implements Asks {
  readonly #options: AskingOptions;
  readonly #questions: Questions;
  readonly #permissions: Permissions;
  readonly #elicitations: Elicitations;

  constructor(options: AskingOptions) {
    const { cwd, tools, say } = options;
    this.#options = options;
    this.#questions = new Questions(say);
    this.#permissions = new Permissions(cwd, tools, this.#questions);
    this.#elicitations = new Elicitations(this.#questions, tools, say);
  }

  async permission(
    request: acp.RequestPermissionRequest,
    signal: AbortSignal,
  ): Promise<acp.RequestPermissionResponse> {
    // I4: after a stop nothing is asked any more.
    if (this.#options.state() === 'stopped') return { outcome: { outcome: 'cancelled' } };
    return this.#permissions.ask(request, signal);
  }

  async elicit(
    request: acp.CreateElicitationRequest,
    signal: AbortSignal,
  ): Promise<acp.CreateElicitationResponse> {
    const { state, note } = this.#options;
    const now = state();
    if (now === 'asking') return this.#elicitations.ask(request, signal);
    if (now === 'starting') {
      const text = `The agent asked something at its start, when nobody could answer: ${request.message}`;
      note({ type: 'notice', level: 'warning', code: 'agent.question_unanswered', text });
    }
    return { action: 'cancel' };
  }

  elicited(elicitation: string): void {
    this.#elicitations.completed(elicitation);
  }

  answer(permission: string, answer: PermissionAnswer): void {
    this.#questions.answer(permission, answer);
  }

  /** Nobody will answer these any more. */
  cancelAll(): void {
    this.#questions.cancelAll();
  }
}
