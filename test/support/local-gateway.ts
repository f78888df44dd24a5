import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connector } from '../../src/agents/agent.ts';
import { createBuiltin } from '../../src/agents/builtin/builtin.ts';
import { createGateway, type Gateway, type GatewayOptions } from '../../src/gateway/gateway.ts';
import type { Log } from '../../src/gateway/log/log.ts';
import { MemoryLog } from '../../src/gateway/log/memory.log.ts';
import type { Fact } from '../../src/wire/facts.ts';

export interface Local {
  readonly gateway: Gateway;
  readonly log: Log;
  readonly directory: string;
  /** Every fact of the session from now on, as a reader gets it. */
  follow(session: string): Promise<Followed>;
  close(): Promise<void>;
}

export interface Followed {
  readonly facts: Fact[];
  /** Resolves with the first fact that fits, also one that came before; fails when the test's own time is up. */
  until(fits: (fact: Fact) => boolean): Promise<Fact>;
  close(): void;
}

/** A whole gateway in this process, over a log in memory and the built-in agent. */
export async function localGateway(
  options: Partial<GatewayOptions> & { readonly connectors?: readonly Connector[] } = {},
): Promise<Local> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-'));
  const log = options.log ?? new MemoryLog();
  const gateway = await createGateway({
    connectors: [createBuiltin()],
    roots: [directory],
    stateRoot: join(directory, '.state'),
    ...options,
    log,
  });
  return {
    gateway,
    log,
    directory,
    follow: (session) => follow(gateway, session),
    async close() {
      await gateway.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export async function follow(gateway: Gateway, session: string): Promise<Followed> {
  const facts: Fact[] = [];
  const waiting = new Set<() => void>();
  const { cursor } = await gateway.snapshot(session);
  const epoch = cursor.split('.')[0] ?? '';
  const subscription = await gateway.subscribe(session, `${epoch}.0`, 'live', {
    facts(frame) {
      facts.push(...frame.facts);
      for (const look of [...waiting]) look();
    },
    resync() {},
  });
  return {
    facts,
    close: () => subscription.close(),
    until: (fits) =>
      new Promise((resolve) => {
        const look = () => {
          const found = facts.find(fits);
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** A message for the built-in agent that plays these steps. */
export function script(id: string, steps: readonly unknown[]) {
  return { id, content: [{ type: 'text' as const, text: `script: ${JSON.stringify(steps)}` }] };
}
