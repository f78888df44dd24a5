import { Composer } from '../composer/composer.tsx';
import { QueueStrip } from '../composer/queue.tsx';
import { createField } from '../lib/ui.ts';
import { SessionList } from '../sessions/list.tsx';
import { LinkBadge } from '../shell/link.tsx';
import { SessionHead } from '../shell/session-head.tsx';
import { Shell } from '../shell/shell.tsx';
import { Tools } from '../shell/tools.tsx';
import { Thread } from '../thread/thread.tsx';
import { TurnRow } from '../thread/turn.tsx';
import { view } from './gallery.tsx';
import * as sample from './samples.ts';

const nothing = () => {};

const turns = [
  sample.turnOf(
    'one',
    'The queue drains twice after a stop. Can you find out why?',
    [
      sample.thought('h', 'Two callers.'),
      sample.tools.read,
      sample.tools.search,
      sample.tools.edit,
      sample.text('p', sample.prose),
    ],
    sample.ended,
  ),
  sample.turnOf('two', 'Good. Run the tests for it, and the whole suite in the background.', [
    sample.text('p', 'I start the suite as a job and run the tests of the queue here.'),
    { type: 'job', id: 'job-run' },
    sample.permissions.answered,
    sample.tools.run,
  ]),
];

/** The whole console with sample data: `gallery.html#console`, or `#console-list` for a narrow screen's list. */
export function Mock() {
  const search = createField('');
  const byId = new Map(turns.map((turn) => [turn.id, turn]));
  return (
    <Shell
      chosen={location.hash !== '#console-list'}
      jobsHref="#jobs"
      jobsCurrent={false}
      running={2}
      tools={<Tools onKeys={nothing} />}
      link={<LinkBadge link={{ state: 'live' }} onRetry={nothing} />}
      side={
        <SessionList
          sessions={sample.sessions}
          loading={false}
          current="s1"
          search={search}
          agentName={(id) => id}
          href={(id) => `#${id}`}
          onNew={nothing}
        />
      }
    >
      <SessionHead
        title="Queue drains twice after a stop"
        agent="Built-in"
        cwd="/home/ada/app"
        state="streaming"
        word={{ mood: 'busy', text: 'Working' }}
        usage={{ contextTokens: 61_000, contextSize: 128_000 }}
        backHref="#console-list"
        backLabel="All conversations"
      />
      <Thread
        keys={turns.map((turn) => turn.id)}
        row={(key) => {
          const turn = byId.get(key);
          return turn && <TurnRow turn={turn} newest={key === 'two'} view={view} />;
        }}
        older={false}
        onOlder={() => Promise.resolve()}
        announce=""
      />
      <div class="dock">
        <QueueStrip
          queue={sample.queues.running}
          onEdit={nothing}
          onRemove={nothing}
          onMove={nothing}
          onResume={nothing}
        />
        <Composer
          session="mock"
          busy={true}
          stopping={false}
          commands={sample.commands}
          onSend={nothing}
          onStop={nothing}
        />
      </div>
    </Shell>
  );
}
