import type { EarlierSessions, Queue, SessionSummary } from '../../wire/snapshot.ts';
import type { Part, ToolPart, Turn } from '../../wire/turn.ts';
import type { AgentChoice, JobView } from '../view.ts';

/** One of everything that the console shows, for the gallery and for tests. */
export const sampledAt = Date.now();
export const limitedUntil = sampledAt + 5_400_000;

const opened = {
  origin: 'user',
  startedAt: sampledAt - 14_000,
  firstSeq: 1,
  seq: 9,
  accepted: true,
  misfits: [],
} as const;

export function turnOf(id: string, words: string, parts: readonly Part[], more: Partial<Turn> = {}): Turn {
  return {
    ...opened,
    id,
    message: { id: `m-${id}`, content: [{ type: 'text', text: words }] },
    parts,
    ...more,
  };
}

export const ended = {
  outcome: 'finalized',
  stopReason: 'end_turn',
  endedAt: sampledAt,
  usage: { totalTokens: 1840 },
} as const satisfies Partial<Turn>;

export const text = (id: string, words: string): Part => ({ type: 'text', id, text: words, revision: 0 });
export const thought = (id: string, words: string): Part => ({
  type: 'thought',
  id,
  text: words,
  revision: 0,
});

export const toolOf = (id: string, more: Partial<ToolPart>): ToolPart => ({
  type: 'tool',
  id,
  title: 'Read file',
  kind: 'read',
  status: 'completed',
  content: [],
  locations: [],
  output: '',
  ...more,
});

export const prose = `The drain runs **twice** because the end of a turn reaches the queue by two ways: once as the
answer of the dispatch call, and once as the event \`turn:end\`. Either alone would be right.

## What I changed

1. The queue now listens to the committed end only.
2. A second end of the same turn has no transition, so it changes nothing.
3. The timer that waited for the late flush is gone.

| Case | Before | After |
| :-- | --: | --: |
| Answer, then end | 2 sends | 1 send |
| End, then answer | 2 sends | 1 send |
| End only | 1 send | 1 send |

\`\`\`ts
export function drain(queue: Queue, last: Turn): Message | undefined {
  // Only a committed end lets the next message go.
  if (queue.held || last.outcome !== 'finalized') return undefined;
  return queue.messages[0];
}
\`\`\`

> The old tests passed because both paths ran in one tick.

The [reproduction](https://example.com/issue) is in \`test/drain.test.ts\`.`;

const before = `export function onEnd(turn) {
  flush(turn.id);
  setTimeout(() => drainQueue(turn.session), 60);
  notify(turn);
}
`;
const after = `export function onEnd(turn) {
  if (!turn.committed) return;
  drainQueue(turn.session);
  notify(turn);
}
`;

export const tools = {
  read: toolOf('t-read', {
    title: 'Read file',
    locations: [{ path: 'src/queue/drain.ts', line: 41 }],
    rawOutput: before,
  }),
  search: toolOf('t-search', {
    title: 'Search for “drainQueue”',
    kind: 'search',
    output: 'src/queue/drain.ts:41\nsrc/store.ts:212\nsrc/store.ts:388\n',
  }),
  edit: toolOf('t-edit', {
    title: 'Edit file',
    kind: 'edit',
    locations: [{ path: 'src/queue/drain.ts' }],
    content: [{ type: 'diff', path: 'src/queue/drain.ts', oldText: before, newText: after }],
  }),
  run: toolOf('t-run', {
    title: 'npm test -- drain',
    kind: 'execute',
    status: 'in_progress',
    output:
      '\u001b[1m RUN \u001b[22m test/drain.test.ts\n\u001b[32m ✓\u001b[39m an answer, then an end (4 ms)\n ✓ an end, then an answer (2 ms)\n   an end only …',
  }),
  failed: toolOf('t-failed', {
    title: 'npm run lint',
    kind: 'execute',
    status: 'failed',
    exitCode: 1,
    output: 'src/store.ts:388:7  error  Unused variable “timer”\n\n1 problem\n',
  }),
  refused: toolOf('t-refused', {
    title: 'git push --force',
    kind: 'execute',
    status: 'refused',
    reason: 'You did not allow it.',
  }),
  pending: toolOf('t-pending', { title: 'Fetch the release notes', kind: 'fetch', status: 'pending' }),
};

export const plan: Part = {
  type: 'plan',
  id: 'plan',
  entries: [
    { content: 'Find every caller of the drain', priority: 'high', status: 'completed' },
    { content: 'Drain on the committed end only', priority: 'high', status: 'in_progress' },
    { content: 'Add a test for each order of events', priority: 'medium', status: 'pending' },
  ],
};

const options = [
  { optionId: 'once', name: 'Allow once', kind: 'allow_once' },
  { optionId: 'always', name: 'Always allow', kind: 'allow_always' },
  { optionId: 'no', name: 'Reject', kind: 'reject_once' },
] as const;

const answers = [
  { optionId: 'accept', name: 'Send', kind: 'allow_once' },
  { optionId: 'decline', name: 'Decline', kind: 'reject_once' },
] as const;

export const permissions = {
  open: {
    type: 'permission',
    id: 'p-open',
    title: 'Run npm test -- drain',
    options: [...options],
    state: 'open',
  },
  answered: {
    type: 'permission',
    id: 'p-answered',
    title: 'Run npm test',
    options: [...options],
    state: 'answered',
    option: 'once',
  },
  rejected: {
    type: 'permission',
    id: 'p-rejected',
    title: 'Run git push --force',
    options: [...options],
    state: 'answered',
    option: 'no',
  },
  form: {
    type: 'permission',
    id: 'p-form',
    title: 'What shall I release?',
    options: [...answers],
    form: {
      title: 'Release',
      description: 'Nothing is published before you have seen it.',
      properties: {
        name: { type: 'string', title: 'Name', description: 'What people will call it.' },
        channel: { type: 'string', title: 'Channel', enum: ['stable', 'beta'], default: 'beta' },
        notify: { type: 'array', title: 'Tell', items: { enum: ['Maintainers', 'Everybody'] } },
        copies: { type: 'integer', title: 'Copies', minimum: 1, default: 3 },
        sign: { type: 'boolean', title: 'Sign it', default: true },
      },
      required: ['name', 'channel'],
    },
    state: 'open',
  },
  visit: {
    type: 'permission',
    id: 'p-visit',
    title: 'Log in, so that I can read the issues.',
    options: [...answers],
    url: 'https://login.example/device?code=WDJB-MJHT&redirect=https%3A%2F%2Fagent.example%2Fdone',
    state: 'open',
  },
  given: {
    type: 'permission',
    id: 'p-given',
    title: 'How many copies?',
    options: [...answers],
    form: {
      properties: {
        copies: { type: 'integer', title: 'Copies' },
        sign: { type: 'boolean', title: 'Sign them' },
      },
    },
    state: 'answered',
    option: 'accept',
    content: { copies: 3, sign: true },
  },
  withdrawn: {
    type: 'permission',
    id: 'p-withdrawn',
    title: 'Delete build/',
    options: [...options],
    state: 'withdrawn',
    reason: 'the turn was stopped',
  },
} as const satisfies Record<string, Part>;

const jobOf = (
  id: string,
  title: string,
  state: JobView['state'],
  turn: Partial<Turn>,
  more = {},
): JobView => ({
  ref: {
    job: id,
    seq: 4,
    at: sampledAt - 60_000,
    request: {
      agent: 'builtin',
      cwd: '/home/ada/app',
      title,
      message: { id: `m-${id}`, content: [{ type: 'text', text: title }] },
    },
    ...more,
  },
  state,
  turn: turnOf(`turn-${id}`, title, [], turn),
  stopping: false,
});

export const jobs: readonly JobView[] = [
  jobOf('job-run', 'Run the whole test suite', 'streaming', {
    progress: { text: '142 of 380 tests', done: 142, total: 380 },
  }),
  jobOf('job-poll', 'Reindex the repository', 'polling', { progress: { text: 'Indexing src/gateway' } }),
  jobOf('job-done', 'Update the dependencies', 'finalized', {
    ...ended,
    parts: [text('x', 'Updated 12 packages; all tests pass.')],
  }),
  jobOf(
    'job-bad',
    'Build the documentation',
    'failed',
    { outcome: 'failed' },
    {
      outcome: 'failed',
      error: { code: 'agent.exited', message: 'The agent’s process ended with code 137.' },
    },
  ),
];

export const queues: Readonly<Record<'running' | 'held', Queue>> = {
  running: {
    held: false,
    revision: 3,
    messages: [
      {
        message: { id: 'q1', content: [{ type: 'text', text: 'Then update the changelog' }] },
        delivery: 'queue',
      },
      {
        message: { id: 'q2', content: [{ type: 'text', text: 'Only look at the store, not at the views' }] },
        delivery: 'steer',
      },
    ],
  },
  held: {
    held: true,
    reason: 'stopped',
    revision: 5,
    messages: [
      {
        message: { id: 'q1', content: [{ type: 'text', text: 'Then update the changelog' }] },
        delivery: 'queue',
      },
      {
        message: {
          id: 'q2',
          content: [
            { type: 'text', text: 'And open a pull request with a short description of what changed' },
          ],
        },
        delivery: 'queue',
      },
      {
        message: { id: 'q3', content: [{ type: 'text', text: 'Tell me when it is merged' }] },
        delivery: 'queue',
      },
    ],
  },
};

const summary = (
  id: string,
  title: string | undefined,
  minutes: number,
  more: Partial<SessionSummary>,
): SessionSummary => ({
  id,
  kind: 'conversation',
  agent: 'builtin',
  cwd: '/home/ada/app',
  ...(title !== undefined && { title }),
  state: 'finalized',
  queued: 0,
  held: false,
  unread: 0,
  permissions: 0,
  runningJobs: 0,
  createdAt: sampledAt - minutes * 60_000,
  updatedAt: sampledAt - minutes * 60_000,
  cursor: 'a.1',
  ...more,
});

export const sessions: readonly SessionSummary[] = [
  summary('s1', 'Queue drains twice after a stop', 0, { state: 'streaming', queued: 2 }),
  summary('s2', 'Release notes for 0.4', 3, { state: 'streaming', permissions: 1, agent: 'claude' }),
  summary('s3', 'Flaky test in the gateway', 12, { unread: 2, runningJobs: 2 }),
  summary('s4', 'Move the settings to a file', 47, { state: 'cancelled', held: true, queued: 3 }),
  summary('s5', 'Why is the first paint slow on the jobs page when the list is long?', 200, {
    state: 'failed',
    agent: 'model',
  }),
  summary('s8', 'Translate the handbook', 260, { state: 'failed', held: true, retryAt: limitedUntil }),
  summary('s6', 'Typed errors in the client', 1500, {}),
  summary('s7', undefined, 4000, { state: 'idle' }),
];

export const jobSessions: readonly SessionSummary[] = [
  summary('j1', 'Run the whole test suite', 1, { kind: 'job', state: 'streaming', parent: 's1' }),
  summary('j2', 'Reindex the repository', 4, {
    kind: 'job',
    state: 'polling',
    parent: 's3',
    reason: 'stream lost',
  }),
  summary('j3', 'Update the dependencies', 90, { kind: 'job', parent: 's3' }),
  summary('j4', 'Build the documentation', 300, {
    kind: 'job',
    state: 'failed',
    reason: 'The agent’s process ended with code 137.',
  }),
];

export const agents: readonly AgentChoice[] = [
  {
    id: 'builtin',
    name: 'Built-in',
    description: 'Works in a directory without network or key.',
    available: true,
  },
  {
    id: 'model',
    name: 'Model server',
    description: 'Any server that speaks the OpenAI API.',
    available: true,
    models: [
      { id: 'small', name: 'Small' },
      { id: 'large', name: 'Large' },
    ],
  },
  {
    id: 'qwen',
    name: 'Qwen Code',
    description: 'An agent program with sessions of its own.',
    available: true,
    earlier: true,
    mcpServers: [
      { name: 'files', byDefault: true },
      { name: 'web', byDefault: false },
    ],
  },
  { id: 'mine', name: 'My agent', description: 'my-agent --acp', available: true, added: true },
  {
    id: 'claude',
    name: 'Claude Code',
    description: 'Anthropic’s agent.',
    available: false,
    reason: 'The program “claude” was not found. Install it, then open this again.',
  },
];

export const commands = [
  { name: 'help', description: 'What this agent can do' },
  { name: 'review', description: 'Review the changes in this directory' },
  { name: 'run', description: 'Run a command', hint: 'command' },
];

export const earlier: EarlierSessions = {
  sessions: [
    {
      id: 'e1',
      cwd: '/home/ada/app',
      title: 'Why does the gateway test fail?',
      updatedAt: sampledAt - 300_000,
    },
    { id: 'e2', cwd: '/home/ada/notes', updatedAt: sampledAt - 90_000_000, session: 's1' },
  ],
  next: '2',
};

export const settings = {
  models: [
    { id: 'small', name: 'Small' },
    { id: 'large', name: 'Large' },
  ],
  model: 'large',
  modes: [
    { id: 'ask', name: 'Ask' },
    { id: 'auto', name: 'Auto' },
  ],
  mode: 'ask',
  options: [
    {
      type: 'select',
      id: 'effort',
      name: 'Thinking',
      description: 'How long it thinks before it answers.',
      value: 'low',
      choices: [
        { id: 'low', name: 'Low' },
        { id: 'high', name: 'High' },
      ],
    },
    { type: 'boolean', id: 'web', name: 'Web search', value: true },
  ],
} as const;
