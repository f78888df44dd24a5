import { randomUUID } from 'node:crypto';
import type { Fact } from '../../src/wire/facts.ts';
import type { SendAnswer, SendMessage } from '../../src/wire/requests.ts';
import type { SessionSnapshot } from '../../src/wire/snapshot.ts';
import { openTab } from './gateway-server.ts';
import { script } from './local-gateway.ts';
import { GatewayProcess } from './process-gateway.ts';
import { livingWith } from './processes.ts';
import { type Seen, sessionsOf, snapshotOf, until, wrongWith } from './real-logs.ts';

/** What one kill met. */
export interface Round {
  readonly round: number;
  readonly seenFacts: number;
  readonly openTurns: number;
  readonly wrong: readonly string[];
}

const conversations = 10;
/** So many kills meet the same sessions, whose logs grow; then new ones. */
const roundsEach = 5;

interface Reader {
  readonly session: string;
  readonly seen: Seen;
  close(): void;
}

/** A gateway that is killed again and again while ten conversations stream, and what its readers saw. */
export class Kills {
  readonly gateway: GatewayProcess;
  readonly #seed: number;
  readonly #mark = randomUUID();

  constructor(seed: number) {
    this.#seed = seed;
    this.gateway = new GatewayProcess([], { FAULT_RUN: this.#mark });
  }

  async start(): Promise<void> {
    await this.gateway.start();
  }

  /** Lets ten conversations run, kills the gateway at a point that the seed gives, and looks at all of them. */
  async round(round: number): Promise<Round> {
    const random = randomOf(this.#seed + round);
    const names = Array.from({ length: conversations }, (_, i) => `s${Math.floor(round / roundsEach)}-${i}`);
    if (round % roundsEach === 0) {
      for (const id of names) await this.gateway.call('POST', '/api/sessions', { id, agent: 'builtin' });
    }
    const total = { facts: 0 };
    const enough = Promise.withResolvers<void>();
    const killAfter = 1 + random(200);
    const onFact = () => {
      total.facts += 1;
      if (total.facts === killAfter) enough.resolve();
    };
    const readers = await Promise.all(names.map((name, i) => this.#read(name, i % 2 === 0, onFact)));
    const users = names.map((name, i) => this.#use(name, `${round}-${i}`, random));
    await enough.promise;
    await this.gateway.end('SIGKILL');
    const sent = await Promise.all(users);
    for (const reader of readers) reader.close();
    await this.gateway.start();

    const wrong: string[] = [];
    let openTurns = 0;
    for (const [i, { session, seen }] of readers.entries()) {
      openTurns += lastStarted(seen.facts) ? 1 : 0;
      wrong.push(...(await wrongWith(this.gateway, session, session, seen)));
      wrong.push(...(await this.#sendAgain(session, sent[i] ?? [])));
    }
    return { round, seenFacts: total.facts, openTurns, wrong };
  }

  /** Lets jobs end, ends the gateway, and says what is still wrong or still there. */
  async finish(): Promise<readonly string[]> {
    const wrong: string[] = [];
    for (const { id, kind, parent } of await sessionsOf(this.gateway)) {
      if (kind !== 'job') continue;
      await until(this.gateway, id, (now) => now.turns.every((turn) => turn.outcome !== undefined));
      wrong.push(...(await wrongWith(this.gateway, id, parent ?? '?')));
      const { jobs } = await until(this.gateway, parent ?? '', ({ jobs }) =>
        jobs.every((job) => job.outcome),
      );
      const turn = (await snapshotOf(this.gateway, id)).turns[0];
      const told = jobs.find((job) => job.job === id);
      if (told?.outcome !== turn?.outcome)
        wrong.push(`${id} ended ${turn?.outcome}, its parent was told ${told?.outcome}`);
    }
    const code = await this.gateway.end('SIGTERM');
    if (code !== 0) wrong.push(`the gateway ended with ${code}`);
    for (const { command, pid } of livingWith('FAULT_RUN', this.#mark))
      wrong.push(`${pid} still runs: ${command}`);
    return wrong;
  }

  async remove(): Promise<void> {
    await this.gateway.remove();
    for (const { pid } of livingWith('FAULT_RUN', this.#mark)) process.kill(pid, 'SIGKILL');
  }

  /** Over server-sent events or over the live channel: both count what they are told. */
  async #read(session: string, overSocket: boolean, onFact: () => void): Promise<Reader> {
    const start = await snapshotOf(this.gateway, session);
    const facts: Fact[] = [];
    const take = (fact: Fact) => {
      facts.push(fact);
      onFact();
    };
    const seen = { start, facts };
    if (overSocket) {
      const headers = { authorization: `Bearer ${this.gateway.token}` };
      const tab = await openTab(Number(new URL(this.gateway.url).port), headers);
      tab.socket.on('message', (data) => {
        const frame = JSON.parse(String(data));
        if (frame.type === 'facts') for (const fact of frame.facts) take(fact);
      });
      tab.say({ type: 'subscribe', session, after: start.cursor });
      return { session, seen, close: () => tab.socket.terminate() };
    }
    const abort = new AbortController();
    void (async () => {
      for await (const fact of this.gateway.events(session, start.cursor, abort.signal)) take(fact);
    })().catch(() => {}); // Cut by the kill.
    return { session, seen, close: () => abort.abort() };
  }

  /** What a user does until the gateway is gone; gives the sends that were answered. */
  async #use(session: string, key: string, random: (below: number) => number): Promise<Sent[]> {
    const sent: Sent[] = [];
    const send = async (body: SendMessage) => {
      const answer = await this.gateway.call<SendAnswer>('POST', `/api/sessions/${session}/messages`, body);
      sent.push({ body, answer });
      return answer;
    };
    const word = `@${session}@`;
    try {
      // What earlier kills left in the queue goes first.
      await this.gateway.call('POST', `/api/sessions/${session}/resume`);
      const steps = [
        { tool: 't1', title: word, output: word },
        { permission: 'p1', wait: false },
        { thought: word },
        { tokens: { count: 400, every: 1 + random(3), prefix: word } },
      ];
      await send(script(`a-${key}`, steps.slice(random(4))));
      for (let more = random(4); more > 0; more--) await send(script(`q${more}-${key}`, [{ text: word }]));
      if (random(4) === 0)
        await send({
          ...script(`j-${key}`, [{ survive: [{ tokens: { count: 30, every: 5, prefix: word } }] }]),
          delivery: 'background',
        });
      if (random(3) === 0)
        await this.gateway.call('POST', `/api/sessions/${session}/stop`, { message: `a-${key}` });
    } catch {
      // Killed meanwhile, or refused because it is over already: the log says what was done.
    }
    return sent;
  }

  /** I9: the same message once more gets the same answer, and starts nothing. */
  async #sendAgain(session: string, sent: readonly Sent[]): Promise<string[]> {
    const before = await snapshotOf(this.gateway, session);
    const wrong: string[] = [];
    for (const { body, answer } of sent) {
      const again = await this.gateway.call<SendAnswer>('POST', `/api/sessions/${session}/messages`, body);
      if (JSON.stringify(again) !== JSON.stringify(answer))
        wrong.push(
          `${session}: sent again, ${body.id} was answered otherwise: ${JSON.stringify([answer, again])}`,
        );
    }
    const after = await snapshotOf(this.gateway, session);
    if (turnsOf(after) !== turnsOf(before)) wrong.push(`${session}: sent again, a turn started`);
    return wrong;
  }
}

interface Sent {
  readonly body: SendMessage;
  readonly answer: SendAnswer;
}

function turnsOf({ turns, queue }: SessionSnapshot): string {
  return [...turns.map((turn) => turn.message?.id), ...queue.messages.map((q) => q.message.id)].join(' ');
}

function lastStarted(facts: readonly Fact[]): boolean {
  const last = facts.findLast((fact) => fact.type === 'turn.started' || fact.type === 'turn.ended');
  return last?.type === 'turn.started';
}

/** mulberry32 */
function randomOf(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}
