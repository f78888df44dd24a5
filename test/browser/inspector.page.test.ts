import { expect, test, vi } from 'vitest';
import { conversationMachine } from '../../machines/conversation.machine.ts';
import { transitionId } from '../../machines/transition.id.ts';
import { at, event, first, openInspector, recorded, second } from './inspector.kit.ts';

function idOf(state: string, type: string, target: string): string {
  const transitions = conversationMachine.states[state as 'streaming']?.transitions.get(type) ?? [];
  const found = transitions.find((transition) => transition.target?.[0]?.key === target);
  if (!found) throw new Error(`no transition of ${state} on ${type} to ${target}`);
  return transitionId(found);
}

async function opened() {
  const page = openInspector();
  page.gateway.onopen?.();
  page.gateway.tell(...recorded);
  await vi.waitFor(() => expect(page.row(first)).not.toBeNull());
  return page;
}

test('the actors are a tree with the state of each and how long it is in it', async () => {
  const page = await opened();
  const shown = page.rows().map((row) => [row.getAttribute('aria-level'), row.dataset.key]);
  expect(shown).toEqual([
    ['1', 'gateway'],
    ['2', 'gateway/orchestrator'],
    ['3', first],
    ['4', `${first}/runner`],
    ['3', second],
  ]);
  expect(page.row(first)?.textContent).toContain('Flaky test');
  expect(page.row(first)?.querySelector('.chip')?.textContent).toBe('streaming');
  expect(page.row(first)?.querySelector('.age')?.textContent).toBe('1 min 30 s');
  expect(page.row(`${first}/runner`)?.querySelector('.chip')?.textContent).toBe('idle · listening');
  // It is not known since when: only that it was so when somebody began to look.
  expect(page.row(`${first}/runner`)?.querySelector('.age')?.textContent).toBe('≥ 0 s');
});

test('the age of a state goes on while nothing happens, and begins anew with the next state', async () => {
  const page = await opened();
  const age = () => page.row(first)?.querySelector('.age')?.textContent;
  page.clock.advance(35);
  expect(age()).toBe('2 min 5 s');
  page.gateway.tell(event({ id: 'x:1', event: 'turn.stopping', state: 'cancelling', at: page.clock.now() }));
  await vi.waitFor(() => expect(age()).toBe('0 s'));
  page.clock.advance(3);
  expect(age()).toBe('3 s');
});

test('the clock of the gateway may be another: ages are right all the same', async () => {
  const page = openInspector();
  const late = recorded.map((line) => JSON.parse(JSON.stringify(line)));
  for (const line of late) {
    line.at += 7_200_000;
    if (line.since) line.since += 7_200_000;
  }
  page.gateway.tell(...late);
  await vi.waitFor(() => expect(page.row(first)?.querySelector('.age')?.textContent).toBe('1 min 30 s'));
});

test('I13: what was ignored, unrouted and dropped is counted where it happened', async () => {
  const page = await opened();
  const counts = (key: string) =>
    [...(page.row(key)?.querySelectorAll('.count') ?? [])].map((c) => c.textContent);
  expect(counts('gateway/orchestrator')).toEqual(['2 ignored', '1 unrouted']);
  expect(counts(first)).toEqual(['2 ignored']);
  page.gateway.tell(
    event({
      id: 'x:3',
      event: 'output',
      state: { pen: 'idle', work: { resting: 'quiet' } },
      counts: { dropped: 7 },
    }),
  );
  await vi.waitFor(() => expect(counts(`${first}/runner`)).toEqual(['7 dropped']));
});

test('choosing an actor shows its events, newest first, with the detail on demand', async () => {
  const page = await opened();
  page.gateway.tell(
    event({ id: 'x:1', event: 'text.added', state: 'streaming', detail: { text: 'not this one' } }),
    event({ id: 'x:2', event: 'turn.started', state: 'dispatching', detail: { turn: 't9' } }),
    event({ id: 'x:2', event: 'turn.accepted', state: 'streaming', detail: { turn: 't9', handle: 'h-7' } }),
  );
  page.row(second)?.click();
  await vi.waitFor(() => expect(page.events()).toHaveLength(2));
  expect(page.events().map((row) => row.querySelector('.type')?.textContent)).toEqual([
    'turn.accepted',
    'turn.started',
  ]);
  expect(page.events()[0]?.querySelector('.move')?.textContent).toBe('dispatching → streaming');
  expect(page.root.textContent).not.toContain('h-7');
  page.events()[0]?.querySelector('button')?.click();
  expect(page.events()[0]?.querySelector('pre')?.textContent).toContain('"handle": "h-7"');
});

test('C45: an event that had no transition is marked, counted, and can be seen alone', async () => {
  const page = await opened();
  page.gateway.tell(
    event({ id: 'x:1', event: 'text.added', state: 'streaming', transitions: ['session.streaming:1'] }),
    event({ id: 'x:1', event: 'turn.started', state: 'streaming', taken: false }),
  );
  await vi.waitFor(() => expect(page.events()).toHaveLength(2));
  const [ignored, taken] = page.events();
  expect(ignored?.classList.contains('untaken')).toBe(true);
  expect(ignored?.textContent).toContain('no transition');
  expect(taken?.classList.contains('untaken')).toBe(false);
  const only = page.root.querySelector<HTMLInputElement>('.events input');
  expect(only?.parentElement?.textContent).toContain('(1)');
  only?.click();
  await vi.waitFor(() => expect(page.events()).toHaveLength(1));
  expect(page.events()[0]?.querySelector('.type')?.textContent).toBe('turn.started');
});

test('the last 200 events of an actor are kept, and it is said how many there were', async () => {
  const page = await opened();
  for (let n = 1; n <= 250; n++) {
    page.gateway.tell(
      event({ id: 'x:1', event: 'text.added', state: 'streaming', detail: { text: `token ${n}` } }),
    );
  }
  await vi.waitFor(() => expect(page.events()).toHaveLength(200));
  expect(page.events()[0]?.textContent).toContain('token 250');
  expect(page.events().at(-1)?.textContent).toContain('token 51');
  expect(page.root.querySelector('.events header')?.textContent).toContain('the last 200 of 250');
});

test('the chart is drawn from the definition; the active state is lit and follows, the last transition is marked', async () => {
  const page = await opened();
  await vi.waitFor(() => expect(page.lit()).toContain('session.streaming'), { timeout: 20_000 });
  const drawn = [...page.root.querySelectorAll<SVGElement>('.node')].map((node) => node.dataset.state);
  expect(drawn).toEqual(
    expect.arrayContaining(Object.keys(conversationMachine.states).map((key) => `session.${key}`)),
  );
  expect(page.root.querySelectorAll('.edge.taken')).toHaveLength(0);

  const id = idOf('streaming', 'turn.stopping', 'cancelling');
  page.gateway.tell(event({ id: 'x:1', event: 'turn.stopping', state: 'cancelling', transitions: [id] }));
  await vi.waitFor(() => expect(page.lit()).toContain('session.cancelling'));
  expect(page.lit()).not.toContain('session.streaming');
  expect(page.root.querySelectorAll('.edge.taken')).toHaveLength(1);
  const label = page.root.querySelector('.label.taken');
  expect(label?.textContent).toContain('turn.stopping');
});

test('the chart of a machine with regions has a lit state in each', async () => {
  const page = await opened();
  page.row(`${first}/runner`)?.click();
  await vi.waitFor(() => expect(page.lit()).toContain('runner.pen.idle'), { timeout: 20_000 });
  expect(page.lit()).toEqual(
    expect.arrayContaining(['runner.work.engaged', 'runner.work.engaged.listening']),
  );
  expect(page.lit()).not.toContain('runner.work.resting');
});

test('labels of a chart do not lie on its states or on each other', async () => {
  const page = await opened();
  for (const key of [first, `${first}/runner`]) {
    page.row(key)?.click();
    const state = key === first ? 'session.streaming' : 'runner.pen.idle';
    await vi.waitFor(() => expect(page.lit()).toContain(state), { timeout: 20_000 });
    const boxes = (selector: string) =>
      [...page.root.querySelectorAll(selector)].map((node) => node.getBoundingClientRect());
    const labels = boxes('.label > rect');
    const states = boxes('.node:not(.inner) > rect');
    expect(labels.length).toBeGreaterThan(10);
    const over = labels.flatMap((label, i) =>
      [...labels.slice(i + 1), ...states].filter(
        (other) =>
          label.left < other.right - 1 &&
          other.left < label.right - 1 &&
          label.top < other.bottom - 1 &&
          other.top < label.bottom - 1,
      ),
    );
    expect(over).toHaveLength(0);
  }
});

test('the tree is walked with the keys that trees have', async () => {
  const page = await opened();
  const press = (key: string) =>
    document.activeElement?.dispatchEvent(
      new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }),
    );
  const at = () => (document.activeElement as HTMLElement | null)?.dataset.key;
  expect(page.rows().filter((row) => row.tabIndex === 0)).toHaveLength(1);
  page
    .rows()
    .find((row) => row.tabIndex === 0)
    ?.focus();
  press('Home');
  expect(at()).toBe('gateway');
  press('ArrowDown');
  press('ArrowRight');
  expect(at()).toBe(first);
  press('ArrowLeft');
  expect(page.row(first)?.getAttribute('aria-expanded')).toBe('false');
  expect(page.row(`${first}/runner`)).toBeNull();
  press('ArrowRight');
  expect(page.row(`${first}/runner`)).not.toBeNull();
  press('End');
  expect(at()).toBe(second);
  press('Enter');
  await vi.waitFor(() => expect(page.row(second)?.getAttribute('aria-selected')).toBe('true'));
  press('ArrowLeft');
  expect(at()).toBe('gateway/orchestrator');
});

test('what may come next is listed with its targets, for the state that is active now', async () => {
  const page = await opened();
  const next = () => page.root.querySelector('.next')?.textContent;
  await vi.waitFor(() => expect(next()).toContain('to finalizedturn.ended [endsWell]'));
  page.gateway.tell(event({ id: 'x:1', event: 'turn.ended', state: 'finalized' }));
  await vi.waitFor(() => expect(next()).toContain('to dispatchingturn.started'));
  expect(next()).not.toContain('turn.ended');
});

test('an effect is shown only while it lasts: a write that hangs is seen, one that is quick does not flicker', async () => {
  const page = await opened();
  const append = { type: 'actor', machine: 'append', parent: 'x:3', status: 'active' } as const;
  const key = `${first}/runner/append`;
  page.gateway.tell(
    { ...append, id: 'x:7', at, since: at },
    event({ id: 'x:3', event: 'output', state: 'seen' }),
  );
  await vi.waitFor(() => expect(page.row(`${first}/runner`)?.textContent).toContain('seen'));
  expect(page.row(key)).toBeNull();
  page.clock.advance(2);
  expect(page.row(key)?.textContent).toContain('2 s');
  page.gateway.tell({ type: 'stopped', id: 'x:7', at: page.clock.now() });
  await vi.waitFor(() => expect(page.row(key)).toBeNull());
});

test('while it is paused it stands still, and nothing is lost', async () => {
  const page = await opened();
  const pause = [...page.root.querySelectorAll<HTMLElement>('.bar button')].find(
    (b) => b.textContent === 'Pause',
  );
  pause?.click();
  page.gateway.tell(event({ id: 'x:1', event: 'turn.stopping', state: 'cancelling' }));
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  expect(page.events()).toHaveLength(0);
  expect(page.row(first)?.querySelector('.chip')?.textContent).toBe('streaming');
  pause?.click();
  expect(page.events()).toHaveLength(1);
  expect(page.row(first)?.querySelector('.chip')?.textContent).toBe('cancelling');
});

test('a lost gateway is said; when it is back the tree is told anew and keeps its events', async () => {
  const page = await opened();
  vi.stubGlobal('fetch', async () => new Response(null, { status: 502 }));
  page.gateway.tell(event({ id: 'x:1', event: 'text.added', state: 'streaming' }));
  const before = page.gateway;
  page.gateway.onerror?.();
  const status = () => page.root.querySelector('[role=status]')?.textContent;
  await vi.waitFor(() => expect(status()).toContain('The gateway answered 502.'));
  page.root.querySelector<HTMLElement>('[role=status] button')?.click();
  await vi.waitFor(() => expect(page.gateway).not.toBe(before));
  expect(before.closed).toBe(true);
  page.gateway.onopen?.();
  // A new process: other ids, and the second conversation is not open any more.
  const renamed = recorded.map((line) => JSON.parse(JSON.stringify(line).replaceAll('"x:', '"y:')));
  page.gateway.tell(...renamed.filter((line) => line.session !== 's2'));
  await vi.waitFor(() => expect(page.row(second)?.classList.contains('gone')).toBe(true));
  expect(status()).toBe('Live');
  expect(page.row(first)?.classList.contains('gone')).toBe(false);
  expect(page.events()).toHaveLength(1);
});

test('without the token it says how to get in', async () => {
  const page = openInspector();
  vi.stubGlobal('fetch', async () => new Response(null, { status: 401 }));
  page.gateway.onerror?.();
  const status = () => page.root.querySelector('[role=status]')?.textContent;
  await vi.waitFor(() => expect(status()).toContain('open the address that Sluice printed'));
});

test('nothing is asked of another host, and only the inspection of the gateway', async () => {
  performance.clearResourceTimings();
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (input: RequestInfo | URL) => {
    asked.push(String(input));
    return new Response();
  });
  const page = await opened();
  await vi.waitFor(() => expect(page.lit()).toContain('session.streaming'), { timeout: 20_000 });
  expect(page.gateway.url).toBe('/api/inspect');
  expect(asked).toEqual([]);
  const hosts = performance.getEntriesByType('resource').map((entry) => new URL(entry.name).host);
  expect(hosts.filter((host) => host !== location.host)).toEqual([]);
});

test('closing it closes the stream, so that the gateway gathers nothing more', async () => {
  const page = await opened();
  page.close();
  expect(page.gateway.closed).toBe(true);
  expect(page.clock.waiting).toBe(0);
});
