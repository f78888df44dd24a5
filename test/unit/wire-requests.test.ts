import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import {
  addAgent,
  answerPermission,
  changeSession,
  clientFrame,
  createSession,
  editQueue,
  retryAnswer,
  retryRequest,
  sendAnswer,
  sendMessage,
  stopRequest,
} from '../../src/wire/requests.ts';

const x = (length: number) => 'x'.repeat(length);
const many = <T>(count: number, value: T) => Array.from({ length: count }, () => value);
const text = { type: 'text', text: 'Hi' };
const message = { id: 'm', content: [text] };
const command = ['npx', 'agent'];
const edit = { message: 'm', content: [text] };

interface Bodies {
  readonly schema: z.ZodType;
  /** A body that is taken, each with one change that leaves it so. */
  readonly takes: readonly object[];
  readonly refuses: readonly object[];
}

const bodies: Readonly<Record<string, Bodies>> = {
  'a new session': {
    schema: createSession,
    takes: [
      { agent: 'a' },
      { agent: x(200), id: x(200), cwd: x(4096), title: x(200), model: x(200), mode: x(200) },
      { agent: 'a', id: 'Az09_.:-', cwd: '/', title: 't', model: 'm', mode: 'm' },
      { agent: 'a', continue: 'c', mcpServers: [] },
      { agent: 'a', continue: x(1000), mcpServers: many(100, x(200)) },
    ],
    refuses: [
      {},
      { agent: '' },
      { agent: x(201) },
      { agent: 'a', id: '' },
      { agent: 'a', id: x(201) },
      { agent: 'a', id: 'a/b' },
      { agent: 'a', id: '/b' },
      { agent: 'a', id: 'a/' },
      { agent: 'a', cwd: '' },
      { agent: 'a', cwd: x(4097) },
      { agent: 'a', title: '' },
      { agent: 'a', title: x(201) },
      { agent: 'a', model: '' },
      { agent: 'a', model: x(201) },
      { agent: 'a', mode: '' },
      { agent: 'a', mode: x(201) },
      { agent: 'a', continue: '' },
      { agent: 'a', continue: x(1001) },
      { agent: 'a', mcpServers: [''] },
      { agent: 'a', mcpServers: [x(201)] },
      { agent: 'a', mcpServers: many(101, 's') },
      { agent: 'a', modell: 'typo' },
    ],
  },
  'an agent': {
    schema: addAgent,
    takes: [
      { name: 'A', command },
      { name: x(100), command: many(200, x(8192)) },
      { name: 'A', command: ['a', ''], env: { A: '', _a9: x(32_768), [x(200)]: 'v' } },
    ],
    refuses: [
      { command },
      { name: '', command },
      { name: '  ', command },
      { name: x(101), command },
      { name: 'A', command: [] },
      { name: 'A', command: [''] },
      { name: 'A', command: [' ', 'a'] },
      { name: 'A', command: many(201, 'a') },
      { name: 'A', command: [x(8193)] },
      { name: 'A', command: ['a\0b'] },
      { name: 'A', command, env: { '9A': 'v' } },
      { name: 'A', command, env: { '': 'v' } },
      { name: 'A', command, env: { 'A-B': 'v' } },
      { name: 'A', command, env: { [x(201)]: 'v' } },
      { name: 'A', command, env: { A: x(32_769) } },
      { name: 'A', command, env: { A: 'a\0' } },
      { name: 'A', command, shell: true },
    ],
  },
  'a change of a session': {
    schema: changeSession,
    takes: [
      { title: 't', model: 'm', mode: 'm', options: { o: true, p: 'v' }, seen: '' },
      { title: x(200) },
      { model: x(200) },
      { mode: x(200) },
      { options: {} },
      { seen: x(100) },
    ],
    refuses: [
      {},
      { title: '' },
      { title: x(201) },
      { model: '' },
      { model: x(201) },
      { mode: '' },
      { mode: x(201) },
      { options: { o: 1 } },
      { seen: x(101) },
      { state: 'idle' },
    ],
  },
  'a message': {
    schema: sendMessage,
    takes: [
      message,
      { ...message, content: many(100, text) },
      ...['queue', 'steer', 'background'].map((delivery) => ({ ...message, delivery })),
    ],
    refuses: [
      { id: 'm' },
      { content: [text] },
      { ...message, content: [] },
      { ...message, content: many(101, text) },
      { ...message, content: [{ type: 'song' }] },
      { ...message, delivery: 'now' },
      { ...message, to: 'x' },
    ],
  },
  'a stop': {
    schema: stopRequest,
    takes: [{ turn: 't1' }, { message: 'm' }],
    refuses: [{}, { turn: 't1', message: 'm' }, { turn: '' }, { message: '' }, { job: 'j' }],
  },
  'a repetition': {
    schema: retryRequest,
    takes: [{ turn: 't1' }, { turn: 't1', at: 0 }, { turn: 't1', at: 8.64e15 }, { turn: 't1', at: null }],
    refuses: [
      {},
      { turn: 't1', at: -1 },
      { turn: 't1', at: 0.5 },
      { turn: 't1', at: 8.65e15 },
      { turn: 't1', in: 5 },
    ],
  },
  'an edit of the queue': {
    schema: editQueue,
    takes: [
      { revision: 0, edit },
      { revision: 1, move: { message: 'm', to: 0 } },
      { revision: 1, remove: { message: 'm' } },
    ],
    refuses: [
      { revision: 0 },
      { edit },
      { revision: -1, edit },
      { revision: 0.5, edit },
      { revision: 0, edit: { message: 'm' } },
      { revision: 0, edit: { ...edit, at: 1 } },
      { revision: 0, edit, remove: { message: 'm' } },
      { revision: 0, move: { message: 'm' } },
      { revision: 0, move: { message: 'm', to: -1 } },
      { revision: 0, move: { message: 'm', to: 0.5 } },
      { revision: 0, move: { message: 'm', to: 0, by: 1 } },
      { revision: 0, move: { message: 'm', to: 0 }, by: 1 },
      { revision: 0, remove: {} },
      { revision: 0, remove: { message: 'm', to: 0 } },
      { revision: 0, remove: { message: 'm' }, by: 1 },
    ],
  },
  'an answer to a question': {
    schema: answerPermission,
    takes: [{ option: 'o' }, { option: x(200), content: { a: 'b' } }],
    refuses: [
      {},
      { option: '' },
      { option: x(201) },
      { option: 'o', content: { a: null } },
      { option: 'o', why: '' },
    ],
  },
  'what a repetition is answered with': {
    schema: retryAnswer,
    takes: [{ cursor: 'e.1' }, { cursor: 'e.1', turn: 't1', until: 5 }],
    refuses: [{}, { cursor: 'e.1', turn: 1 }, { cursor: 'e.1', until: 'soon' }],
  },
  'what a message is answered with': {
    schema: sendAnswer,
    takes: [
      { outcome: 'started', turn: 't1', cursor: 'e.1' },
      { outcome: 'queued', cursor: 'e.1' },
      { outcome: 'job', job: 'j', cursor: 'e.1' },
    ],
    refuses: [
      { cursor: 'e.1' },
      { outcome: 'lost', cursor: 'e.1' },
      { outcome: 'queued' },
      { outcome: 'job', job: 1, cursor: 'e.1' },
    ],
  },
  'what a page says on the live channel': {
    schema: clientFrame,
    takes: [
      { type: 'subscribe', session: 's' },
      { type: 'subscribe', session: x(200), after: x(100), grade: 'live' },
      { type: 'subscribe', session: 's', grade: 'turn' },
      { type: 'unsubscribe', session: 's' },
      { type: 'unsubscribe', session: x(200) },
      { type: 'ping' },
    ],
    refuses: [
      {},
      { type: 'pong' },
      { type: 'subscribe' },
      { type: 'subscribe', session: '' },
      { type: 'subscribe', session: x(201) },
      { type: 'subscribe', session: 's', after: x(101) },
      { type: 'subscribe', session: 's', grade: 'all' },
      { type: 'unsubscribe' },
      { type: 'unsubscribe', session: '' },
      { type: 'unsubscribe', session: x(201) },
    ],
  },
};

const cut = (value: unknown) => JSON.stringify(value).slice(0, 60);

describe.each(Object.entries(bodies))('%s', (_, { schema, takes, refuses }) => {
  test.each(takes.map((body) => [cut(body), body] as const))('is %s, and taken as it is', (_, body) => {
    expect(schema.parse(body)).toEqual(body);
  });
  test.each(refuses.map((body) => [cut(body), body] as const))('is not %s', (_, body) => {
    expect(schema.safeParse(body).success).toBe(false);
  });
});

const wrong: readonly (readonly [string, z.ZodType, object, string])[] = [
  ['an id', createSession, { agent: 'a', id: 'a/b' }, 'letters, digits and _ . : - only'],
  ['an argument', addAgent, { name: 'A', command: ['a\0'] }, 'must hold no NUL'],
  ['no program', addAgent, { name: 'A', command: [] }, 'must name a program'],
  ['an empty program', addAgent, { name: 'A', command: ['  '] }, 'must name a program'],
  [
    'a variable',
    addAgent,
    { name: 'A', command, env: { '-': '' } },
    'must be the name of an environment variable',
  ],
  ['a value', addAgent, { name: 'A', command, env: { A: '\0' } }, 'must hold no NUL'],
  [
    'no environment',
    addAgent,
    { name: 'A', command, env: 'A=b' },
    'Invalid input: expected record, received string',
  ],
  ['no change', changeSession, {}, 'name at least one of title, model, mode, options, seen'],
];
test.each(wrong)('what is wrong with %s is said', (_, schema, body, message) => {
  expect(schema.safeParse(body).error?.issues.map((issue) => issue.message)).toContain(message);
});

test('a name of an agent is taken without the spaces around it', () => {
  expect(addAgent.parse({ name: ' A ', command })).toEqual({ name: 'A', command });
});
