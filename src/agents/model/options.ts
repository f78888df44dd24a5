import type { Clock } from './clock.ts';
import type { Provider } from './providers.ts';
import type { Secret } from './secret.ts';

/** One model server, as the settings name it. */
export interface ModelServer {
  /** The agent's id: what `POST /api/sessions {agent}` names. */
  readonly id: string;
  readonly name?: string;
  /** Which API it speaks; default `openai`, which means any OpenAI-compatible server. */
  readonly provider?: Provider;
  /** Up to and without `/chat/completions`, `/messages` or `/models`, usually ending in `/v1`. */
  readonly baseUrl: string;
  readonly apiKey?: Secret;
  /** The environment variable that was to hold the key; set without `apiKey` when it was empty. */
  readonly apiKeyEnv?: string;
  /** Sent with each request, for servers that want more than a key. */
  readonly headers?: Readonly<Record<string, Secret>>;
  /** Used when the session names none; without it, the first one that the server lists. */
  readonly model?: string;
  /** Tokens. Without it, what the server says of the model, now or in its list; else a size that is usual for the provider. */
  readonly contextWindow?: number;
  /** Tokens; sent as `max_tokens` and kept free in the window. */
  readonly maxOutputTokens?: number;
  /** How much the model is to think; without it, as much as it does by itself. */
  readonly reasoning?: Reasoning;
  /** The tag of inline thoughts, default `think`; false leaves the text as it is. */
  readonly reasoningTag?: string | false;
  /** The model's template writes the opening tag itself: the answer begins inside a thought. */
  readonly reasoningOpen?: boolean;
  /** Instructions that precede each conversation. */
  readonly system?: string;
  /** False: the model gets no tools, and can only talk. */
  readonly tools?: boolean;
}

export const reasonings = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const;
export type Reasoning = (typeof reasonings)[number];

export interface ModelOptions {
  /** Absent: nothing is configured; the agent is listed as not available, with what to do. */
  readonly server?: ModelServer;
  /** Where a person would set it, for messages. */
  readonly settingsFile?: string;
  readonly clock?: Clock;
  /** 0 to 1: spreads the retries of many jobs. */
  readonly random?: () => number;
  readonly fetch?: typeof fetch;
}
