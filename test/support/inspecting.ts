import type { AnyActorRef } from 'xstate';
import { Inspection } from '../../machines/inspection.ts';
import type { InspectLine } from '../../src/wire/inspect.ts';

/** An inspection of actors that the test names, at the time 7. */
export function inspecting() {
  const roots: AnyActorRef[] = [];
  const inspection = new Inspection({ roots: () => roots, now: () => 7 });
  const lines: InspectLine[] = [];
  const listen = () => inspection.listen((line) => lines.push(line));
  return { roots, inspection, lines, listen };
}

/** What a reader that comes now is told of these actors. */
export function toldOf(...refs: readonly AnyActorRef[]) {
  const { roots, lines, listen } = inspecting();
  roots.push(...refs);
  listen();
  return lines.slice(1);
}
