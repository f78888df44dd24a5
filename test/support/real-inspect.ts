import { createParser } from 'eventsource-parser';
import type { InspectLine } from '../../src/wire/inspect.ts';
import type { GatewayProcess } from './process-gateway.ts';

/**
 * How many actors of each kind a gateway has now, by its inspector's word. `touch`: a session that is open; its title is
 * set, whose event follows the list of all actors and so ends it.
 */
export async function actorsOf(
  gateway: GatewayProcess,
  touch: string,
): Promise<Readonly<Record<string, number>>> {
  const abort = new AbortController();
  const response = await gateway.fetch('/api/inspect', { signal: abort.signal });
  const touched = gateway.call('PATCH', `/api/sessions/${touch}`, { title: 'touched' });
  const counts: Record<string, number> = {};
  let isWhole = false;
  const parser = createParser({
    onEvent({ data }) {
      const line = JSON.parse(data) as InspectLine;
      if (line.type === 'event') isWhole = true;
      if (line.type !== 'actor' || isWhole || line.status !== 'active') return;
      counts[line.machine] = (counts[line.machine] ?? 0) + 1;
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    if (isWhole) break;
  }
  await touched;
  abort.abort();
  return counts;
}
