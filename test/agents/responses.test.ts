import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import type { Limits } from '../../machines/runner.types.ts';
import { Secret } from '../../src/agents/model/secret.ts';
import type { ResponsesServer } from '../../src/agents/responses/options.ts';
import { createResponses } from '../../src/agents/responses/responses.ts';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import { SqliteLog } from '../../src/gateway/log/sqlite.log.ts';
import type { Fact } from '../../src/wire/facts.ts';
import { foldAll } from '../../src/wire/fold.ts';
import type { Turn } from '../../src/wire/turn.ts';
import { violations } from '../support/invariants.ts';
import { follow, type Local, localGateway } from '../support/local-gateway.ts';
import { Gate } from '../support/model-server.ts';
import { type Knobs, type ResponsesDouble, startResponses } from '../support/responses-server.ts';

const limits: Partial<Limits> = { poll: 5, pollMax: 20, cancel: 2_000 };

async function serve(knobs: Knobs | ((text: string, index: number) => Knobs)): Promise<ResponsesDouble> {
  const server = await startResponses(typeof knobs === 'function' ? knobs : () => knobs);
  onTestFinished(() => server.close());
  return server;
}

function agent(server: ResponsesDouble, settings: Partial<ResponsesServer> = {}) {
  return createResponses({ server: { id: 'deep', baseUrl: server.url, model: 'scripted', ...settings } });
}

async function bench(server: ResponsesDouble, settings: Partial<ResponsesServer> = {}) {
  const local = await localGateway({ connectors: [agent(server, settings)], limits });
  onTestFinished(() => local.close());
  await local.gateway.create({ id: 's', agent: 'deep' });
  const followed = await local.follow('s');
  return { local, followed, gateway: local.gateway, server };
}

const send = (gateway: Gateway, id: string, text = id) =>
  gateway.send('s', { id, content: [{ type: 'text', text }] });
const textOf = (turn: Turn | undefined) =>
  (turn?.parts ?? []).flatMap((p) => (p.type === 'text' ? p.text : [])).join('');
const lastTurn = async (gateway: Gateway) => (await gateway.snapshot('s')).turns.at(-1);

async function isSound({ gateway, log }: Pick<Local, 'gateway' | 'log'>): Promise<void> {
  const { turns } = await gateway.snapshot('s');
  const facts = (await log.read('s', 0)) as Fact[];
  expect(violations(facts)).toEqual([]);
  expect(foldAll(facts)).toEqual(turns);
}

it('joins a stream that broke where it was left: no word is lost, none comes twice (C9, C21)', async () => {
  const words = Array.from({ length: 12 }, (_, i) => ({ text: `w${i} ` }));
  const server = await serve({
    twice: true,
    steps: words.flatMap((word, i) =>
      i % 4 === 3 ? [word, { cut: true } as const, { read: true } as const] : [word],
    ),
  });
  const { local, gateway, followed } = await bench(server);
  await send(gateway, 'm1');
  expect(await followed.until((f) => f.type === 'turn.ended')).toMatchObject({ outcome: 'finalized' });
  const said = words.map(({ text }) => text).join('');
  expect(textOf(await lastTurn(gateway))).toBe(said);
  const joined = server.asked.filter((line) => line.includes('starting_after='));
  expect(joined.length).toBeGreaterThanOrEqual(3);
  expect(followed.facts.some((f) => f.type === 'turn.watching' && f.mode === 'poll')).toBe(true);
  await isSound(local);
});

it('is asked from time to time when its stream cannot be read again, and the end brings the rest (C10, I11)', async () => {
  const gate = new Gate();
  const server = await serve({
    resumable: false,
    steps: [{ text: 'Hello ' }, { cut: true }, { gate }, { text: 'world.' }],
  });
  const { local, gateway, followed } = await bench(server);
  await send(gateway, 'm1');
  await followed.until((f) => f.type === 'turn.watching' && f.mode === 'poll');
  await followed.until((f) => f.type === 'job.progress');
  const before = followed.facts.length;
  const polls = () => server.asked.filter((line) => line === 'GET /responses/resp_1').length;
  const asked = polls();
  await expect.poll(() => polls() - asked).toBeGreaterThan(3);
  expect(followed.facts.slice(before)).toEqual([]);
  gate.open();
  expect(await followed.until((f) => f.type === 'turn.ended')).toMatchObject({ outcome: 'finalized' });
  expect(textOf(await lastTurn(gateway))).toBe('Hello world.');
  await isSound(local);
});

it('needs no stream at all', async () => {
  const server = await serve({ steps: [{ thought: 'Hm.' }, { text: 'Hello world.' }] });
  const { local, gateway, followed } = await bench(server, { stream: false });
  await send(gateway, 'm1');
  expect(await followed.until((f) => f.type === 'turn.ended')).toMatchObject({ outcome: 'finalized' });
  expect((await lastTurn(gateway))?.parts.map((p) => p.type)).toEqual(['thought', 'text']);
  expect(server.bodies[0]).toMatchObject({ background: true, store: true, stream: false });
  expect(server.asked.join('\n')).not.toContain('stream=true');
  await isSound(local);
});

it('is stopped while it is only asked: the server is told once, and no poll follows (I5, C10)', async () => {
  const server = await serve({ streams: false, steps: [{ gate: new Gate() }] });
  const { local, gateway, followed } = await bench(server);
  const { turn } = await send(gateway, 'm1');
  await followed.until((f) => f.type === 'turn.watching' && f.mode === 'poll');
  await gateway.stop('s', { turn: String(turn) });
  expect(await followed.until((f) => f.type === 'turn.ended')).toMatchObject({ outcome: 'cancelled' });
  expect(server.cancels()).toBe(1);
  expect(server.asked.at(-1)).toBe('POST /responses/resp_1/cancel');
  await isSound(local);
});

it('is cancelled at the server once its name is known, when the stop came before (C42)', async () => {
  const before = new Gate();
  const server = await serve({ before, steps: [{ gate: new Gate() }] });
  const { local, gateway, followed } = await bench(server);
  const { turn } = await send(gateway, 'm1');
  await before.reached;
  await gateway.stop('s', { turn: String(turn) });
  expect(await followed.until((f) => f.type === 'turn.ended')).toMatchObject({ outcome: 'cancelled' });
  expect(server.cancels()).toBe(0);
  before.open();
  await expect.poll(() => server.cancels()).toBe(1);
  await isSound(local);
});

it.each(['stream', 'poll'] as const)(
  'goes on over a restart of the gateway, and is joined again (%s): the text is whole (I6, I7, D4)',
  async (mode) => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const gate = new Gate();
    const server = await serve({
      resumable: mode === 'stream',
      steps: [
        { thought: 'Hm.' },
        { text: 'Hello ' },
        { tool: 'web_search_call' },
        { text: 'brave ' },
        { gate },
        { text: 'world.' },
      ],
    });
    const start = () =>
      createGateway({
        connectors: [agent(server)],
        roots: [directory],
        stateRoot: join(directory, '.state'),
        limits,
        log: new SqliteLog(join(directory, 'log.db')),
      });
    const first = await start();
    await first.create({ id: 's', agent: 'deep' });
    const before = await follow(first, 's');
    await send(first, 'm1');
    await before.until((f) => f.type === 'text.added' && f.text.includes('brave'));
    await first.close();
    expect(server.cancels()).toBe(0);

    const log = new SqliteLog(join(directory, 'log.db'));
    const second = await createGateway({
      connectors: [agent(server)],
      roots: [directory],
      stateRoot: join(directory, '.state'),
      limits,
      log,
    });
    onTestFinished(() => second.close());
    const after = await follow(second, 's');
    gate.open();
    expect(await after.until((f) => f.type === 'turn.ended')).toMatchObject({ outcome: 'finalized' });
    const turn = await lastTurn(second);
    const parts = turn?.parts.map((p) => [p.type, 'text' in p ? p.text : 'status' in p ? p.status : '']);
    expect(parts).toEqual([
      ['thought', 'Hm.'],
      ['text', 'Hello '],
      ['tool', 'completed'],
      ['text', 'brave world.'],
    ]);
    expect(server.bodies).toHaveLength(1);
    await isSound({ gateway: second, log });
  },
);

it('sends the conversation along, also what ended while it was only polled', async () => {
  const server = await serve((_, index) => ({
    streams: index > 0,
    steps: index === 0 ? [{ text: 'Paris.' }] : [{ text: 'Yes.' }],
  }));
  const { gateway, followed } = await bench(server, { instructions: 'Be brief.' });
  const { turn } = await send(gateway, 'm1', 'The capital of France?');
  await followed.until((f) => f.type === 'turn.ended' && f.turn === turn);
  await send(gateway, 'm2', 'Are you sure?');
  await followed.until((f) => f.type === 'turn.ended' && f.turn !== turn);
  expect(server.bodies[1]).toMatchObject({
    instructions: 'Be brief.',
    input: [
      { role: 'user', content: [{ type: 'input_text', text: 'The capital of France?' }] },
      { role: 'assistant', content: 'Paris.' },
      { role: 'user', content: [{ type: 'input_text', text: 'Are you sure?' }] },
    ],
  });
});

it('says what to do about a key that is refused, and shows it nowhere', async () => {
  const server = await serve({ refuse: [401, 401], steps: [] });
  const { gateway, followed, local } = await bench(server, { apiKey: new Secret('sk-very-secret') });
  await send(gateway, 'm1');
  const end = await followed.until((f) => f.type === 'turn.ended');
  expect(end).toMatchObject({ outcome: 'failed', error: { code: 'model.unauthorized' } });
  expect(server.headers[0]?.authorization).toBe('Bearer sk-very-secret');
  expect(inspect(await local.log.read('s', 0), { depth: 9 })).not.toContain('very-secret');
});

it('is not asked twice when it is not known whether the first request arrived', async () => {
  const before = new Gate();
  const server = await serve({ before, steps: [] });
  const { gateway, followed } = await bench(server);
  await send(gateway, 'm1');
  await before.reached;
  await server.close();
  expect(await followed.until((f) => f.type === 'turn.ended')).toMatchObject({ outcome: 'failed' });
  expect(server.bodies).toHaveLength(1);
});

it('fails in words when the model calls a function that nobody provides', async () => {
  const server = await serve({ steps: [{ text: 'I look. ' }, { call: 'get_weather' }] });
  const { gateway, followed, local } = await bench(server);
  await send(gateway, 'm1');
  await followed.until((fact) => fact.type === 'turn.ended');
  const turn = await lastTurn(gateway);
  expect(turn).toMatchObject({ outcome: 'failed', error: { code: 'responses.unprovided_function' } });
  expect(turn?.error?.message).toContain('"get_weather"');
  expect(textOf(turn)).toBe('I look. ');
  await isSound(local);
});

const asking = (text: string, index: number): Knobs =>
  index === 0 && text === 'm1'
    ? { steps: [{ text: 'I ask. ' }, { approval: 'search' }] }
    : { steps: [{ mcp: 'search', approved: 'mcp_approval_request_resp_1_1' }, { text: 'Found.' }] };

it.each([
  ['allow', true],
  ['deny', false],
] as const)(
  'asks a person before a call that needs it, and tells the server: %s',
  async (option, approve) => {
    const server = await serve(asking);
    const { gateway, followed, local } = await bench(server);
    await send(gateway, 'm1');
    const asked = await followed.until((fact) => fact.type === 'permission.asked');
    const permission = asked.type === 'permission.asked' ? asked.permission : '';
    expect(asked).toMatchObject({ title: 'Let the server use notes: search?', toolCallId: permission });
    await gateway.answer('s', permission, option);
    await followed.until((fact) => fact.type === 'turn.ended');
    expect(server.bodies[1]).toMatchObject({
      previous_response_id: 'resp_1',
      background: true,
      input: [{ type: 'mcp_approval_response', approval_request_id: permission, approve }],
    });
    const turn = await lastTurn(gateway);
    expect([turn?.outcome, textOf(turn)]).toEqual(['finalized', 'I ask. Found.']);
    expect(turn?.parts.filter((part) => part.type === 'tool')).toMatchObject([
      { id: permission, status: approve ? 'completed' : 'refused' },
    ]);
    await isSound(local);
  },
);

it('stops while a person is asked, and tells nobody that it was allowed (I5)', async () => {
  const server = await serve(asking);
  const { gateway, followed, local } = await bench(server);
  const { turn } = await send(gateway, 'm1');
  await followed.until((fact) => fact.type === 'permission.asked');
  await gateway.stop('s', { turn: String(turn) });
  await followed.until((fact) => fact.type === 'turn.ended');
  expect(await lastTurn(gateway)).toMatchObject({ outcome: 'cancelled' });
  expect(server.bodies).toHaveLength(1);
  await isSound(local);
});

it('asks also where the answer is polled', async () => {
  const server = await serve((text, index) => ({ ...asking(text, index), streams: false }));
  const { gateway, followed, local } = await bench(server);
  await send(gateway, 'm1');
  await followed.until((fact) => fact.type === 'permission.asked');
  await gateway.answer('s', 'mcp_approval_request_resp_1_1', 'allow');
  await followed.until((fact) => fact.type === 'turn.ended');
  expect(await lastTurn(gateway)).toMatchObject({ outcome: 'finalized' });
  await isSound(local);
});
