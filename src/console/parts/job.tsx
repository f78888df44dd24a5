import { Show } from 'solid-js';
import { Layers } from '../icons.ts';
import { stateWord } from '../lib/words.ts';
import type { JobView } from '../view.ts';
import { Dot } from './dot.tsx';
import { textOf } from './message.tsx';

const busy = new Set(['dispatching', 'streaming', 'polling']);

/** What the job says last: its progress, else the end of its newest text. */
function jobLine(job: JobView): string | undefined {
  const turn = job.turn;
  if (job.ref.error) return job.ref.error.message;
  if (!turn) return undefined;
  if (turn.outcome === undefined && turn.progress) return turn.progress.text;
  const text = turn.parts.findLast((part) => part.type === 'text');
  const tool = turn.parts.findLast((part) => part.type === 'tool' && part.status === 'in_progress');
  if (tool?.type === 'tool') return tool.title;
  return text?.type === 'text' ? lastLine(text.text) : undefined;
}

function lastLine(text: string): string | undefined {
  const tail = text.slice(-600).trimEnd();
  return tail.slice(tail.lastIndexOf('\n') + 1).replace(/^[#>\s*-]+|[*`_]/g, '') || undefined;
}

function Progress(props: { done: number; total: number }) {
  return (
    <progress class="progress" value={props.done} max={props.total} aria-label="Progress">
      {Math.round((100 * props.done) / props.total)} %
    </progress>
  );
}

/** Background work as its conversation shows it: the same row from start to end. */
export function JobRow(props: { job: JobView; href: string; onStop: () => void }) {
  const word = () =>
    props.job.stopping ? ({ mood: 'stopping', text: 'Stopping' } as const) : stateWord(props.job.state);
  const title = () => props.job.ref.request.title ?? textOf(props.job.ref.request.message.content);
  const bar = () => {
    const progress = props.job.turn?.outcome === undefined ? props.job.turn?.progress : undefined;
    return progress?.total === undefined ? undefined : { done: progress.done ?? 0, total: progress.total };
  };
  return (
    <section class="job" aria-label={`Background job: ${title()}`}>
      <Layers size={16} />
      <div class="job-main">
        <a class="job-title" href={props.href}>
          {title()}
        </a>
        <p class="job-line">
          <Dot word={word()} />
          <Show when={jobLine(props.job)}>{(line) => <span class="job-text">{line()}</span>}</Show>
        </p>
        <Show when={bar()}>{(progress) => <Progress done={progress().done} total={progress().total} />}</Show>
      </div>
      <Show when={busy.has(props.job.state)}>
        <button type="button" class="button small" disabled={props.job.stopping} onClick={props.onStop}>
          {props.job.stopping ? 'Stopping…' : 'Stop'}
        </button>
      </Show>
    </section>
  );
}
