import type { Clock } from '../model/clock.ts';
import type { Secret } from '../model/secret.ts';

/** One server of the OpenAI Responses API, as the settings name it. */
export interface ResponsesServer {
  /** The agent's id: what `POST /api/sessions {agent}` names. */
  readonly id: string;
  readonly name?: string;
  /** Up to and without `/responses`, usually ending in `/v1`. */
  readonly baseUrl: string;
  readonly apiKey?: Secret;
  /** The environment variable that was to hold the key; set without `apiKey` when it was empty. */
  readonly apiKeyEnv?: string;
  readonly headers?: Readonly<Record<string, Secret>>;
  readonly model: string;
  /** Precede each conversation. */
  readonly instructions?: string;
  /** Tools that the server runs by itself, as its API wants them: `{"type": "web_search"}`. */
  readonly tools?: readonly Readonly<Record<string, unknown>>[];
  /** As the API wants it: `{"effort": "high", "summary": "auto"}`. */
  readonly reasoning?: Readonly<Record<string, unknown>>;
  readonly maxOutputTokens?: number;
  /** Tokens; older turns are left out beyond it. Default 200,000. */
  readonly contextWindow?: number;
  /** False: the server cannot stream, or shall not: it is asked from time to time. */
  readonly stream?: boolean;
}

export interface ResponsesOptions {
  readonly server: ResponsesServer;
  /** Where a person would correct it, for messages. */
  readonly settingsFile?: string;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
}
