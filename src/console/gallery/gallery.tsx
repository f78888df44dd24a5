import { For, type JSX } from 'solid-js';
import type { Part, Turn } from '../../wire/turn.ts';
import { Composer } from '../composer/composer.tsx';
import { OutboxOverlay } from '../composer/outbox.tsx';
import { QueueStrip } from '../composer/queue.tsx';
import { Settings } from '../composer/settings.tsx';
import { FileText, MessageSquare } from '../icons.ts';
import { JobList } from '../jobs/job-list.tsx';
import { createField, createToggle } from '../lib/ui.ts';
import { JobRow } from '../parts/job.tsx';
import { Notice } from '../parts/notice.tsx';
import { SessionList } from '../sessions/list.tsx';
import { NewDialog } from '../sessions/new-dialog.tsx';
import { Empty } from '../shell/empty.tsx';
import { LinkBadge } from '../shell/link.tsx';
import { SessionHead } from '../shell/session-head.tsx';
import { ThemeButton } from '../shell/theme-button.tsx';
import { Trouble } from '../shell/trouble.tsx';
import { TurnRow } from '../thread/turn.tsx';
import type { ThreadView } from '../view.ts';
import * as sample from './samples.ts';

const nothing = () => {};

export const view: ThreadView = {
  jobRow: (id) => {
    const job = sample.jobs.find((one) => one.ref.job === id);
    return job && <JobRow job={job} href={`#${id}`} onStop={nothing} />;
  },
  agentName: () => 'Qwen Code',
  answering: () => undefined,
  stopping: () => false,
  onAnswer: nothing,
  retryAt: (turn) => (turn === 'again' ? sample.limitedUntil : undefined),
  onRetry: nothing,
  onContinue: nothing,
};

function Section(props: { title: string; children: JSX.Element }) {
  return (
    <section>
      <h2>{props.title}</h2>
      <div class="gallery-stack">{props.children}</div>
    </section>
  );
}

const since = sample.sampledAt - 12_000;
const short = [sample.text('a', 'The two paths meet in `onEnd`, which')];
const { turnOf } = sample;

const limited: Partial<Turn> = {
  ...sample.ended,
  outcome: 'failed',
  stopReason: 'error',
  error: {
    code: 'model.usage_limit',
    message: 'The usage limit of the model server at http://127.0.0.1:8080/v1 is reached.',
    until: sample.limitedUntil,
  },
};

/** Every way in which a turn can stand. */
const states: readonly Turn[] = [
  turnOf('waiting', 'Not answered yet', [], { accepted: false }),
  turnOf('thinking', 'Thinking', [sample.thought('h', 'Two callers, then.')]),
  turnOf('writing', 'Writing', short),
  turnOf('tool', 'Using a tool', [sample.tools.run]),
  turnOf('polling', 'Its stream is lost', short, {
    watching: { mode: 'poll', reason: 'The agent’s stream was lost.', since },
  }),
  turnOf('silent', 'Silent', short, {
    watching: { mode: 'silent', reason: 'The agent is running a tool.', since },
  }),
  turnOf('retrying', 'Retrying', short, {
    retrying: { attempt: 2, reason: 'The model server is busy (429).', next: sample.sampledAt + 30_000 },
  }),
  turnOf('stopping', 'Stopping', short, { stopping: 'asked' }),
  turnOf('killed', 'Does not stop', short, { stopping: 'terminated' }),
  turnOf('done', 'Done', short, sample.ended),
  turnOf('cancelled', 'Stopped', short, { ...sample.ended, outcome: 'cancelled', stopReason: 'cancelled' }),
  turnOf('failed', 'Failed', short, {
    ...sample.ended,
    outcome: 'failed',
    stopReason: 'error',
    error: {
      code: 'stream.ended_early',
      message: 'The model server closed the stream before the answer was complete.',
    },
  }),
  turnOf('limited', 'Usage limit', [], limited),
  turnOf('again', 'Usage limit, tried again then', [], limited),
  turnOf('interrupted', 'Interrupted', [], {
    ...sample.ended,
    accepted: false,
    outcome: 'interrupted',
    stopReason: 'lost',
  }),
  turnOf('cut', 'Cut off', short, { ...sample.ended, stopReason: 'max_tokens' }),
  turnOf('refused', 'Refused', short, { ...sample.ended, stopReason: 'refusal' }),
  turnOf('empty', 'No text', [], sample.ended),
  turnOf('job', 'Became a job', short, { ...sample.ended, stopReason: 'job' }),
];

const parts: readonly Part[] = [
  sample.thought('think', 'The drain has two callers. I should read both before I change either.'),
  sample.plan,
  sample.tools.read,
  sample.tools.search,
  sample.tools.edit,
  sample.permissions.answered,
  sample.tools.run,
  sample.tools.failed,
  sample.permissions.rejected,
  sample.tools.refused,
  sample.tools.pending,
  sample.permissions.withdrawn,
  sample.permissions.given,
  {
    type: 'steer',
    id: 'steer',
    message: { id: 'ms', content: [{ type: 'text', text: 'Leave the views alone.' }] },
    confirmed: false,
  },
  { type: 'notice', id: 'n1', level: 'info', code: 'x', text: 'The model was changed to Large.' },
  {
    type: 'notice',
    id: 'n2',
    level: 'warning',
    code: 'x',
    text: 'The context is 92 % full; older turns are left out.',
  },
  {
    type: 'notice',
    id: 'n3',
    level: 'error',
    code: 'x',
    text: 'The agent’s process ended; it is started again.',
  },
  ...sample.jobs.map((job): Part => ({ type: 'job', id: job.ref.job })),
  sample.text('prose', sample.prose),
  sample.permissions.open,
  sample.permissions.form,
  sample.permissions.visit,
];

function Controls() {
  const queue = { onEdit: nothing, onRemove: nothing, onMove: nothing, onResume: nothing };
  const composer = { commands: sample.commands, onSend: nothing, onStop: nothing };
  const settings = () => <Settings {...sample.settings} onChange={async () => {}} />;
  return (
    <>
      <Section title="Composer">
        <Composer {...composer} session="gallery-1" busy={false} stopping={false} tools={settings()} />
        <Composer {...composer} session="gallery-2" busy={true} stopping={false} />
        <Composer {...composer} session="gallery-3" busy={true} stopping={true} />
        <Composer
          {...composer}
          session="gallery-4"
          busy={false}
          stopping={false}
          blocked="This conversation is closed."
        />
      </Section>
      <Section title="Queue">
        <QueueStrip {...queue} queue={sample.queues.running} />
        <QueueStrip {...queue} queue={sample.queues.held} />
      </Section>
      <Section title="Outbox">
        <OutboxOverlay
          waiting={true}
          pending={[{ id: 'o1', text: 'Run it once more', delivery: 'queue' }]}
          refused={[
            {
              id: 'o2',
              kind: 'send',
              text: 'And push it',
              reason: 'the conversation was closed in another tab.',
            },
          ]}
          onEdit={nothing}
          onDiscard={nothing}
        />
      </Section>
      <Section title="Link">
        <div class="gallery-row">
          <For each={['connecting', 'live', 'stale'] as const}>
            {(state) => <LinkBadge link={{ state }} onRetry={nothing} />}
          </For>
          <LinkBadge link={{ state: 'reconnecting', retryAt: Date.now() + 20_000 }} onRetry={nothing} />
          <LinkBadge link={{ state: 'offline' }} onRetry={nothing} />
        </div>
      </Section>
    </>
  );
}

function Lists() {
  const search = createField('');
  const dialog = createToggle();
  const common = {
    search,
    agentName: (id: string) => id,
    href: (id: string) => `#${id}`,
    onNew: () => dialog.set(true),
  };
  return (
    <>
      <Section title="Conversations">
        <div class="gallery-row">
          <div class="gallery-side">
            <SessionList {...common} sessions={sample.sessions} loading={false} current="s1" />
          </div>
          <div class="gallery-side">
            <SessionList {...common} sessions={[]} loading={false} />
          </div>
        </div>
        <NewDialog
          open={dialog}
          agents={sample.agents}
          directories={['/home/ada/app', '/home/ada/notes']}
          creating={false}
          created={false}
          error="The directory /srv does not lie under a root that Sluice may use."
          onCreate={nothing}
          onOpen={nothing}
          onEarlier={async () => sample.earlier}
          onAddAgent={() => Promise.reject(new Error('The program “my-agent” was not found.'))}
          onRemoveAgent={async () => {}}
        />
      </Section>
      <Section title="Jobs">
        <JobList
          jobs={sample.jobSessions}
          stopping={() => false}
          agentName={(id) => id}
          href={(id) => `#${id}`}
          parentTitle={() => 'Flaky test in the gateway'}
          onStop={nothing}
        />
      </Section>
    </>
  );
}

export function Gallery() {
  return (
    <div class="gallery">
      <header>
        <h1>Every part and state</h1>
        <ThemeButton />
      </header>
      <Section title="Parts of a turn">
        <TurnRow
          turn={turnOf('parts', 'The queue drains twice after a stop. Can you find out why?', parts)}
          newest={true}
          view={view}
        />
      </Section>
      <Section title="How a turn stands">
        <For each={states}>{(turn) => <TurnRow turn={turn} newest={true} view={view} />}</For>
      </Section>
      <Controls />
      <Lists />
      <Section title="Headings, empty pages, troubles">
        <SessionHead
          title={<h1>Queue drains twice after a stop</h1>}
          agent="Model server"
          model="Large"
          cwd="/home/ada/app"
          state="streaming"
          word={{ mood: 'busy', text: 'Working' }}
          usage={{ contextTokens: 61_000, contextSize: 128_000 }}
          backHref="#"
          backLabel="All conversations"
        />
        <Notice
          level="error"
          text="Log unavailable: the disk is full. Nothing new is kept until there is room."
        />
        <Empty icon={<MessageSquare size={20} />} title="Nothing said yet">
          Write a message below.
        </Empty>
        <Trouble title="This conversation does not exist" reason="It may have been deleted in another tab." />
        <Trouble
          title="The conversation could not be loaded"
          reason="The gateway did not answer."
          onRetry={nothing}
        />
        <Empty icon={<FileText size={20} />} title="Sign in">
          Open the address that `npm start` printed: it carries the token.
        </Empty>
      </Section>
    </div>
  );
}
