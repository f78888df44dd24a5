import { createMemo, For, Show } from 'solid-js';
import type { SessionSummary } from '../../wire/snapshot.ts';
import { Layers } from '../icons.ts';
import { sameList } from '../lib/equal.ts';
import { ago } from '../lib/time.ts';
import { createNow } from '../lib/ui.ts';
import { isRunning, summaryWord } from '../lib/words.ts';
import { Dot } from '../parts/dot.tsx';
import { Empty } from '../shell/empty.tsx';

export interface JobListProps {
  readonly jobs: readonly SessionSummary[];
  readonly stopping: (job: string) => boolean;
  readonly agentName: (id: string) => string;
  readonly href: (job: string) => string;
  readonly parentTitle: (session: string) => string | undefined;
  readonly onStop: (job: string) => void;
}

function JobLine(props: JobListProps & { job: SessionSummary; now: number }) {
  const word = () =>
    props.stopping(props.job.id)
      ? ({ mood: 'stopping', text: 'Stopping' } as const)
      : summaryWord(props.job, props.now);
  return (
    <li class="job-card">
      <div class="job-main">
        <a class="job-title" href={props.href(props.job.id)}>
          {props.job.title ?? 'Background job'}
        </a>
        <p class="job-line">
          <Dot word={word()} />
          <span class="job-text">
            {props.agentName(props.job.agent)}
            <Show when={props.job.parent && props.parentTitle(props.job.parent)}>
              {(title) => <> · {title()}</>}
            </Show>
            <Show when={props.job.reason}>{(reason) => <> · {reason()}</>}</Show>
          </span>
        </p>
      </div>
      <span class="session-time">{ago(props.job.updatedAt, props.now)}</span>
      <Show when={isRunning(props.job.state)}>
        <button
          type="button"
          class="button small"
          disabled={props.stopping(props.job.id) || props.job.state === 'cancelling'}
          onClick={() => props.onStop(props.job.id)}
        >
          Stop
        </button>
      </Show>
    </li>
  );
}

/** Jobs over all conversations: those that run, then those that ended. */
export function JobList(props: JobListProps) {
  const now = createNow();
  const byId = createMemo(() => new Map(props.jobs.map((job) => [job.id, job])));
  const idsOf = (running: boolean) =>
    props.jobs
      .filter((job) => isRunning(job.state) === running)
      .sort((a, b) => b.updatedAt - a.updatedAt)
      .map((job) => job.id);
  const running = createMemo(() => idsOf(true), undefined, { equals: sameList });
  const ended = createMemo(() => idsOf(false), undefined, { equals: sameList });
  const group = (title: string, ids: () => readonly string[]) => (
    <Show when={ids().length > 0}>
      <h2>{title}</h2>
      <ul>
        <For each={ids()}>
          {(id) => {
            const first = byId().get(id) as SessionSummary;
            return <JobLine {...props} job={byId().get(id) ?? first} now={now()} />;
          }}
        </For>
      </ul>
    </Show>
  );
  return (
    <div class="jobs">
      {group('Running', running)}
      {group('Ended', ended)}
      <Show when={props.jobs.length === 0}>
        <Empty icon={<Layers size={20} />} title="No background jobs">
          Send a message with Ctrl Enter to run it here while the conversation stays free.
        </Empty>
      </Show>
    </div>
  );
}
