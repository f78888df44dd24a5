import { createMemo, type JSX, Show } from 'solid-js';
import type { OrchestratorRef } from '../../../machines/orchestrator.machine.ts';
import type { OutboxRef } from '../../../machines/outbox.machine.ts';
import type { JobRef, SessionNotice } from '../../wire/snapshot.ts';
import type { Turn } from '../../wire/turn.ts';
import { sameList } from '../lib/equal.ts';
import { newId } from '../lib/id.ts';
import { keepOpen } from '../lib/open.ts';
import { createSelector } from '../lib/select.ts';
import { useSluice } from '../lib/sluice.ts';
import { JobRow } from '../parts/job.tsx';
import { Notice } from '../parts/notice.tsx';
import { Thread } from '../thread/thread.tsx';
import { TurnRow } from '../thread/turn.tsx';
import type { ThreadView } from '../view.ts';
import { readJob, type readOutbox, type SessionReader } from './session.ts';

type Kind = 'turn' | 'job' | 'notice';
const keyOf = (kind: Kind, id: string) => `${kind}:${id}`;
const jobHref = (job: string) => `/jobs/${encodeURIComponent(job)}`;

interface Placed {
  readonly key: string;
  readonly seq: number;
}

/** The rows of a session: turns, jobs that no turn started, and notices, in the order of the log. */
export function SessionThread(props: {
  session: string;
  reader: SessionReader;
  asked: ReturnType<typeof readOutbox>;
  announce: string;
  /** A turn may follow the last one: a job has one turn only. */
  goesOn: boolean;
  onRetry: ThreadView['onRetry'];
  onContinue: () => void;
  empty: JSX.Element;
}) {
  const { api, root, outbox, directory } = useSluice();
  const { reader } = props;
  const knownJobs = reader.select((context) => context.jobs);
  const knownNotices = reader.select((context) => context.notices);
  const jobs = () => knownJobs() ?? [];
  const notices = () => knownNotices() ?? [];
  const queue = reader.select((context) => context.queue);
  const agent = reader.select((context) => context.agent);
  const agentName = createSelector(
    directory,
    ({ context }) => context.agents.find(({ id }) => id === agent())?.name ?? agent() ?? '',
  );
  const older = reader.select((context) => context.older);
  const openFirst = reader.select(({ open }) => open?.firstSeq);
  const openId = reader.select(({ open }) => open?.id);

  const settled = createMemo(() => new Map(reader.settled().map((turn) => [turn.id, turn])));
  const jobById = createMemo(() => new Map(jobs().map((job) => [job.job, job])));
  const noticeById = createMemo(() => new Map(notices().map((notice) => [notice.id, notice])));

  const keys = createMemo(
    () => {
      const turns: Placed[] = reader
        .settled()
        .map((turn) => ({ key: keyOf('turn', turn.id), seq: turn.firstSeq }));
      const open = openId();
      if (open !== undefined) turns.push({ key: keyOf('turn', open), seq: openFirst() ?? 0 });
      // What is older than the oldest turn here comes with its page.
      const first = older() ? (turns[0]?.seq ?? 0) : 0;
      const others: Placed[] = [
        ...jobs().flatMap((job) =>
          job.turn === undefined ? [{ key: keyOf('job', job.job), seq: job.seq }] : [],
        ),
        ...notices().map((notice) => ({ key: keyOf('notice', notice.id), seq: notice.seq })),
      ];
      return [...turns, ...others.filter((row) => row.seq >= first)]
        .sort((a, b) => a.seq - b.seq)
        .map((row) => row.key);
    },
    undefined,
    { equals: sameList },
  );
  const lastTurn = createMemo(() => openId() ?? reader.settled().at(-1)?.id);

  keepOpen(
    root,
    createMemo(
      () => jobs().flatMap((job) => (job.outcome ? [] : [{ session: job.job, kind: 'job' as const }])),
      undefined,
      {
        equals: (a, b) =>
          sameList(
            a.map((one) => one.session),
            b.map((one) => one.session),
          ),
      },
    ),
  );

  const jobRow = (id: string) => (
    <Show when={jobById().get(id)}>{(ref) => <LiveJob root={root} outbox={outbox} job={ref()} />}</Show>
  );
  const view: ThreadView = {
    jobRow,
    agentName,
    answering: props.asked.answering,
    stopping: props.asked.stopping,
    onAnswer: (permission, option, content) =>
      outbox.send({
        type: 'ask',
        ask: {
          kind: 'answer',
          id: newId(),
          session: props.session,
          at: Date.now(),
          body: { permission, option, ...(content && { content }) },
        },
      }),
    retryAt: (turn) => (queue()?.retry === turn ? queue()?.until : undefined),
    onRetry: (turn, at) => props.onRetry(turn, at),
    onContinue: () => props.onContinue(),
  };

  const turnRow = (id: string) => {
    const first = settled().get(id) ?? reader.openTurn();
    const turn = createMemo<Turn | undefined>(
      (before) => settled().get(id) ?? (openId() === id ? reader.openTurn() : undefined) ?? before,
      first,
    );
    return (
      <Show when={turn()}>
        {(shown) => <TurnRow turn={shown()} newest={props.goesOn && lastTurn() === id} view={view} />}
      </Show>
    );
  };
  const noticeRow = (id: string) => (
    <Show when={noticeById().get(id)}>
      {(notice: () => SessionNotice) => <NoticeRow notice={notice()} />}
    </Show>
  );
  const row = (key: string) => {
    const [kind, id] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)];
    // Plain branches: what a row is never changes, and a branch that tracked its turn would remount it (I10).
    if (kind === 'turn') return turnRow(id);
    if (kind === 'notice') return noticeRow(id);
    return (
      <div class="turn" data-open="">
        {jobRow(id)}
      </div>
    );
  };

  return (
    <Thread
      keys={keys()}
      row={row}
      older={older() ?? false}
      onOlder={async () => {
        const before = reader.settled()[0]?.id;
        if (before === undefined) return;
        const page = await api.turns(props.session, before);
        root.getSnapshot().context.sessions[props.session]?.ref.send({ type: 'older.loaded', ...page });
      }}
      announce={props.announce}
      empty={props.empty}
    />
  );
}

function LiveJob(props: { root: OrchestratorRef; outbox: OutboxRef; job: JobRef }) {
  const job = readJob(props.root, props.outbox, () => props.job);
  const stop = () => {
    const session = props.job.job;
    props.outbox.send({
      type: 'ask',
      ask: { kind: 'stop', id: newId(), session, at: Date.now(), body: { job: session } },
    });
  };
  return <JobRow job={job()} href={jobHref(props.job.job)} onStop={stop} />;
}

function NoticeRow(props: { notice: SessionNotice }) {
  return (
    <div class="turn" data-open="">
      <Notice level={props.notice.level} text={props.notice.text} />
    </div>
  );
}
