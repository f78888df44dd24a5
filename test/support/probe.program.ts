import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Probe, Question } from './process-gateway.ts';

/**
 * Loaded into a gateway before its own program (`--import`), so that a test can ask from outside what a leak would
 * show: handles, timers and memory after a forced collection. It can move the wall clock too, as an administrator does.
 */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let shift = 0;
const System = Date;
const moved = () => System.now() + shift;
globalThis.Date = new Proxy(System, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length > 0 ? args : [moved()], newTarget),
  get: (target, name) => (name === 'now' ? moved : Reflect.get(target, name)),
});

process.on('message', (question: Question) => {
  if (question.shiftMs !== undefined) shift += question.shiftMs;
  if (question.collect) for (let round = 0; round < 3; round++) collect();
  const answer: Probe = {
    heapBytes: process.memoryUsage().heapUsed,
    resources: process.getActiveResourcesInfo(),
    now: Date.now(),
  };
  process.send?.(answer);
});
process.channel?.unref();
