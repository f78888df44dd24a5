import type { Draft, DraftOf } from '../src/wire/facts.ts';
import { isPart } from '../src/wire/fold.ts';
import type { Output } from '../src/wire/output.ts';
import type { Part, Turn } from '../src/wire/turn.ts';
import type { Standing } from './decide.ts';
import { changeOf } from './session.outputs.ts';
import type { OpenTurn, SessionContext } from './session.ts';

/** Agent output, and what the runner itself has to say about the turn, in one order. */
export type Pending =
  | Output
  | {
      readonly type: 'watching';
      readonly mode: 'stream' | 'poll' | 'silent';
      readonly reason: string;
      readonly since: number;
    }
  | { readonly type: 'stopping'; readonly stage: 'terminated' | 'killed' };

/** What a run of agent output becomes. */
export interface Written {
  readonly drafts: readonly Draft[];
  /** Outputs that fit nothing and changed nothing: counted, shown in the inspector (C51). */
  readonly dropped: number;
}

/** What is written of the ladder of a stop that was asked for. */
const stages: readonly (string | undefined)[] = ['terminated', 'killed'];

/** At most so much text in one fact (UTF-16 units), so that one burst is not one frame. */
const largestText = 4096;

/**
 * Agent output -> drafts of the open turn. Every real agent gets something wrong (a tool that ends without having
 * started, a permission for a call never announced, a call id used twice); it is put right here, once, for all.
 */
export function draftsOf(standing: Standing, turn: Turn, outputs: readonly Pending[]): Written {
  const writer = new TurnWriter(standing, turn);
  for (const output of outputs) writer.write(output);
  return { drafts: writer.drafts, dropped: writer.dropped };
}

/** Follows, while drafts are made, what the turn will hold once they are committed. */
class TurnWriter {
  readonly drafts: Draft[] = [];
  dropped = 0;
  readonly #context: SessionContext;
  readonly #turn: string;
  readonly #seq: number;
  readonly #cancelling: boolean;
  #stage: DraftOf<'turn.stopping'>['stage'] | undefined;
  readonly #tools: Set<string>;
  readonly #seen: Set<string>;
  readonly #permissions: Set<string>;
  readonly #open: Set<string>;
  readonly #lengths = new Map<string, number>();
  readonly #outputs = new Map<string, number>();
  /** The turn is accepted: by name, by its first part, or as it is polled. */
  #answering: boolean;
  #handle: string | undefined;
  #watched: string;
  /** The part that text without a key follows on: the last one, if it is text. */
  #last: { readonly kind: Part['type']; readonly id: string } | undefined;

  constructor({ state, context }: Standing, turn: Turn) {
    this.#context = context;
    this.#turn = turn.id;
    this.#seq = context.seq;
    // Whoever has its turn knows that it is open.
    const open = context.open as OpenTurn;
    this.#cancelling = open.stage !== undefined;
    this.#stage = open.stage;
    this.#tools = new Set(open.tools);
    this.#seen = new Set(open.seen);
    this.#permissions = new Set(turn.parts.filter((p) => p.type === 'permission').map((p) => p.id));
    this.#open = new Set(context.permissions.map((p) => p.id));
    for (const part of turn.parts) {
      if (part.type === 'text' || part.type === 'thought')
        this.#lengths.set(`${part.type}:${part.id}`, part.text.length);
      if (part.type === 'tool') this.#outputs.set(part.id, part.output.length);
    }
    this.#last = lastPart(turn);
    this.#answering = state !== 'dispatching';
    this.#handle = turn.handle;
    this.#watched = `${open.watching} ${open.reason}`;
  }

  write(output: Pending): void {
    const turn = this.#turn;
    // I4: after a stop only closings of what is open.
    if (this.#cancelling && !isOfSession(output) && !this.#closes(output)) return this.#drop();
    switch (output.type) {
      case 'accepted':
        // Said again, or after the answer began, it is news only if it brings a handle.
        if (this.#begun() && (output.handle === undefined || output.handle === this.#handle)) return;
        this.#answering = true;
        this.#handle = output.handle ?? this.#handle;
        this.drafts.push({
          type: 'turn.accepted',
          turn,
          ...(output.handle !== undefined && { handle: output.handle }),
        });
        return;
      case 'text':
      case 'thought':
        return this.#text(output.type, output.text, output.part);
      case 'replace':
        return this.#replace(output);
      case 'tool.started':
        return this.#startTool(output);
      case 'tool.updated':
        return this.#updateTool(output);
      case 'tool.finished': {
        if (!this.#ensureTool(output.toolCallId, output.title, output.kind)) return;
        const { type, toolCallId, status, ...rest } = output;
        this.drafts.push({ type, turn, toolCallId, status, ...rest });
        this.#tools.delete(toolCallId);
        return;
      }
      case 'tool.refused':
        if (!this.#ensureTool(output.toolCallId, undefined, undefined)) return;
        this.drafts.push({
          type: 'tool.refused',
          turn,
          toolCallId: output.toolCallId,
          reason: output.reason,
        });
        this.#tools.delete(output.toolCallId);
        return;
      case 'plan':
        this.drafts.push({ type: 'plan.updated', turn, entries: output.entries });
        this.#last = undefined;
        return;
      case 'permission.asked':
        return this.#ask(output);
      case 'permission.withdrawn':
        if (!this.#open.delete(output.permission)) return this.#drop();
        this.drafts.push({
          type: 'permission.withdrawn',
          turn,
          permission: output.permission,
          reason: output.reason,
        });
        return;
      case 'retrying': {
        const { attempt, reason, next } = output;
        this.drafts.push({
          type: 'turn.retrying',
          turn,
          attempt,
          reason,
          ...(next !== undefined && { next }),
        });
        return;
      }
      case 'progress':
        this.drafts.push({ type: 'job.progress', turn, ...output.progress });
        return;
      case 'notice': {
        const { level, code, text } = output;
        this.drafts.push({ type: 'notice.added', turn, notice: this.#id('n'), level, code, text });
        this.#last = undefined;
        return;
      }
      case 'usage':
        this.drafts.push({ type: 'usage.updated', turn: output.turn ?? turn, usage: output.usage });
        return;
      case 'changed':
        this.drafts.push(...changeOf(this.#context, output));
        return;
      case 'watching': {
        const { mode, reason, since } = output;
        // I11: said again, it is no news.
        if (mode === 'poll' && this.#watched === `${mode} ${reason}`) return;
        this.#watched = `${mode} ${reason}`;
        this.drafts.push({ type: 'turn.watching', turn, mode, reason, since });
        return;
      }
      case 'stopping':
        // The ladder of a stop that was begun before a restart is climbed again; it is written once.
        if (stages.indexOf(output.stage) <= stages.indexOf(this.#stage)) return;
        this.#stage = output.stage;
        this.drafts.push({ type: 'turn.stopping', turn, stage: output.stage });
        return;
      case 'poll':
      case 'ended':
        // The runner acts on these; they are not rows.
        return;
    }
  }

  #begun(): boolean {
    return (
      this.#answering ||
      this.drafts.some((d) => isPart(d) || (d.type === 'turn.watching' && d.mode === 'poll'))
    );
  }

  #id(prefix: string): string {
    return `${prefix}${this.#seq + this.drafts.length + 1}`;
  }

  #drop(): void {
    this.dropped += 1;
  }

  #closes(output: Pending): boolean {
    if (output.type === 'stopping') return true;
    return (
      (output.type === 'tool.finished' || output.type === 'tool.refused') &&
      this.#tools.has(output.toolCallId)
    );
  }

  #text(kind: 'text' | 'thought', text: string, key: string | undefined): void {
    for (let start = 0; start < text.length; ) {
      let end = Math.min(start + largestText, text.length);
      // Never between the halves of a surrogate pair.
      if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
      this.#piece(kind, text.slice(start, end), key);
      start = end;
    }
  }

  #piece(kind: 'text' | 'thought', text: string, key: string | undefined): void {
    const open = this.#last?.kind === kind ? this.#last.id : this.#id('p');
    const part = key === undefined ? open : this.#named(kind, key);
    const length = this.#lengths.get(`${kind}:${part}`) ?? 0;
    const type = kind === 'text' ? 'text.added' : 'thought.added';
    const before = this.drafts.at(-1);
    const joins =
      before?.type === type && before.part === part && before.text.length + text.length <= largestText;
    if (joins) this.drafts[this.drafts.length - 1] = { ...before, text: before.text + text };
    else this.drafts.push({ type, turn: this.#turn, part, offset: length, text });
    this.#lengths.set(`${kind}:${part}`, length + text.length);
    this.#last = { kind, id: part };
  }

  /** Facts name a part without its kind: a key that serves text and thought alike becomes two names. */
  #named(kind: 'text' | 'thought', key: string): string {
    const other = kind === 'text' ? 'thought' : 'text';
    const clashes = this.#lengths.has(`${other}:${key}`) && !this.#lengths.has(`${kind}:${key}`);
    return clashes ? `${kind}.${key}` : key;
  }

  #replace(output: Extract<Output, { type: 'replace' }>): void {
    const keys = [...this.#lengths.keys()].filter((key) => key.startsWith(`${output.kind}:`));
    const part =
      output.part === undefined
        ? keys.at(-1)?.slice(output.kind.length + 1)
        : this.#named(output.kind, output.part);
    if (part === undefined || !this.#lengths.has(`${output.kind}:${part}`)) {
      return this.#text(output.kind, output.text, output.part);
    }
    this.drafts.push({
      type: 'part.replaced',
      turn: this.#turn,
      part,
      text: output.text,
      ...(output.reason !== undefined && { reason: output.reason }),
    });
    this.#lengths.set(`${output.kind}:${part}`, output.text.length);
    this.#last = { kind: output.kind, id: part };
  }

  #startTool(output: Extract<Output, { type: 'tool.started' }>): void {
    if (this.#seen.has(output.toolCallId)) {
      // Announced twice: the second is news of the first, if that still runs.
      const { type: _, ...rest } = output;
      return this.#updateTool({ type: 'tool.updated', ...rest });
    }
    this.drafts.push({ ...output, turn: this.#turn });
    this.#seen.add(output.toolCallId);
    this.#tools.add(output.toolCallId);
    this.#last = undefined;
  }

  #updateTool(output: Extract<Output, { type: 'tool.updated' }>): void {
    if (!this.#ensureTool(output.toolCallId, output.title, output.kind)) return;
    const { output: text, ...rest } = output;
    const offset = this.#outputs.get(output.toolCallId) ?? 0;
    this.drafts.push({
      ...rest,
      turn: this.#turn,
      ...(text !== undefined && { output: { offset, text } }),
    });
    if (text !== undefined) this.#outputs.set(output.toolCallId, offset + text.length);
  }

  /** Makes the card of a call that was never announced (A6, C49); false when the call has already ended. */
  #ensureTool(
    toolCallId: string,
    title: string | undefined,
    kind: Extract<Output, { type: 'tool.started' }>['kind'],
  ): boolean {
    if (this.#tools.has(toolCallId)) return true;
    if (this.#seen.has(toolCallId)) {
      this.#drop();
      return false;
    }
    this.#startTool({ type: 'tool.started', toolCallId, title: title ?? 'Tool', ...(kind && { kind }) });
    return true;
  }

  #ask(output: Extract<Output, { type: 'permission.asked' }>): void {
    if (this.#permissions.has(output.permission)) return this.#drop();
    const { permission, toolCallId, title, options, form, url } = output;
    const call =
      toolCallId !== undefined && this.#ensureTool(toolCallId, title, undefined) ? toolCallId : undefined;
    this.drafts.push({
      type: 'permission.asked',
      turn: this.#turn,
      permission,
      title,
      options,
      ...(call !== undefined && { toolCallId: call }),
      ...(form && { form }),
      ...(url !== undefined && { url }),
    });
    this.#permissions.add(permission);
    this.#open.add(permission);
    this.#last = undefined;
  }
}

function lastPart(turn: Turn): { kind: Part['type']; id: string } | undefined {
  const part = turn.parts.at(-1);
  return part && { kind: part.type, id: part.id };
}

function isOfSession(output: Pending): output is Extract<Output, { type: 'usage' | 'changed' }> {
  return output.type === 'usage' || output.type === 'changed';
}

/** What was said before a stop and is written after it all the same: news of the session, and ends of tools. */
export function outlivesStop(output: Pending): boolean {
  return isOfSession(output) || output.type === 'tool.finished' || output.type === 'tool.refused';
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
