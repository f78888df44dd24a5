import type { JobRequest } from '../../wire/facts.ts';
import type { Log, SessionRow } from '../log/log.ts';
import type { Registry } from './registry.ts';

/** Until the agent has answered nobody knows whether it was reached. */
const reasonIn = (state: string) =>
  state === 'dispatching'
    ? 'The gateway ended while this ran. It may not have reached the agent; retry if you want it again.'
    : 'The gateway ended while this ran. What the agent had said is kept; retry if you want it whole.';

/**
 * What a crash left open is put in order before anything is served: open turns end `interrupted` or are joined again,
 * half-made jobs are completed, and each session whose queue may drain is opened, which drains it.
 */
export async function sweep(
  log: Log,
  registry: Registry,
  startJob: (parent: string, job: string, request: JobRequest) => Promise<void>,
): Promise<void> {
  const rows = await log.sessions({ unsettled: true, limit: 10_000 });
  // Jobs first: their parents learn from them how they ended.
  for (const { head, openTurn } of [...rows.filter(isJob), ...rows.filter((row) => !isJob(row))]) {
    await registry.with(head.id, async (open) => {
      if (!openTurn) return;
      const handle = open.ref.getSnapshot().context.open?.handle;
      // Also a turn that was being stopped: its agent may live on, and is to be told.
      if (handle !== undefined) {
        open.tell({
          type: 'begin',
          how: 'reattach',
          reason: 'The gateway was restarted; the agent is asked.',
        });
      } else {
        open.tell({ type: 'begin', how: 'interrupt', reason: reasonIn(open.state) });
        await open.ended(5_000);
      }
    });
  }
  for (const { head } of rows.filter((row) => row.head.kind === 'conversation')) {
    for (const job of head.jobs.filter((job) => !job.outcome)) {
      const known = await log.session(job.job);
      if (!known) {
        await startJob(head.id, job.job, job.request);
        continue;
      }
      if (known.openTurn) continue;
      const { turns } = await log.turns(job.job, undefined, 1);
      const last = turns.at(-1);
      const { outcome = 'interrupted', stopReason = 'lost', error } = last ?? {};
      const draft = {
        type: 'job.settled',
        job: job.job,
        outcome,
        stopReason,
        ...(error && { error }),
      } as const;
      await registry.with(head.id, (open) => open.ask({ type: 'settleJob', draft }));
    }
  }
}

function isJob(row: SessionRow): boolean {
  return row.head.kind === 'job';
}
