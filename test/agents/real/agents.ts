import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelUrls } from './model.ts';

/** An agent program at the version that it is tested at, and how it is started against a model server of ours. */
export interface RealAgent {
  readonly id: string;
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly command: readonly string[];
  /** The mode in which it asks before it acts, where it has modes. */
  readonly mode?: string;
  /** Prepares a private home, and says what the environment must hold. */
  readonly home: (directory: string, model: ModelUrls) => Readonly<Record<string, string>>;
}

export const realAgents: readonly RealAgent[] = [
  {
    id: 'qwen',
    name: 'Qwen Code',
    package: '@qwen-code/qwen-code',
    version: '0.24.4',
    command: ['qwen', '--acp', '--auth-type', 'openai'],
    mode: 'default',
    home: (directory, model) => ({
      HOME: directory,
      OPENAI_API_KEY: 'scripted-key',
      OPENAI_BASE_URL: model.openai,
      OPENAI_MODEL: 'scripted',
    }),
  },
  {
    id: 'kimi',
    name: 'Kimi Code',
    package: '@moonshot-ai/kimi-code',
    version: '2.1.0',
    command: ['kimi', 'acp'],
    mode: 'default',
    home: (directory, model) => ({
      HOME: directory,
      KIMI_CODE_HOME: join(directory, 'kimi'),
      KIMI_DISABLE_TELEMETRY: '1',
      KIMI_CODE_NO_AUTO_UPDATE: '1',
      KIMI_DISABLE_CRON: '1',
      KIMI_MODEL_NAME: 'scripted',
      KIMI_MODEL_API_KEY: 'scripted-key',
      KIMI_MODEL_PROVIDER_TYPE: 'openai',
      KIMI_MODEL_BASE_URL: model.openai,
    }),
  },
  {
    id: 'opencode',
    name: 'opencode',
    package: 'opencode-ai',
    version: '1.18.33',
    command: ['opencode', 'acp'],
    home(directory, model) {
      const config = join(directory, 'config', 'opencode');
      mkdirSync(config, { recursive: true });
      const scripted = {
        npm: '@ai-sdk/openai-compatible',
        name: 'Scripted',
        options: { baseURL: model.openai, apiKey: 'scripted-key' },
        models: { scripted: { name: 'Scripted' } },
      };
      const file = {
        model: 'scripted/scripted',
        small_model: 'scripted/scripted',
        provider: { scripted },
        permission: { bash: 'ask', edit: 'ask' },
      };
      writeFileSync(join(config, 'opencode.json'), JSON.stringify(file));
      return {
        HOME: directory,
        XDG_CONFIG_HOME: join(directory, 'config'),
        XDG_DATA_HOME: join(directory, 'data'),
        XDG_STATE_HOME: join(directory, 'state'),
        XDG_CACHE_HOME: join(directory, 'cache'),
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        OPENCODE_DISABLE_AUTOUPDATE: '1',
      };
    },
  },
  {
    id: 'gemini',
    name: 'Gemini CLI',
    package: '@google/gemini-cli',
    version: '0.61.0',
    command: ['gemini', '--acp'],
    home(directory, model) {
      mkdirSync(join(directory, '.gemini'), { recursive: true });
      const settings = {
        security: { auth: { selectedType: 'gemini-api-key' } },
        privacy: { usageStatisticsEnabled: false },
        general: { disableAutoUpdate: true },
      };
      writeFileSync(join(directory, '.gemini', 'settings.json'), JSON.stringify(settings));
      return {
        HOME: directory,
        GEMINI_API_KEY: 'scripted-key',
        GOOGLE_GEMINI_BASE_URL: model.google,
        GEMINI_TELEMETRY_ENABLED: 'false',
      };
    },
  },
  {
    id: 'claude',
    name: 'Claude Code',
    package: '@agentclientprotocol/claude-agent-acp',
    version: '0.101.0',
    command: ['claude-agent-acp'],
    mode: 'default',
    home: (directory, model) => ({
      HOME: directory,
      CLAUDE_CONFIG_DIR: join(directory, 'claude'),
      ANTHROPIC_API_KEY: 'scripted-key',
      ANTHROPIC_BASE_URL: model.anthropic,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      DISABLE_TELEMETRY: '1',
      // It refuses to run as root elsewhere.
      IS_SANDBOX: '1',
    }),
  },
];
