import { Route, Router } from '@solidjs/router';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { App } from '../../src/console/app.tsx';
import { countsOf } from '../../src/console/lib/page-title.ts';
import { SluiceContext } from '../../src/console/lib/sluice.ts';
import { stateWord, summaryWord } from '../../src/console/lib/words.ts';
import { JobsPage } from '../../src/console/pages/jobs.tsx';
import { start } from '../../src/console/start.ts';
import type { Draft } from '../../src/wire/facts.ts';
import { ended, started, text } from '../support/facts.ts';
import { PageGateway } from '../support/page.gateway.ts';
import { find, painted, show } from './console.harness.tsx';

const message = (id: string) => ({ id, content: [{ type: 'text' as const, text: id }] });
const options = [{ optionId: 'yes', name: 'Allow', kind: 'allow_once' as const }];

/** What happens in the conversation and in its job, each in its own order. */
const inConversation: readonly Draft[] = [
  { type: 'turn.accepted', turn: 't1' },
  text('t1', 0, 'Half of '),
  { type: 'queue.added', message: message('q1'), delivery: 'queue', revision: 2 },
  { type: 'permission.asked', turn: 't1', permission: 'p', title: 'May I?', options },
  { type: 'permission.answered', turn: 't1', permission: 'p', option: 'yes' },
  { type: 'turn.watching', turn: 't1', mode: 'poll', reason: 'The stream was lost.', since: 0 },
  { type: 'turn.watching', turn: 't1', mode: 'stream', reason: 'It is back.', since: 0 },
  { type: 'turn.stopping', turn: 't1', stage: 'asked' },
  { type: 'queue.held', reason: 'stopped', revision: 3 },
  ended('t1', 'cancelled'),
  { type: 'queue.released', revision: 4 },
  started('t2', 5, message('q1')),
  text('t2', 0, 'Whole.'),
  ended('t2'),
];
const inJob: readonly Draft[] = [
  { type: 'turn.accepted', turn: 'tj' },
  { type: 'job.progress', turn: 'tj', text: 'One of two', done: 1, total: 2 },
  text('tj', 0, 'Working.'),
  { type: 'turn.watching', turn: 'tj', mode: 'poll', reason: 'The stream was lost.', since: 0 },
  ended('tj'),
];

/** A page of the conversation `s` with the job `j`, and beside it the page of all jobs, over the same actors. */
async function open(gateway: PageGateway) {
  gateway.open('s');
  gateway.write('s', started('t1'));
  gateway.write('s', {
    type: 'job.attached',
    job: 'j',
    request: { agent: 'a', cwd: '/w', title: 'A job', message: message('mj') },
  });
  gateway.open('j', 'job');
  gateway.write('j', started('tj', 1, message('mj')));
  const before = location.href;
  history.replaceState(null, '', '/c/s');
  const sluice = start({
    fetch: gateway.fetch as typeof fetch,
    openSocket: gateway.openSocket,
    shelf: { values: async () => [], set: async () => {}, delete: async () => {} },
    presence: null,
  });
  // After the views, which let go of their sessions when they are taken down.
  onTestFinished(() => {
    sluice.close();
    history.replaceState(null, '', before);
  });
  const host = show(() => <App sluice={sluice} />);
  const jobs = show(() => (
    <SluiceContext.Provider value={sluice}>
      <Router>
        <Route path="*" component={JobsPage} />
      </Router>
    </SluiceContext.Provider>
  ));
  const arrive = async () => {
    do {
      gateway.line.flush();
      await painted();
    } while (gateway.line.queue.length > 0);
  };
  await arrive();
  await expect.poll(() => host.querySelector('.job .state')).not.toBeNull();
  await arrive();
  await expect.poll(() => jobs.querySelector('.job-card')).not.toBeNull();
  return { host, jobs, arrive };
}

const said = (root: ParentNode, selector: string) => root.querySelector(selector)?.textContent ?? '';
const isOpen = (state: string) => ['dispatching', 'streaming', 'polling', 'cancelling'].includes(state);

/** What each view says, and what the gateway's own machine says it should. */
function views(gateway: PageGateway, host: HTMLElement, jobs: HTMLElement) {
  const [s, j] = [gateway.summary('s'), gateway.summary('j')];
  const row = host.querySelector('.thread-rows article.turn:last-of-type');
  const shown = {
    head: [find(host, 'header.head').dataset.state, said(host, '.head-state')],
    list: said(host, '.sessions .session .state'),
    thread: row?.hasAttribute('data-open'),
    composer: host.querySelector('.composer .stop') !== null,
    queue: host.querySelectorAll('.queue-item').length,
    badge: said(host, '.session-counts .badge:not(:first-child), .session-counts .badge:only-child'),
    jobRow: said(host, '.thread .job .state'),
    jobRowStop: host.querySelector('.thread .job button') !== null,
    jobsPage: said(jobs, '.job-card .state'),
    jobsPageStop: jobs.querySelector('.job-card button') !== null,
    foot: said(host, '.side-count'),
    title: document.title,
  };
  const [runs, jobRuns] = [isOpen(s.state), isOpen(j.state)];
  const expected: typeof shown = {
    head: [s.state, summaryWord(s, Date.now()).text],
    list: summaryWord(s, Date.now()).text,
    thread: runs,
    composer: runs,
    queue: s.queued,
    badge: s.queued > 0 ? `${s.queued} queued` : shown.badge,
    jobRow: stateWord(j.state).text,
    jobRowStop: jobRuns && j.state !== 'cancelling',
    jobsPage: summaryWord(j, Date.now()).text,
    jobsPageStop: jobRuns,
    foot: jobRuns ? '1 running' : '',
    title: shown.title,
  };
  const counts = countsOf([s, j]);
  if (counts !== '') expected.title = `${counts} · ${shown.title.split(' · ').slice(-2).join(' · ')}`;
  return { shown, expected };
}

describe('every view of a session', () => {
  test('C54-56: list, head, thread, composer, job row, jobs page and title agree after every fact', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.record({ job: fc.boolean(), told: fc.boolean() })),
        async (choices) => {
          const gateway = new PageGateway();
          const page = await open(gateway);
          const left = { s: [...inConversation], j: [...inJob] };
          while (left.s.length + left.j.length > 0) {
            const choice = choices.next().value ?? { job: false, told: true };
            const session = left.s.length === 0 || (choice.job && left.j.length > 0) ? 'j' : 's';
            const fact = left[session].shift() as Draft;
            gateway.write(session, fact);
            // The list is told a moment later, or not before more has happened.
            if (choice.told) {
              const changed = [gateway.summary('s'), gateway.summary('j')];
              gateway.line.queue.push({ type: 'sessions', changed, removed: [] });
            }
            await page.arrive();
            const { shown, expected } = views(gateway, page.host, page.jobs);
            expect([session, fact.type, shown]).toEqual([session, fact.type, expected]);
          }
          page.host.remove();
          page.jobs.remove();
        },
      ),
      { numRuns: 6 },
    );
  });
});

test('a status that changes its words is shown with the new ones', async () => {
  const gateway = new PageGateway();
  const page = await open(gateway);
  gateway.write('s', { type: 'turn.accepted', turn: 't1' });
  for (const step of ['1 of 9', '2 of `9`', '3 of 9']) {
    gateway.write('s', { type: 'job.progress', turn: 't1', text: step });
    await page.arrive();
    expect(said(page.host, '.thread .status-detail')).toBe(step.replaceAll('`', ''));
  }
});
