import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Service } from '../service.ts';
import type { EventStream, ReaderLimits } from './event.stream.ts';

/** What the routes work with. */
export interface Outside {
  readonly service: Service;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly heartbeatMs: number;
  readonly limits: ReaderLimits;
  /** Open event streams, to be ended when the server closes. */
  readonly streams: Set<EventStream>;
}
