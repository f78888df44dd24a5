import type { ContentBlock } from '../../wire/content.ts';
import { AgentError, type AgentSession, type OpenOptions, type Output } from '../agent.ts';
import type { Clock } from '../model/clock.ts';
import type { BackEvent } from './events.ts';
import type { Hub } from './hub.ts';
import { at, type Profile, placed } from './profile.ts';
import { type Rpc, RpcRefused } from './rpc.ts';
import { Tools } from './tools.ts';
import { BackTurn, type TurnDeps } from './turn.ts';

export interface SessionDeps {
  readonly profile: Profile;
  readonly rpc: Rpc;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly jobs: 'background' | 'turn';
}

export function createSession(
  { profile, rpc, hub, clock, jobs }: SessionDeps,
  options: OpenOptions,
): AgentSession {
  const handsOver = jobs === 'background' && options.kind === 'conversation' && profile.methods.job !== false;
  const { methods, params } = profile;
  const closed = new AbortController();
  const steering = new Set<Promise<unknown>>();
  const unprompted = new Tools();
  let current: BackTurn | undefined;
  /** Jobs that have come to their end. */
  const over = new Set<string>();
  /** The turn before has ended without its end event, which may come yet. */
  let owed = false;

  const deps: TurnDeps = {
    profile,
    clock,
    live: () => hub.live,
    // A step later, so that whoever asked has the answer before the end.
    pending: () =>
      steering.size === 0
        ? Promise.resolve()
        : Promise.allSettled(steering).then(() => new Promise((resolve) => setImmediate(resolve))),
  };

  function hear(event: BackEvent): void {
    const turn = current;
    if (!turn || turn.phase === 'over') return hearUnasked(event);
    const { kind, job } = event;
    // C43: it names another turn, or a job that this turn is not.
    const ofOther = event.turn !== undefined && event.turn !== turn.id;
    const ofOtherJob =
      job !== undefined && job !== turn.job && (turn.phase !== 'dispatching' || over.has(job));
    // Without a name it is the end of the turn before, if that has come to none and this one has not begun.
    const ofLast = owed && kind === 'end' && event.turn === undefined && job === undefined;
    if (ofLast) owed = false;
    if (ofOther || ofOtherJob || ofLast) {
      turn.ignored += 1;
      return;
    }
    owed = false;
    turn.event(event);
  }

  function hearUnasked(event: BackEvent): void {
    const late = current?.outstanding || event.turn !== undefined || (event.job && over.has(event.job));
    // C38: after the job is attached, what comes is the job's, until the end of its dispatching.
    if (current?.handedTo !== undefined && !current.ended && event.kind !== 'end')
      return hub.give(current.handedTo, event);
    if (current && (late || event.kind === 'end')) return current.event(event);
    const { kind, text } = event;
    if ((kind === 'text' || kind === 'thought') && text !== undefined)
      return options.onOutput({ type: kind, text });
    const output = unprompted.take(event);
    if (output) options.onOutput(output);
  }

  const listener = {
    event: hear,
    lost: (reason: string) => current?.lost(reason),
    unscoped() {
      if (!current || current.phase === 'over') return false;
      const text = 'The back end sent events that name no session. They are refused and counted, not shown.';
      current.notice('rpc.unscoped', text);
      return true;
    },
  };
  const leaveHub = hub.join(options.session, listener);

  const call = (method: string, more: readonly (readonly [string, unknown])[], session = options.session) =>
    rpc.call(method, placed([[params.session, session], ...more]), closed.signal);

  async function dispatch(turn: BackTurn, content: readonly ContentBlock[]): Promise<void> {
    await hub.ready(closed.signal);
    if (isOver(turn)) return;
    hub.showUnscoped(listener);
    let result: unknown;
    try {
      result = await call(methods.send, [
        [params.turn, turn.id],
        [params.message, textOf(content)],
      ]);
    } catch (error) {
      return turn.failed(error as AgentError);
    }
    const job = jobOf(result);
    if (job !== undefined && isOver(turn)) return orphan(turn, job);
    if (turn.answered(result) !== 'job' || job === undefined) return;
    if (handsOver) {
      // Its events wait for whoever follows the job.
      hub.assign(job);
      return turn.handOver(job, `${encodeURIComponent(job)}@${encodeURIComponent(options.session)}`);
    }
    hub.assign(job, listener);
    turn.becomeJob(job);
  }

  /** C42: what was stopped before it had a name is stopped now; what has ended otherwise is said. */
  function orphan(turn: BackTurn, job: string): void {
    if (turn.cancelled && methods.stop !== false) {
      void call(methods.stop, [[params.job, job]]).catch(() => {});
      return;
    }
    const text = `The back end began job ${job} for a turn that was over; it is not followed here.`;
    options.onOutput({ type: 'notice', level: 'warning', code: 'rpc.late_job', text });
  }

  function jobOf(result: unknown): string | undefined {
    const job = at(result, profile.answer.job);
    return typeof job === 'string' || typeof job === 'number' ? String(job) : undefined;
  }

  function begin(turn: BackTurn): AsyncIterable<Output> {
    if (current && current.phase !== 'over')
      throw new AgentError('rpc.busy', 'This session has a turn already.');
    if (current?.job !== undefined) finishJob(current.job);
    owed = current?.outstanding === true;
    current = turn;
    return turn.output;
  }

  return {
    prompt({ turn: id, content, signal }) {
      const turn = new BackTurn(id, deps);
      const output = begin(turn);
      signal.addEventListener('abort', () => leave(turn), { once: true });
      void dispatch(turn, content);
      return output;
    },

    reattach(handle, seen) {
      const turn = new BackTurn(seen.id, deps, seen);
      const output = begin(turn);
      turn.phase = 'job';
      const [job = '', of] = handle.split('@').map(decodeURIComponent);
      turn.job = job;
      turn.session = of;
      hub.assign(job, listener);
      turn.watchJob();
      return output;
    },

    async poll(handle) {
      const turn = current;
      if (turn?.job === undefined || methods.job === false)
        return { state: 'unknown', reason: `Job ${handle} is not followed here.` };
      try {
        const found = turn.polled(await call(methods.job, [[params.job, turn.job]], turn.session));
        if (found.state !== 'running') finishJob(turn.job);
        return found;
      } catch (error) {
        const { message } = error as AgentError;
        if (error instanceof RpcRefused && isUnknown(error)) return { state: 'unknown', reason: message };
        return { state: 'running', progress: { text: message } };
      }
    },

    async cancel() {
      const turn = current;
      // A turn that has just become a job, and was stopped before that was written: the job is what runs.
      const job = turn?.job ?? turn?.handedTo;
      if (!turn || (turn.phase === 'over' && job === undefined)) return;
      turn.cancelled = true;
      if (methods.stop === false)
        throw new AgentError('rpc.no_stop', 'This back end has no method to stop a turn ("methods.stop").');
      await call(methods.stop, [[params.job, job]], turn.session);
      turn.end({ type: 'ended', stopReason: 'cancelled' });
    },

    ...(methods.steer !== false && {
      async steer(content: readonly ContentBlock[]) {
        const turn = current;
        if (!turn || turn.phase === 'over' || methods.steer === false) return false;
        const asked = call(methods.steer, [
          [params.job, turn.job],
          [params.message, textOf(content)],
        ]);
        steering.add(asked);
        try {
          const taken = at(await asked, profile.answer.taken);
          return taken !== false;
        } catch {
          return false;
        } finally {
          steering.delete(asked);
        }
      },
    }),

    answer() {
      // Its tools ask nobody: it refuses them itself.
    },
    get survives() {
      return current?.phase === 'job' && methods.job !== false;
    },
    async close() {
      closed.abort();
      if (current) leave(current);
      leaveHub();
    },
  };

  function leave(turn: BackTurn): void {
    turn.leave();
    if (turn.job !== undefined) finishJob(turn.job);
  }

  function finishJob(job: string): void {
    over.add(job);
    hub.release(job);
  }
}

/** Asked anew: it may have ended while its dispatch was awaited. */
function isOver(turn: BackTurn): boolean {
  return turn.phase === 'over';
}

/** Method or job not found, in JSON-RPC's and HTTP's words. */
function isUnknown({ code, status }: RpcRefused): boolean {
  return status === 404 || status === 410 || code === 'rpc.404' || code === 'rpc.-32004';
}

function textOf(content: readonly ContentBlock[]): string {
  return content
    .map((block) => {
      if (block.type === 'text') return block.text;
      if (block.type === 'resource_link') return `[${block.title ?? block.name}](${block.uri})`;
      if (block.type === 'resource' && block.resource.text !== undefined)
        return `Contents of ${block.resource.uri}:\n\n${block.resource.text}`;
      throw new AgentError('rpc.unsupported_content', 'This back end takes text alone: send it as text.');
    })
    .join('\n\n');
}
