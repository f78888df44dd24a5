import { EventStream } from './event.stream.ts';
import type { Outside } from './outside.ts';

/** An event stream with heartbeats, that the server ends when it closes. */
export function openStream(outside: Outside): EventStream {
  const { clock, heartbeatMs, streams } = outside;
  const stream = new EventStream(outside.limits);
  let timer: unknown;
  const beat = () => {
    timer = clock.setTimeout(() => {
      // A reader that is behind needs no proof that the connection lives.
      if (!stream.isBehind) stream.push(': heartbeat\n\n');
      beat();
    }, heartbeatMs);
  };
  beat();
  streams.add(stream);
  void stream.closed.then(() => {
    clock.clearTimeout(timer as never);
    streams.delete(stream);
  });
  return stream;
}
