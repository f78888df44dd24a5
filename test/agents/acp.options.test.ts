import type { SessionConfigOption } from '@agentclientprotocol/sdk';
import { describe, expect, it } from 'vitest';
import type { SessionOption } from '../../src/wire/options.ts';
import { bench } from './acp.fixture.ts';

const effort: SessionConfigOption = {
  type: 'select',
  id: 'effort',
  name: 'Effort',
  description: 'How long it thinks',
  category: 'thought_level',
  currentValue: 'low',
  options: [
    { group: 'g', name: 'Usual', options: [{ value: 'low', name: 'Low' }] },
    {
      group: 'h',
      name: 'Slow',
      options: [
        { value: 'high', name: 'High', description: 'Costs more' },
        { value: 'broken', name: 'Broken' },
      ],
    },
  ],
};
const web: SessionConfigOption = { type: 'boolean', id: 'web', name: 'Web search', currentValue: false };
const settings = [effort, web];

const shown: readonly SessionOption[] = [
  {
    type: 'select',
    id: 'effort',
    name: 'Effort',
    description: 'How long it thinks',
    category: 'thought_level',
    value: 'low',
    choices: [
      { id: 'low', name: 'Low', group: 'Usual' },
      { id: 'high', name: 'High', description: 'Costs more', group: 'Slow' },
      { id: 'broken', name: 'Broken', group: 'Slow' },
    ],
  },
  { type: 'boolean', id: 'web', name: 'Web search', value: false },
];

describe('the options of an ACP agent', () => {
  const opened = async () => {
    const all = await bench({ settings });
    await all.run([{ text: 'hi' }]);
    const options = async () => (await all.local.gateway.snapshot('s')).options;
    const values = async () => (await options())?.map((option) => option.value);
    return { ...all, options, values, change: (values: object) => change(all, values) };
  };
  const change = ({ local }: Awaited<ReturnType<typeof bench>>, options: object) =>
    local.gateway.change('s', { options: options as Record<string, string | boolean> });

  it('are offered beside model and mode, which are not among them', async () => {
    const { options, double, local } = await opened();
    expect(await options()).toEqual(shown);
    expect((await local.gateway.snapshot('s')).models).toHaveLength(2);
    expect(double.noted('initialize')).toMatchObject([
      { params: { clientCapabilities: { session: { configOptions: { boolean: {} } } } } },
    ]);
  });

  it('are set one by one, each in its own type', async () => {
    const { change, values, double } = await opened();
    await change({ effort: 'high', web: true });
    expect(double.noted('set_config_option').map(({ params }) => params)).toMatchObject([
      { configId: 'effort', value: 'high' },
      { configId: 'web', type: 'boolean', value: true },
    ]);
    expect(await values()).toEqual(['high', true]);
  });

  it('that are not offered are refused, and nothing is changed', async () => {
    const { change, values, double, followed } = await opened();
    const before = followed.facts.length;
    const code = (options: object) => change(options).catch((error) => error.code);
    expect(await code({ web: true, speed: 1 })).toBe('option.unknown');
    expect(await code({ web: true, effort: 'most' })).toBe('option.value');
    expect(await code({ web: 'true' })).toBe('option.value');
    expect(await values()).toEqual(['low', false]);
    expect(followed.facts).toHaveLength(before);
    expect(double.noted('set_config_option')).toEqual([]);
  });

  it('that the agent refuses are said, and shown as they are', async () => {
    const { change, values, local } = await opened();
    const refused = change({ effort: 'broken' });
    await expect(refused).rejects.toMatchObject({ status: 409, code: 'agent.option_refused' });
    await expect(refused).rejects.toThrow(/Double did not take the setting Effort: broken/);
    await expect.poll(values).toEqual(['low', false]);
    expect((await local.gateway.snapshot('s')).model).toBe('small');
  });

  it('that the agent changes by itself are shown', async () => {
    const { run, values } = await opened();
    const configOptions = [effort, { ...web, currentValue: true }];
    await run([{ update: { sessionUpdate: 'config_option_update', configOptions } }]);
    expect(await values()).toEqual(['low', true]);
  });

  it('are set again when the agent is opened anew; what it takes no more is said (I13)', async () => {
    const { run, change, double, values, first } = await opened();
    await change({ web: true });
    const broken = { ...effort, currentValue: 'broken' };
    const configOptions = [broken, { ...web, currentValue: true }];
    await run([{ update: { sessionUpdate: 'config_option_update', configOptions } }, { crash: 'gone' }]);
    expect(await values()).toEqual(['broken', true]);
    await run([{ text: 'again' }]);
    const [, , anew] = double.noted('set_config_option').map(({ params }) => params);
    expect(anew).toMatchObject({ configId: 'web', type: 'boolean', value: true });
    const refused = await first('notice.added', (fact) => fact.code === 'agent.setting_refused');
    expect(refused.text).toMatch(/did not take the setting Effort: broken/);
    expect(await values()).toEqual(['low', true]);
  });

  it('go along with a message for the background', async () => {
    const { change, local, double } = await opened();
    await change({ effort: 'high' });
    const content = [{ type: 'text' as const, text: 'aside' }];
    const { job } = await local.gateway.send('s', { id: 'b', content, delivery: 'background' });
    const followed = await local.follow(String(job));
    await followed.until((fact) => fact.type === 'turn.ended');
    expect(double.noted('set_config_option')).toMatchObject([
      { params: { configId: 'effort', value: 'high' } },
      { params: { configId: 'effort', value: 'high' } },
    ]);
    expect((await local.gateway.job(String(job))).options).toMatchObject([
      { value: 'high' },
      { value: false },
    ]);
  });
});
