import type { Clock } from '../model/clock.ts';
import type { Secret } from '../model/secret.ts';
import type { Profile } from './profile.ts';

/** One back end, as the settings name it. */
export interface RpcServer {
  /** The agent's id: what `POST /api/sessions {agent}` names. */
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  /** Takes JSON-RPC 2.0 by POST. */
  readonly url: string;
  /** Server-sent events of all sessions. */
  readonly events: string;
  readonly token?: Secret;
  /** The environment variable that was to hold the token; set without `token` when it was empty. */
  readonly tokenEnv?: string;
  readonly headers?: Readonly<Record<string, Secret>>;
  /**
   * What a message becomes that the back end answers with a job: a background job, so that the conversation stays
   * free (`background`, the default), or a turn that lasts as long as its job (`turn`).
   */
  readonly jobs?: 'background' | 'turn';
  /** What differs from the default names and paths. */
  readonly profile?: PartialProfile;
}

export type PartialProfile = {
  readonly [K in keyof Profile]?:
    | { readonly [F in keyof Profile[K]]?: Profile[K][F] | undefined }
    | undefined;
};

export interface RpcOptions {
  readonly server: RpcServer;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
}
