import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createRpcSse } from '../../src/agents/rpc-sse/rpc-sse.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import { SqliteLog } from '../../src/gateway/log/sqlite.log.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { follow } from '../support/local-gateway.ts';
import { Gate } from '../support/model-server.ts';
import { type RpcStep, startRpc, text, turnEnd } from '../support/rpc-server.ts';
import { type Bench, bench, isSound, limits, said } from './rpc-sse.kit.ts';

const ofJob = (job: string, event: string, data: Record<string, unknown> = {}): RpcStep => ({
  event,
  data: { ...data, job_id: job },
});
const jobText = (job: string, delta: string) => ofJob(job, 'llm:delta', { delta });

/** The job that a conversation's turn became. */
async function attached(b: Bench): Promise<string> {
  const fact = await b.followed.until((f) => f.type === 'job.attached');
  const job = 'job' in fact ? fact.job : '';
  // Its own log follows.
  await expect.poll(() => b.local.log.head(job)).toBeDefined();
  return job;
}

it('text before a job is attached stays in the conversation, after it goes to the job only (C38, C20, I14)', async () => {
  const gate = new Gate();
  const b = await bench({
    m1: {
      steps: [
        text('Before. '),
        { job: 'j1' },
        text('Late. '),
        jobText('j1', 'After.'),
        { gate },
        ofJob('j1', 'turn:end'),
      ],
    },
  });
  const turn = await b.send('m1');
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized', stopReason: 'job' });
  const job = await attached(b);
  const jobs = await b.local.follow(job);
  await jobs.until((f) => f.type === 'text.added' && f.text.includes('After.'));
  // The conversation is free while its job runs.
  expect((await b.gateway.snapshot('s')).state).toBe('finalized');
  expect(said(await b.last())).toBe('Before. ');
  expect((await b.last())?.parts.at(-1)).toEqual({ type: 'job', id: job });
  gate.open();
  expect(await jobs.until((f) => f.type === 'turn.ended')).toMatchObject({ outcome: 'finalized' });
  await b.followed.until((f) => f.type === 'job.settled' && f.job === job);
  expect(said((await b.gateway.job(job)).turns[0])).toBe('Late. After.');
  await b.sound();
  await b.sound(job);
});

it('the end of the turn that began a job does not end the job (C40)', async () => {
  const gate = new Gate();
  const b = await bench({
    m1: {
      steps: [
        { job: 'j1' },
        turnEnd,
        { event: 'chat.complete', data: { reply: 'Started.' } },
        { gate },
        jobText('j1', 'Done.'),
        ofJob('j1', 'turn:end'),
      ],
    },
  });
  await b.send('m1');
  const job = await attached(b);
  const jobs = await b.local.follow(job);
  await gate.reached;
  expect((await b.gateway.job(job)).turns[0]?.outcome).toBeUndefined();
  gate.open();
  await jobs.until((f) => f.type === 'turn.ended');
  expect(said((await b.gateway.job(job)).turns[0])).toBe('Done.');
  await b.sound(job);
});

it('an end that came before the answer is not the end of the job that the answer names (C39, C40)', async () => {
  const gate = new Gate();
  const b = await bench(
    { m1: { steps: [turnEnd, { job: 'j1' }, { gate }, ofJob('j1', 'turn:end')] } },
    { jobs: 'turn' },
  );
  const turn = await b.send('m1');
  await gate.reached;
  await b.followed.until((f) => f.type === 'turn.accepted');
  expect((await b.gateway.snapshot('s')).state).toBe('streaming');
  gate.open();
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized' });
  expect(b.followed.facts.some((f) => f.type === 'job.attached')).toBe(false);
  await b.sound();
});

it('two jobs of one conversation and one of another do not mix (C8, C43)', async () => {
  const gate = new Gate();
  const play = (job: string, words: readonly string[]) => ({
    steps: [{ job }, { gate }, ...words.map((word) => jobText(job, word)), ofJob(job, 'turn:end')],
  });
  const b = await bench({
    m1: play('j1', ['a', 'b', 'c']),
    m2: play('j2', ['d', 'e', 'f']),
    m3: play('j3', ['g', 'h']),
  });
  await b.gateway.create({ id: 'o', agent: 'shrimp' });
  await b.send('m1');
  await b.ended();
  await b.send('m2');
  await b.gateway.send('o', { id: 'm3', content: [{ type: 'text', text: 'm3' }] });
  await expect.poll(async () => (await b.gateway.jobs()).length).toBe(3);
  await expect.poll(() => b.server.of('message.send').length).toBe(3);
  gate.open();
  await expect
    .poll(async () => (await b.gateway.jobs()).every((job) => job.state === 'finalized'))
    .toBe(true);
  const texts = await Promise.all(
    (await b.gateway.jobs()).map(async ({ id }) => said((await b.gateway.job(id)).turns[0])),
  );
  expect(texts.sort()).toEqual(['abc', 'def', 'gh']);
});

it.each([
  ['done', { status: 'done', reply: 'Hello world.' }, 'finalized', 'end_turn'],
  ['failed', { status: 'failed', error: 'It broke.' }, 'failed', 'error'],
  ['cancelled', { status: 'cancelled' }, 'cancelled', 'cancelled'],
  ['unknown', null, 'failed', 'lost'],
] as const)(
  'a job of which no event tells is asked about until it is %s: one end, and no question after it (C10, C11, I11)',
  async (_, status, outcome, stopReason) => {
    const gate = new Gate();
    const b = await bench(
      {
        m2: { steps: [{ answer: { reply: 'Next.' } }] },
        m1: {
          steps: [
            { job: 'j1' },
            jobText('j1', 'Hello '),
            { status: { status: 'running', progress: 'Half.' }, of: 'j1' },
            { gate },
            { status, of: 'j1' },
          ],
        },
      },
      { jobs: 'turn' },
    );
    const turn = await b.send('m1');
    await b.followed.until((f) => f.type === 'text.added');
    await b.clock.sleeping(3_000);
    b.clock.advance(3_000);
    expect(await b.followed.until((f) => f.type === 'job.progress')).toMatchObject({ text: 'Half.' });
    const written = b.followed.facts.length;
    const asked = b.server.of('job.status').length;
    await expect.poll(() => b.server.of('job.status').length).toBeGreaterThan(asked + 3);
    expect(b.followed.facts).toHaveLength(written);
    gate.open();
    expect(await b.ended(turn)).toMatchObject({ outcome, stopReason });
    expect(said(await b.last())).toBe(outcome === 'finalized' ? 'Hello world.' : 'Hello ');
    const last = b.server.of('job.status').length;
    b.clock.advance(60_000);
    b.server.tell('llm:delta', { session_id: 's', job_id: 'j1', delta: 'late' });
    b.server.tell('turn:end', { session_id: 's', job_id: 'j1' });
    await b.gateway.resume('s');
    await b.ended(await b.send('m2'));
    expect(b.server.of('job.status')).toHaveLength(last);
    await b.sound();
  },
);

it('a job whose stream is lost is asked about, and streams again when it is back (I13)', async () => {
  const gates = [new Gate(), new Gate()] as const;
  const b = await bench(
    {
      m1: {
        steps: [
          { job: 'j1' },
          jobText('j1', 'Hello '),
          { gate: gates[0] },
          { cut: true },
          { gate: gates[1] },
          jobText('j1', 'world.'),
          ofJob('j1', 'turn:end'),
        ],
      },
    },
    { jobs: 'turn' },
  );
  const turn = await b.send('m1');
  await b.followed.until((f) => f.type === 'text.added');
  gates[0].open();
  await b.followed.until((f) => f.type === 'turn.watching' && f.mode === 'poll');
  await b.clock.sleeping(500);
  b.clock.advance(500);
  await expect.poll(() => b.server.streams()).toBe(1);
  gates[1].open();
  await b.followed.until((f) => f.type === 'turn.watching' && f.mode === 'stream');
  expect(await b.ended(turn)).toMatchObject({ outcome: 'finalized' });
  expect(said(await b.last())).toBe('Hello world.');
  await b.sound();
});

it('a stop of a job names the job and its session, once; what comes later changes nothing (C42, I5)', async () => {
  const b = await bench({ m1: { steps: [{ job: 'j1' }, jobText('j1', 'Hello '), { gate: new Gate() }] } });
  await b.send('m1');
  const job = await attached(b);
  const jobs = await b.local.follow(job);
  await jobs.until((f) => f.type === 'text.added');
  await b.gateway.stopJob(job);
  expect(await jobs.until((f) => f.type === 'turn.ended')).toMatchObject({ outcome: 'cancelled' });
  expect(b.server.of('session.stop').map((c) => c.params)).toEqual([{ session_id: 's', job_id: 'j1' }]);
  b.server.tell('llm:delta', { session_id: 's', job_id: 'j1', delta: 'late' });
  await b.followed.until((f) => f.type === 'job.settled');
  expect(said((await b.gateway.job(job)).turns[0])).toBe('Hello ');
  await b.sound(job);
});

it('a stop before the job has a name is sent to it when it has one (C42)', async () => {
  const gate = new Gate();
  const b = await bench({ m1: { mute: true, deaf: true, steps: [{ gate }, { job: 'j1' }] } });
  const turn = await b.send('m1');
  await gate.reached;
  await b.gateway.stop('s', { turn: String(turn) });
  expect(await b.ended(turn)).toMatchObject({ outcome: 'cancelled' });
  gate.open();
  await expect.poll(() => b.server.of('session.stop').length).toBe(2);
  expect(b.server.of('session.stop').map((c) => c.params)).toEqual([
    { session_id: 's' },
    { session_id: 's', job_id: 'j1' },
  ]);
  expect(b.followed.facts.some((f) => f.type === 'job.attached')).toBe(false);
  await b.sound();
});

it('a message that is sent to the background has a session of its own at the back end', async () => {
  const b = await bench({ m1: { steps: [text('Hello '), { answer: { reply: 'Hello world.' } }] } });
  const job = String(await b.send('m1', { delivery: 'background' }));
  await b.followed.until((f) => f.type === 'job.settled' && f.outcome === 'finalized');
  expect(said((await b.gateway.job(job)).turns[0])).toBe('Hello world.');
  expect(b.server.of('message.send')[0]?.params.session_id).toBe(job);
  expect((await b.gateway.snapshot('s')).turns).toEqual([]);
});

it.each(['done', 'unknown'] as const)(
  'a job goes on over a restart of the gateway, and is found %s (D4)',
  async (found) => {
    const gate = new Gate();
    const end = found === 'done' ? { status: 'done', reply: 'Hello world.' } : null;
    const steps: RpcStep[] = [text('Before.'), { job: 'j1' }, jobText('j1', 'Hello ')];
    const server = await startRpc(() => ({ steps: [...steps, { gate }, { status: end, of: 'j1' }] }));
    onTestFinished(() => server.close());
    const directory = mkdtempSync(join(tmpdir(), 'sluice-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const start = async () => {
      const log = new SqliteLog(join(directory, 'log.db'));
      const connector = createRpcSse({ server: { id: 'shrimp', url: server.url, events: server.events } });
      const options = { roots: [directory], stateRoot: join(directory, '.state'), limits };
      return { log, gateway: await createGateway({ connectors: [connector], log, ...options }) };
    };
    const first = await start();
    await first.gateway.create({ id: 's', agent: 'shrimp' });
    await first.gateway.send('s', { id: 'm1', content: [{ type: 'text', text: 'm1' }] });
    const textOfJob = async () => said((await first.gateway.jobs())[0] && (await jobTurn(first.gateway)));
    await expect.poll(textOfJob).toBe('Hello ');
    await first.gateway.close();
    expect(server.of('session.stop')).toEqual([]);

    const { gateway, log } = await start();
    onTestFinished(() => gateway.close());
    const [job] = await gateway.jobs();
    const jobs = await follow(gateway, String(job?.id));
    gate.open();
    expect(await jobs.until((f) => f.type === 'turn.ended')).toMatchObject(
      found === 'done' ? { outcome: 'finalized' } : { outcome: 'interrupted' },
    );
    expect(said(await jobTurn(gateway))).toBe(found === 'done' ? 'Hello world.' : 'Hello ');
    expect(server.of('message.send')).toHaveLength(1);
    await isSound(gateway, log, String(job?.id));
  },
);

async function jobTurn(gateway: Gateway): Promise<Turn | undefined> {
  const [job] = await gateway.jobs();
  return job && (await gateway.job(job.id)).turns[0];
}
