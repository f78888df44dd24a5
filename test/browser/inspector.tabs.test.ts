import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AnyActorRef, createActor, type InspectionEvent } from 'xstate';
import { orchestratorMachine } from '../../machines/orchestrator.machine.ts';
import { createPageInspection, type PageInspection } from '../../src/console/inspect.ts';
import { inspectChannel } from '../../src/wire/inspect.ts';
import { openInspector } from './inspector.kit.ts';

/** All that is said between the pages of this browser. */
let said: { readonly type?: string }[];
let ear: BroadcastChannel;
const pages: PageInspection[] = [];
const actors: AnyActorRef[] = [];

beforeEach(() => {
  said = [];
  ear = new BroadcastChannel(inspectChannel);
  ear.onmessage = ({ data }) => said.push(data);
});

afterEach(() => {
  for (const page of pages.splice(0)) page.close();
  for (const actor of actors.splice(0)) actor.stop();
  ear.close();
});

/** A page of the console, with one actor. */
function openPage() {
  const page = createPageInspection(new BroadcastChannel(inspectChannel));
  pages.push(page);
  const looked = vi.fn((event: InspectionEvent) => page.observe(event));
  const root = createActor(orchestratorMachine, { inspect: looked, input: {} }).start();
  actors.push(root);
  return { page, root, looked };
}

/** Resolves when everything that was said before has been heard by all. */
async function heard(): Promise<void> {
  const mark = new BroadcastChannel(inspectChannel);
  const before = said.length;
  mark.postMessage({ type: 'mark' });
  await vi.waitFor(() => expect(said.slice(before).some((message) => message.type === 'mark')).toBe(true));
  mark.close();
}

const orchestrator = (page: ReturnType<typeof openInspector>) =>
  page.rows().find((row) => /^page-\w+\/orchestrator$/.test(row.dataset.key ?? ''));

test('a page says nothing of its actors while no inspector is open', async () => {
  const { root, looked } = openPage();
  for (let n = 0; n < 20; n++) root.send({ type: 'release', session: 's' });
  await heard();
  expect(looked.mock.calls.length).toBeGreaterThan(20);
  expect(said.filter((message) => message.type !== 'mark')).toEqual([{ type: 'sluice.page' }]);
});

test('an inspector that is opened later sees the actors of the page and what happens to them', async () => {
  const { root } = openPage();
  const inspector = openInspector();
  await vi.waitFor(() => expect(orchestrator(inspector)).toBeDefined());
  orchestrator(inspector)?.click();
  root.send({
    type: 'fact',
    fact: { v: 1, session: 'nobody', epoch: 'e', seq: 1, at: 1, type: 'session.closed' },
  });
  await vi.waitFor(() => expect(inspector.events()).toHaveLength(1));
  expect(inspector.events()[0]?.textContent).toContain('session.closed');
  expect(orchestrator(inspector)?.querySelector('.count')?.textContent).toBe('1 unrouted');
});

test('a page that is opened later is seen too, and one that is closed is gone', async () => {
  const inspector = openInspector();
  await vi.waitFor(() => expect(said.some((message) => message.type === '@statelyai.connected')).toBe(true));
  const { page } = openPage();
  await vi.waitFor(() => expect(orchestrator(inspector)).toBeDefined());
  page.close();
  pages.splice(0);
  await vi.waitFor(() => expect(orchestrator(inspector)).toBeUndefined());
});

test('two inspectors see the same page, and one that closes leaves the other its events', async () => {
  const { root } = openPage();
  const first = openInspector();
  await vi.waitFor(() => expect(orchestrator(first)).toBeDefined());
  const second = openInspector();
  await vi.waitFor(() => expect(orchestrator(second)).toBeDefined());
  second.close();
  await heard();
  orchestrator(first)?.click();
  root.send({ type: 'release', session: 's' });
  await vi.waitFor(() => expect(first.events()).toHaveLength(1));
});

test('when the inspector is closed the page falls silent again', async () => {
  const { root } = openPage();
  const inspector = openInspector();
  await vi.waitFor(() => expect(orchestrator(inspector)).toBeDefined());
  inspector.close();
  await heard();
  said.length = 0;
  root.send({ type: 'release', session: 's' });
  await heard();
  expect(said.filter((message) => message.type !== 'mark')).toEqual([]);
});

test('an inspector that ends without a word is noticed by its lock', async () => {
  const { root } = openPage();
  const channel = new BroadcastChannel(inspectChannel);
  const crash = Promise.withResolvers<void>();
  const { inspectorLock } = await import('../../src/wire/inspect.ts');
  const held = Promise.withResolvers<void>();
  const lock = navigator.locks.request(inspectorLock('lost'), () => {
    held.resolve();
    return crash.promise;
  });
  await held.promise;
  channel.postMessage({ type: '@statelyai.connected', inspector: 'lost' });
  await vi.waitFor(() => expect(said.some((message) => message.type === '@xstate.actor')).toBe(true));
  crash.resolve();
  await lock;
  // The page asked for the lock before; whoever asks now gets it after the page.
  await navigator.locks.request(inspectorLock('lost'), () => {});
  await heard();
  said.length = 0;
  root.send({ type: 'release', session: 's' });
  await heard();
  expect(said.filter((message) => message.type !== 'mark')).toEqual([]);
  channel.close();
});
