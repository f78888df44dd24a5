import type { AcpAgent } from './options.ts';

/** Agents that are offered without any setting as soon as their program is found. */
export const presets: readonly AcpAgent[] = [
  {
    id: 'qwen',
    name: 'Qwen Code',
    description: 'The coding agent of Qwen.',
    command: ['qwen', '--acp'],
    install: 'npm install -g @qwen-code/qwen-code',
    login:
      'run `qwen` once in a terminal and log in, or set OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL',
  },
  {
    id: 'kimi',
    name: 'Kimi Code',
    description: 'The coding agent of Moonshot.',
    command: ['kimi', 'acp'],
    install: 'npm install -g @moonshot-ai/kimi-code',
    login: 'run `kimi login` in a terminal',
  },
  {
    id: 'opencode',
    name: 'opencode',
    description: 'A coding agent for any model.',
    command: ['opencode', 'acp'],
    install: 'npm install -g opencode-ai',
    login: 'run `opencode auth login` in a terminal',
  },
  {
    id: 'gemini',
    name: 'Gemini CLI',
    description: 'The coding agent of Google.',
    command: ['gemini', '--acp'],
    auth: 'gemini-api-key',
    ownFiles: true,
    install: 'npm install -g @google/gemini-cli',
    login: 'set GEMINI_API_KEY, or run `gemini` once in a terminal and log in',
  },
  {
    id: 'claude',
    name: 'Claude Code',
    description: 'The coding agent of Anthropic, through its ACP adapter.',
    command: ['claude-agent-acp'],
    install: 'npm install -g @agentclientprotocol/claude-agent-acp',
    login: 'run `claude /login` in a terminal, or set ANTHROPIC_API_KEY',
  },
  {
    id: 'codex',
    name: 'Codex',
    description: 'The coding agent of OpenAI, through its ACP adapter.',
    command: ['codex-acp'],
    install: 'npm install -g @zed-industries/codex-acp',
    login: 'run `codex login` in a terminal, or set OPENAI_API_KEY',
  },
  {
    id: 'goose',
    name: 'goose',
    description: 'The agent of Block.',
    command: ['goose', 'acp'],
    install: 'see https://block.github.io/goose',
    login: 'run `goose configure` in a terminal',
  },
];
