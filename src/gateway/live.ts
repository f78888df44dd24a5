import type { WebSocket } from 'ws';
import type { Outside } from './http/outside.ts';
import { LiveSocket } from './live.socket.ts';

export type LiveOptions = Omit<Outside, 'streams'>;

/** The live channel: one WebSocket a tab, for all its sessions. */
export interface Live {
  /** Takes over an open socket. */
  accept(socket: WebSocket): void;
  /** Open sockets, and subscriptions over all of them. */
  counts(): { readonly sockets: number; readonly subscriptions: number };
  /** Says good-bye; resolves when all sockets are closed, within `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export function createLive(options: LiveOptions): Live {
  const { clock, heartbeatMs } = options;
  const sockets = new Set<LiveSocket>();
  let timer: unknown;
  let isOver: (() => void) | undefined;

  function beat(): void {
    timer = undefined;
    for (const socket of sockets) socket.beat();
    if (sockets.size > 0) timer = clock.setTimeout(beat, heartbeatMs);
  }

  return {
    accept(socket) {
      const live = new LiveSocket(socket, options);
      sockets.add(live);
      timer ??= clock.setTimeout(beat, heartbeatMs);
      socket.once('close', () => {
        sockets.delete(live);
        if (sockets.size > 0) return;
        clock.clearTimeout(timer as never);
        timer = undefined;
        isOver?.();
      });
    },
    counts() {
      let subscriptions = 0;
      for (const socket of sockets) subscriptions += socket.subscriptions;
      return { sockets: sockets.size, subscriptions };
    },
    async close(graceMs) {
      if (sockets.size === 0) return;
      const over = new Promise<void>((resolve) => {
        isOver = resolve;
      });
      for (const socket of sockets) socket.close(1001, 'the gateway closes');
      const grace = setTimeout(() => {
        for (const socket of sockets) socket.terminate();
      }, graceMs);
      await over;
      clearTimeout(grace);
    },
  };
}
