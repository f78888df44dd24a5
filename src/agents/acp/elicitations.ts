import { randomUUID } from 'node:crypto';
import {
  type CreateElicitationRequest,
  type CreateElicitationResponse,
  RequestError,
} from '@agentclientprotocol/sdk';
import { type Form, form as formSchema, webAddress } from '../../wire/form.schema.ts';
import type { Output } from '../agent.ts';
import { formOptions, urlOptions } from '../questions.ts';
import type { Questions } from './questions.ts';
import type { ToolCalls } from './tools.ts';

type Wanted = { readonly form: Form } | { readonly url: string; readonly name: string };

/** What the agent wants from the user in the middle of its work: values, or a visit to a page. */
export class Elicitations {
  readonly #questions: Questions;
  readonly #tools: ToolCalls;
  readonly #say: (output: Output) => void;
  /** Visits that the agent has not said to be over, by its own name for each. */
  readonly #visits = new Map<string, { readonly permission: string; readonly message: string }>();
  /** Names of visits that were over before they were asked for. */
  #early: readonly string[] = [];

  constructor(questions: Questions, tools: ToolCalls, say: (output: Output) => void) {
    this.#questions = questions;
    this.#tools = tools;
    this.#say = say;
  }

  /** Rejects, so that the agent knows, when it asks in a way that cannot be shown. */
  async ask(request: CreateElicitationRequest, signal: AbortSignal): Promise<CreateElicitationResponse> {
    const { message } = request;
    const wanted = wantedBy(request);
    if (typeof wanted === 'string') {
      const text = `The agent asked for something that cannot be shown here (${wanted}): ${message}`;
      this.#say({ type: 'notice', level: 'warning', code: 'agent.question_unknown', text });
      throw RequestError.invalidParams(undefined, wanted);
    }
    const permission = `question-${randomUUID()}`;
    if ('url' in wanted && this.#early.includes(wanted.name)) return { action: 'accept' };
    if ('url' in wanted) this.#visits.set(wanted.name, { permission, message });
    const answer = await this.#questions.ask(
      signal,
      () => {
        this.#tools.flush();
        const call = this.#callOf(request);
        const asked =
          'url' in wanted
            ? { options: urlOptions, url: wanted.url }
            : { options: formOptions, form: wanted.form };
        return { title: message || 'The agent has a question', ...asked, ...(call && { toolCallId: call }) };
      },
      permission,
    );
    const accepted = answer.outcome === 'selected' && answer.optionId === 'accept';
    if ('url' in wanted && !accepted) this.#visits.delete(wanted.name);
    if (answer.outcome === 'cancelled') return { action: 'cancel' };
    if (!accepted) return { action: 'decline' };
    const content = answer.content as Record<string, string> | undefined;
    return { action: 'accept', ...(content && { content }) };
  }

  /** The agent has what it wanted from a visit. */
  completed(name: string): void {
    const visit = this.#visits.get(name);
    if (!visit) {
      this.#early = [...this.#early.slice(-20), name];
      return;
    }
    this.#visits.delete(name);
    const accepted = { outcome: 'selected', optionId: 'accept' } as const;
    const reason = 'The agent says that it is done.';
    if (this.#questions.withdraw(visit.permission, reason, accepted)) return;
    const text = `The agent says that it is done: ${visit.message}`;
    this.#say({ type: 'notice', level: 'info', code: 'agent.visit_done', text });
  }

  /** A question about a call that nobody has seen stands alone: it may not be of this session's tools at all. */
  #callOf(request: CreateElicitationRequest): string | undefined {
    const call = 'toolCallId' in request ? request.toolCallId : undefined;
    return typeof call === 'string' && this.#tools.isOpen(call) ? call : undefined;
  }
}

/** Or why it cannot be shown. */
function wantedBy(request: CreateElicitationRequest): Wanted | string {
  if (request.mode === 'url' && 'url' in request) {
    const { url, elicitationId } = request as { url: unknown; elicitationId: unknown };
    const address = webAddress.safeParse(url);
    if (!address.success) return 'an address that is not of the web';
    return { url: address.data, name: String(elicitationId) };
  }
  if (request.mode !== 'form' || !('requestedSchema' in request)) return `mode ${request.mode}`;
  const { properties, required, ...about } = withoutNull(request.requestedSchema) as {
    readonly properties?: Record<string, unknown>;
    readonly required?: readonly string[];
  };
  const fields = Object.entries(properties ?? {});
  const known = fields.filter(([, field]) => isField(field));
  const missing = fields.find(([name, field]) => !isField(field) && required?.includes(name));
  if (missing) return `a field ${missing[0]} of an unknown kind`;
  const read = formSchema.safeParse({
    ...about,
    properties: Object.fromEntries(known),
    ...(required && { required }),
  });
  return read.success ? { form: read.data } : 'a form that cannot be read';
}

function isField(field: unknown): boolean {
  return formSchema.shape.properties.safeParse({ field }).success;
}

/** The protocol says nothing by null, too. */
function withoutNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNull);
  if (typeof value !== 'object' || value === null) return value;
  const said = Object.entries(value).filter(([, one]) => one !== null && one !== undefined);
  return Object.fromEntries(said.map(([key, one]) => [key, withoutNull(one)]));
}
