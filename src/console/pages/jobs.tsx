import { createMemo } from 'solid-js';
import type { SessionSummary } from '../../wire/snapshot.ts';
import { ArrowLeft } from '../icons.ts';
import { JobList } from '../jobs/job-list.tsx';
import { sameList } from '../lib/equal.ts';
import { newId } from '../lib/id.ts';
import { readLines } from '../lib/lines.ts';
import { titlePage } from '../lib/page-title.ts';
import { createSelector } from '../lib/select.ts';
import { useSluice } from '../lib/sluice.ts';

const isJob = (summary: SessionSummary) => summary.kind === 'job';

/** Background jobs over all conversations. */
export function JobsPage() {
  const { root, directory, outbox } = useSluice();
  const lines = readLines(root, directory);
  const jobs = createMemo(() => lines().filter(isJob), undefined, { equals: sameList });
  const agents = createSelector(directory, ({ context }) => context.agents);
  const sessions = createSelector(directory, ({ context }) => context.sessions);
  const asked = createSelector(outbox, ({ context }) => context.entries);
  titlePage(() => 'Jobs');
  return (
    <>
      <header class="head">
        <a class="icon-button head-back" href="/" aria-label="All conversations">
          <ArrowLeft size={17} />
        </a>
        <div class="head-main">
          <h1>Background jobs</h1>
        </div>
      </header>
      <div class="page">
        <JobList
          jobs={jobs()}
          stopping={(job) =>
            asked().some(
              (entry) => entry.kind === 'stop' && entry.session === job && entry.state !== 'refused',
            )
          }
          agentName={(id) => agents().find((agent) => agent.id === id)?.name ?? id}
          href={(job) => `/jobs/${encodeURIComponent(job)}`}
          parentTitle={(session) => sessions()[session]?.title}
          onStop={(job) =>
            outbox.send({
              type: 'ask',
              ask: { kind: 'stop', id: newId(), session: job, at: Date.now(), body: { job } },
            })
          }
        />
      </div>
    </>
  );
}
