import { createHash } from 'node:crypto';
import type { JobRequest } from '../../wire/facts.ts';
import type { SendAnswer, SendMessage } from '../../wire/requests.ts';
import type { Log } from '../log/log.ts';
import { Refusal } from '../refusal.ts';
import type { Registry } from './registry.ts';
import type { OpenSession } from './session.ts';

/** I9: a message id starts one turn. The same id and body get the same answer; another body is refused. */
export class Sends {
  readonly #log: Log;
  readonly #registry: Registry;
  readonly #started: (job: string) => Promise<void>;
  /** Under way: a double click comes before there is anything to remember. */
  readonly #sending = new Map<string, { readonly digest: string; readonly answer: Promise<SendAnswer> }>();

  /** `started` resolves when a job that was committed has been started, or could not be. */
  constructor(log: Log, registry: Registry, started: (job: string) => Promise<void>) {
    this.#log = log;
    this.#registry = registry;
    this.#started = started;
  }

  send(session: string, body: SendMessage): Promise<SendAnswer> {
    const key = `${session}\n${body.id}`;
    const digest = digestOf(body);
    const under = this.#sending.get(key);
    if (under) return under.digest === digest ? under.answer : Promise.reject(otherBody(body.id));
    const answer = this.#send(session, body, digest).finally(() => this.#sending.delete(key));
    this.#sending.set(key, { digest, answer });
    return answer;
  }

  #send(session: string, body: SendMessage, digest: string): Promise<SendAnswer> {
    return this.#registry.with(session, async (open) => {
      // Asked once the session is open: what another writer takes in after that makes this one's append fail.
      const before = await this.#log.message(session, body.id);
      if (before) {
        if (before.digest !== digest) throw otherBody(body.id);
        return before.answer;
      }
      if (open.ref.getSnapshot().context.kind === 'job')
        throw new Refusal(409, 'session.is_job', 'A job takes no messages; stop it, or start another.');
      const message = { id: body.id, content: body.content };
      if (body.delivery === 'background') return this.#background(open, message, digest);
      const answer = await open.ask({ type: 'send', message, digest, delivery: body.delivery ?? 'queue' });
      return { ...(answer as Pick<SendAnswer, 'outcome' | 'turn'>), cursor: open.cursor };
    });
  }

  async #background(open: OpenSession, message: JobRequest['message'], digest: string): Promise<SendAnswer> {
    const { agent, cwd, model, mode, mcpServers, options } = open.ref.getSnapshot().context;
    const request = {
      agent,
      cwd,
      ...(model !== undefined && { model }),
      ...(mode !== undefined && { mode }),
      ...(mcpServers !== undefined && { mcpServers }),
      ...(options !== undefined && { options }),
    };
    const answer = await open.ask({ type: 'background', message, digest, request });
    // The answer that is remembered: the session may go on while the job is started.
    const { cursor } = open;
    const job = String(answer.job);
    await this.#started(job);
    return { outcome: 'job', job, cursor };
  }
}

function otherBody(id: string): Refusal {
  return new Refusal(
    409,
    'message.conflict',
    `The message id ${id} was used for another message. Take a new id.`,
  );
}

function digestOf(body: SendMessage): string {
  const { content, delivery = 'queue' } = body;
  return createHash('sha256')
    .update(JSON.stringify([content, delivery]))
    .digest('base64url');
}
