import type { Message } from '../src/wire/content.ts';
import type { Draft, JobRequest } from '../src/wire/facts.ts';
import type { AnswerPermission, EditQueue, SendAnswer } from '../src/wire/requests.ts';
import { answer } from './answers.ts';
import { change, type Wishes } from './changes.ts';
import { closings } from './closings.ts';
import { refuse } from './refuse.ts';
import { type SessionContext, titleOf } from './session.ts';

/** What a person or the gateway asks of a session's runner. `id` finds the answer's way back. */
export type Command = { readonly id: string } & (
  | {
      readonly type: 'send';
      readonly message: Message;
      readonly delivery: 'queue' | 'steer';
      readonly digest: string;
    }
  | {
      readonly type: 'background';
      readonly message: Message;
      readonly digest: string;
      readonly request: Omit<JobRequest, 'message'>;
    }
  | { readonly type: 'stop'; readonly turn?: string; readonly message?: string }
  | { readonly type: 'resume' }
  /** `at`: then (milliseconds since 1970) instead of now; null: not any more. */
  | { readonly type: 'retry'; readonly turn: string; readonly at?: number | null }
  | { readonly type: 'editQueue'; readonly edit: EditQueue }
  | ({ readonly type: 'answer'; readonly permission: string } & AnswerPermission)
  | ({ readonly type: 'change' } & Wishes)
  | { readonly type: 'settleJob'; readonly draft: Extract<Draft, { type: 'job.settled' }> }
  | { readonly type: 'close' }
);

/** A refusal as plain data; the gateway makes a problem document of it. */
export interface Refused {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly extra?: Readonly<Record<string, unknown>>;
}

export type Decision =
  | {
      readonly drafts: readonly Draft[];
      /** What the sender is told once the drafts are committed; the cursor is added then. */
      readonly answer: Readonly<Record<string, unknown>>;
      /** The message id to remember with its answer. */
      readonly message?: {
        readonly id: string;
        readonly digest: string;
        readonly answer: Omit<SendAnswer, 'cursor'>;
      };
      /** Told after the drafts are committed, although they are: the command itself was not done. */
      readonly refused?: Refused;
    }
  | { readonly refused: Refused };

/** The state of the conversation machine, as far as a decision needs it. */
export interface Standing {
  readonly state: string;
  readonly context: SessionContext;
}

/** Decides on the committed state what a command writes. Pure: the same state and command give the same drafts. */
export function decide(standing: Standing, command: Command): Decision {
  const { context } = standing;
  const settled = decideFinal(standing, command);
  if (settled) return settled;
  switch (command.type) {
    case 'send':
      return send(standing, command);
    case 'background': {
      const named = context.title === undefined ? [titled(command.message)] : [];
      const job = `${context.id}.j${context.seq + named.length + 1}`;
      const request = { ...command.request, message: command.message };
      return {
        drafts: [...named, { type: 'job.attached', job, request }],
        answer: { outcome: 'job', job },
        message: { id: command.message.id, digest: command.digest, answer: { outcome: 'job', job } },
      };
    }
    case 'stop':
      return stop(standing, command);
    case 'resume':
      return resume(context);
    case 'retry':
      return retry(standing, command);
    case 'editQueue':
      return editQueue(context, command.edit);
    case 'answer':
      return answer(context, command.permission, command);
    case 'change':
      return change(context, command);
    case 'settleJob': {
      const open = context.jobs.some((j) => j.job === command.draft.job && !j.outcome);
      return open ? { drafts: [command.draft], answer: {} } : { drafts: [], answer: {} };
    }
    case 'close':
      return atRest(standing.state)
        ? { drafts: [{ type: 'session.closed' }], answer: {} }
        : refuse(409, 'session.busy', 'The session is running: stop it first.', { turn: context.open?.id });
  }
}

/** What a job, or a session that is closed, cannot write: it is refused in words, or there is nothing to do. */
function decideFinal({ state, context }: Standing, command: Command): Decision | undefined {
  const { type } = command;
  const job = context.kind === 'job';
  const final = state === 'closed' || (job && atRest(state) && state !== 'idle');
  if (final && (type === 'close' || type === 'settleJob')) return { drafts: [], answer: {} };
  if (state === 'closed') return refuse(409, 'session.closed', 'This session is closed.');
  if (!job || type === 'stop' || type === 'answer') return undefined;
  if (final) return refuse(409, 'job.over', 'This job is over and takes nothing more; start a new one.');
  if (type === 'send' && state !== 'idle') {
    return refuse(409, 'job.busy', 'A job takes one message; write to its conversation instead.');
  }
  // It never began, so nothing tells that it ended: its log is deleted as it is.
  return type === 'close' && state === 'idle' ? { drafts: [], answer: {} } : undefined;
}

/** True where no turn runs. */
export function atRest(state: unknown): boolean {
  return state === 'idle' || state === 'finalized' || state === 'cancelled' || state === 'failed';
}

/** The turn that the fact at this place will open. */
function turnAt(seq: number): string {
  return `t${seq}`;
}

function send({ state, context }: Standing, command: Extract<Command, { type: 'send' }>): Decision {
  const { queue, seq } = context;
  const { message, delivery, digest } = command;
  const empty = queue.messages.length === 0;
  const named: Draft[] = context.title === undefined ? [titled(message)] : [];
  if (atRest(state) && (empty || queue.held)) {
    // With nothing in it there is nothing to hold: what follows this message may drain again.
    const released: Draft[] =
      empty && queue.held ? [{ type: 'queue.released', revision: queue.revision + 1 }] : [];
    const turn = turnAt(seq + named.length + released.length + 1);
    const revision = queue.revision + released.length + 1;
    const answer = { outcome: 'started', turn } as const;
    return {
      drafts: [...named, ...released, { type: 'turn.started', turn, message, origin: 'user', revision }],
      answer,
      message: { id: message.id, digest, answer },
    };
  }
  const answer = { outcome: 'queued' } as const;
  return {
    drafts: [...named, { type: 'queue.added', message, delivery, revision: queue.revision + 1 }],
    answer,
    message: { id: message.id, digest, answer },
  };
}

/** C33: the title is set with the first message, in one append: it cannot land on another conversation. */
function titled(message: Message): Draft {
  return { type: 'session.changed', title: titleOf(message, 'Conversation') };
}

function stop({ state, context }: Standing, command: Extract<Command, { type: 'stop' }>): Decision {
  const { queue, open } = context;
  // A job has no queue to hold.
  const holds = (!queue.held || queue.retry !== undefined) && context.kind === 'conversation';
  const hold: Draft[] = !holds
    ? []
    : [{ type: 'queue.held', reason: 'stopped', revision: queue.revision + 1 }];
  const now = { state, ...(open && { turn: open.id }) };
  const waits = queue.messages.some((q) => q.message.id === command.message);
  // A message that has not started yet: it stays where it is, and nothing starts by itself.
  if (waits) return { drafts: hold, answer: now };
  const names =
    open !== null &&
    (command.turn === open.id ||
      (command.message !== undefined && command.message === open.ref.getSnapshot().context.message?.id));
  if (!names) {
    // I4: too late to stop that turn, but the user wanted quiet: nothing more starts by itself.
    const known = context.turns.some(
      (t) => t.id === command.turn || (command.message !== undefined && t.message?.id === command.message),
    );
    if (!known) return refuse(404, 'turn.unknown', 'No such turn or message in this session.', now);
    return {
      drafts: hold,
      answer: now,
      refused: {
        status: 409,
        code: 'turn.over',
        detail: open
          ? `That turn is over; turn ${open.id} runs now.`
          : 'That turn is over; nothing runs now.',
        extra: { ...now, queue: { ...queue, held: true } },
      },
    };
  }
  // C42: the agent is told once; a second stop finds the first.
  if (open.stage) return { drafts: hold, answer: now };
  const { permissions } = closings(context, 'The turn was stopped.');
  return {
    drafts: [{ type: 'turn.stopping', turn: open.id, stage: 'asked' }, ...permissions, ...hold],
    answer: { ...now, state: 'cancelling' },
  };
}

function resume(context: SessionContext): Decision {
  const { queue } = context;
  if (!queue.held) return { drafts: [], answer: { queue } };
  const revision = queue.revision + 1;
  return { drafts: [{ type: 'queue.released', revision }], answer: {} };
}

function retry(standing: Standing, { turn, at }: Extract<Command, { type: 'retry' }>): Decision {
  const { state, context } = standing;
  const { queue, open } = context;
  const last = context.turns.at(-1);
  const now = { state, ...(open && { turn: open.id }) };
  const revision = queue.revision + 1;
  if (at === null) {
    const held = { type: 'queue.held', reason: 'failed', revision } as const;
    return { drafts: queue.retry === turn ? [held] : [], answer: {} };
  }
  if (!atRest(state)) return refuse(409, 'turn.running', 'A turn is running: stop it first.', now);
  if (!last || last.id !== turn || !last.message) {
    return refuse(409, 'turn.not_last', 'Only the last turn can be run again.', { ...now, last: last?.id });
  }
  if (!queue.held && queue.messages.length > 0) {
    return refuse(409, 'queue.waiting', 'The queue is about to go on; stop it first.', now);
  }
  if (at !== undefined) {
    const held = { type: 'queue.held', reason: 'limited', until: at, retry: turn, revision } as const;
    return { drafts: [held], answer: { until: at } };
  }
  const { drafts, id } = again(context, last.id, last.message);
  return { drafts, answer: { turn: id } };
}

/** The turn once more, as a new one; with nothing in it there is no queue to hold. */
function again(context: SessionContext, turn: string, { id, content }: Message) {
  const { queue, seq } = context;
  const releases = queue.held && queue.messages.length === 0;
  const released: Draft[] = releases ? [{ type: 'queue.released', revision: queue.revision + 1 }] : [];
  const next = turnAt(seq + released.length + 1);
  const started: Draft = {
    type: 'turn.started',
    turn: next,
    // I3: each message id starts one turn, so the repeated message gets a name of its own.
    message: { id: `${id.slice(0, 180)}~${next}`, content },
    origin: 'user',
    retryOf: turn,
    revision: queue.revision + released.length + 1,
  };
  return { drafts: [...released, started], id: next };
}

/** What the user wanted done at a time that has come: the turn once more, and then the queue goes on. */
export function decideRetry({ state, context }: Standing): readonly Draft[] {
  const { queue, turns } = context;
  const last = turns.at(-1);
  if (!atRest(state) || queue.retry === undefined || last?.id !== queue.retry || !last.message) return [];
  const { drafts } = again(context, last.id, last.message);
  // I3: while others wait it goes before them, by the user's wish; they follow after its end.
  const waits = queue.messages.length > 0;
  return waits ? [...drafts, { type: 'queue.released', revision: queue.revision + 2 }] : drafts;
}

function editQueue(context: SessionContext, edit: EditQueue): Decision {
  const { queue } = context;
  if (edit.revision !== queue.revision) {
    return refuse(409, 'queue.stale', 'The queue has changed since; look at it again.', { queue });
  }
  const revision = queue.revision + 1;
  const named = 'edit' in edit ? edit.edit.message : 'move' in edit ? edit.move.message : edit.remove.message;
  if (!queue.messages.some((q) => q.message.id === named)) {
    return refuse(409, 'queue.gone', 'That message is not in the queue any more.', { queue });
  }
  if ('edit' in edit) {
    const message = { id: named, content: edit.edit.content };
    const held: Draft[] =
      queue.held && queue.retry === undefined
        ? []
        : [{ type: 'queue.held', reason: 'edited', revision: revision + 1 }];
    return { drafts: [{ type: 'queue.edited', message, revision }, ...held], answer: {} };
  }
  if ('move' in edit) {
    if (edit.move.to >= queue.messages.length) {
      return refuse(409, 'queue.no_place', `The queue has ${queue.messages.length} places.`, { queue });
    }
    return { drafts: [{ type: 'queue.moved', message: named, to: edit.move.to, revision }], answer: {} };
  }
  return { drafts: [{ type: 'queue.removed', message: named, revision }], answer: {} };
}
