import { describe, expect, it, onTestFinished } from 'vitest';
import type { AgentSession, Connector, OpenOptions } from '../../src/agents/agent.ts';
import { createBuiltin } from '../../src/agents/builtin/builtin.ts';
import { createModel } from '../../src/agents/model/model.ts';
import { createRpcSse } from '../../src/agents/rpc-sse/rpc-sse.ts';
import { Double, type DoubleOptions } from '../support/acp-double.ts';
import { type Local, localGateway } from '../support/local-gateway.ts';
import { answer, start } from '../support/model-server.ts';
import { startRpc, text, turnEnd } from '../support/rpc-server.ts';

const say = (id: string, words = id) => ({ id, content: [{ type: 'text' as const, text: words }] });

async function talkTo(connector: Connector): Promise<Local> {
  const local = await localGateway({ connectors: [connector] });
  onTestFinished(() => local.close());
  await local.gateway.create({ id: 's', agent: connector.id });
  return local;
}

async function turn(local: Local, id: string, words?: string): Promise<void> {
  const followed = await local.follow('s');
  const { turn } = await local.gateway.send('s', say(id, words));
  await followed.until((fact) => fact.type === 'turn.ended' && fact.turn === turn);
  followed.close();
}

/** Runs a message in the background; resolves with the job as it ended. */
async function job(local: Local, id: string, words?: string) {
  const { job = '' } = await local.gateway.send('s', { ...say(id, words), delivery: 'background' });
  const followed = await local.follow('s');
  await followed.until((fact) => fact.type === 'job.settled' && fact.job === job);
  return local.gateway.job(job);
}

/** An agent that ends each turn at once, and keeps what it was opened with. */
function recorder(): { readonly connector: Connector; readonly opened: OpenOptions[] } {
  const opened: OpenOptions[] = [];
  const session = (options: OpenOptions): AgentSession => ({
    async *prompt({ content }) {
      if (options.kind === 'conversation')
        options.onOutput({ type: 'changed', agentSession: 'of-the-agent' });
      if (content.some((block) => block.type === 'text' && block.text === 'becomes a job')) {
        yield { type: 'ended', stopReason: 'job', job: 'of-its-own' };
        return;
      }
      yield { type: 'text', text: 'Done.' };
      yield { type: 'ended', stopReason: 'end_turn' };
    },
    async *reattach() {
      yield { type: 'ended', stopReason: 'end_turn' };
    },
    cancel() {},
    answer() {},
    async close() {},
  });
  const connector: Connector = {
    id: 'recorder',
    name: 'Recorder',
    description: '',
    mcpServers: [{ name: 'files', byDefault: true }],
    available: async () => ({ available: true }),
    async open(options) {
      opened.push(options);
      return session(options);
    },
  };
  return { connector, opened };
}

describe('a background job knows the conversation that it comes from', () => {
  it('is opened with the turns that had ended, under names that are not its own, and the session to fork', async () => {
    const { connector, opened } = recorder();
    const local = await talkTo(connector);
    await turn(local, 'one');
    await turn(local, 'two');
    const { id } = await job(local, 'work');
    const [, given] = opened;
    expect(given).toMatchObject({ session: id, kind: 'job', fork: 'of-the-agent' });
    expect(given?.resume).toBeUndefined();
    expect(
      given?.history.map(({ id, outcome, message }) => [id.split('/')[0], outcome, message?.id]),
    ).toEqual([
      ['s', 'finalized', 'one'],
      ['s', 'finalized', 'two'],
    ]);
    const own = (await local.gateway.job(id)).turns.map((one) => one.id);
    expect(given?.history.some((one) => own.includes(one.id))).toBe(false);
  });

  it('unless the agent began it itself: what runs already is joined, and told nothing', async () => {
    const { connector, opened } = recorder();
    const local = await talkTo(connector);
    await turn(local, 'one');
    const followed = await local.follow('s');
    await turn(local, 'two', 'becomes a job');
    await followed.until((fact) => fact.type === 'job.settled');
    expect(opened.map(({ kind, history, fork }) => [kind, history.length, fork])).toEqual([
      ['conversation', 0, undefined],
      ['job', 0, undefined],
    ]);
  });

  it('of a conversation that has not begun has nothing to know', async () => {
    const { connector, opened } = recorder();
    await job(await talkTo(connector), 'work');
    expect(opened[0]?.history).toEqual([]);
    expect(opened[0]?.fork).toBeUndefined();
  });

  it('is given the servers that were chosen for its conversation', async () => {
    const { connector, opened } = recorder();
    const local = await localGateway({ connectors: [connector] });
    onTestFinished(() => local.close());
    await local.gateway.create({ id: 's', agent: 'recorder', mcpServers: ['files'] });
    await job(local, 'work');
    expect(opened[0]).toMatchObject({ kind: 'job', mcpServers: ['files'] });
  });

  async function withDouble(options: DoubleOptions): Promise<{ local: Local; double: Double }> {
    const double = new Double(options);
    onTestFinished(() => double.remove());
    return { local: await talkTo(double.connector), double };
  }

  it('by a fork of the agent’s own session, where the agent can', async () => {
    const { local, double } = await withDouble({ forks: true });
    await turn(local, 'one', 'The word is plum.');
    const { agentSession } = await local.gateway.snapshot('s');
    const done = await job(local, 'work', 'Say it.');
    expect(double.noted('fork')).toMatchObject([{ params: { sessionId: agentSession } }]);
    expect(double.noted('new')).toHaveLength(1);
    expect(done.agentSession).not.toBe(agentSession);
    expect(double.noted('prompt').at(-1)).toMatchObject({
      sessionId: done.agentSession,
      content: [{ text: 'Say it.' }],
    });
    expect(done.turns[0]?.parts).toMatchObject([{ type: 'text' }]);
  });

  it('by a fork, and when that fails by text, which is said', async () => {
    const { local, double } = await withDouble({ forks: true });
    await turn(local, 'one', 'The word is plum.');
    double.unplant(String((await local.gateway.snapshot('s')).agentSession));
    const done = await job(local, 'work', 'Say it.');
    expect(done.turns[0]?.parts[0]).toMatchObject({
      type: 'notice',
      text: expect.stringContaining('could not fork the session it comes from'),
    });
    expect(JSON.stringify(double.noted('prompt').at(-1))).toContain('The word is plum.');
  });

  it('by text, where the agent cannot fork', async () => {
    const { local, double } = await withDouble({});
    await turn(local, 'one', 'The word is plum.');
    const done = await job(local, 'work', 'Say it.');
    expect(double.noted('fork')).toEqual([]);
    expect(done.turns[0]?.parts[0]).toMatchObject({ type: 'notice', code: 'agent.context_given' });
    expect(JSON.stringify(double.noted('prompt').at(-1))).toContain('The word is plum.');
  });

  it('with a model, as messages before its own', async () => {
    const server = await start({ script: [answer('Noted.'), answer('Plum.')], models: ['m'] });
    onTestFinished(() => server.close());
    const local = await talkTo(
      createModel({
        server: { id: 'model', baseUrl: server.url, model: 'm', tools: false },
        settingsFile: '/s',
      }),
    );
    await turn(local, 'one', 'The word is plum.');
    await job(local, 'work', 'Say it.');
    expect(server.requests[1]?.body?.messages).toEqual([
      { role: 'user', content: 'The word is plum.' },
      { role: 'assistant', content: 'Noted.' },
      { role: 'user', content: 'Say it.' },
    ]);
  });

  it('with a back end that keeps conversations by our names for them, by text, which is said', async () => {
    const server = await startRpc(() => ({ steps: [text('Fine.'), turnEnd] }));
    onTestFinished(() => server.close());
    const local = await talkTo(
      createRpcSse({ server: { id: 'rpc', url: server.url, events: server.events } }),
    );
    await turn(local, 'one', 'The word is plum.');
    const done = await job(local, 'work', 'Say it.');
    expect(done.turns[0]?.parts[0]).toMatchObject({ type: 'notice', code: 'agent.context_given' });
    const sent = JSON.stringify(server.calls.at(-1));
    expect(sent).toContain('The word is plum.');
    expect(sent).toContain('Say it.');
  });

  it('with the built-in agent, which can name what was said', async () => {
    const local = await talkTo(createBuiltin());
    await turn(local, 'one', 'The word is plum.');
    const done = await job(local, 'work', 'history');
    expect(JSON.stringify(done.turns[0]?.parts)).toContain('The word is plum.');
  });
});
