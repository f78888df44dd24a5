import type { Clock } from '../model/clock.ts';
import type { Secret } from '../model/secret.ts';

/** One picoclaw, as the settings name it. */
export interface PicoServer {
  /** The agent's id: what `POST /api/sessions {agent}` names. */
  readonly id: string;
  readonly name?: string;
  /** Its gateway: `http://127.0.0.1:18790`, or the whole address of its WebSocket. */
  readonly url: string;
  /** Where `GET /api/sessions/ID` is answered, if not at the same host and port. */
  readonly api?: string;
  readonly token?: Secret;
  /** The environment variable that was to hold the token; set without `token` when it was empty. */
  readonly tokenEnv?: string;
}

/** Milliseconds. */
export interface PicoWaits {
  /** After the last frame of an answer, before its session is asked whether that was all. */
  readonly quiet: number;
  /** After the frame that ends an answer, for frames that it has overtaken. */
  readonly settle: number;
  /** For the word of picoclaw that it has stopped. */
  readonly stop: number;
}

export interface PicoOptions {
  readonly server: PicoServer;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
  readonly waits?: Partial<PicoWaits>;
}
