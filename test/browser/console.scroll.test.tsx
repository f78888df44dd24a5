import { createSignal, For } from 'solid-js';
import { describe, expect, test } from 'vitest';
import { ended, prose, text, turnOf } from '../../src/console/gallery/samples.ts';
import { Thread } from '../../src/console/thread/thread.tsx';
import { TurnRow } from '../../src/console/thread/turn.tsx';
import { find, painted, show, silentView } from './console.harness.tsx';

function tall(count: number) {
  const [rows, setRows] = createSignal(Array.from({ length: count }, (_, index) => `r${index}`));
  const [lines, setLines] = createSignal(1);
  const host = show(
    () => (
      <Thread
        keys={rows()}
        row={(key) => (
          <div class="turn" data-open="" data-key={key}>
            <For each={Array.from({ length: key === rows().at(-1) ? lines() : 3 }, (_, index) => index)}>
              {(line) => <p>{`${key}, line ${line}`}</p>}
            </For>
          </div>
        )}
        older={true}
        onOlder={async () => {
          setRows((now) => ['older-1', 'older-2', 'older-3', ...now]);
        }}
        announce=""
      />
    ),
    'height: 400px; display: flex; flex-direction: column',
  );
  const scroller = find(host, '.thread-scroller');
  const fromEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  return {
    host,
    scroller,
    fromEnd,
    grow: (to: number) => setLines(to),
    add: (key: string) => setRows((now) => [...now, key]),
  };
}

async function scrollTo(scroller: HTMLElement, top: number): Promise<void> {
  const scrolled = new Promise((resolve) => scroller.addEventListener('scroll', resolve, { once: true }));
  scroller.scrollTop = top;
  await scrolled;
  await painted();
}

describe('C53: a thread that grows', () => {
  test('opens at its end and follows it: new rows, and text that grows in the last one', async () => {
    const thread = tall(30);
    await painted();
    expect(thread.fromEnd()).toBeLessThan(2);
    thread.add('next');
    await painted();
    expect(thread.fromEnd()).toBeLessThan(2);
    thread.grow(40);
    await painted();
    expect(thread.fromEnd()).toBeLessThan(2);
  });

  test('stays where it is while the reader looks at earlier rows, and offers the way back', async () => {
    const thread = tall(30);
    await painted();
    await scrollTo(thread.scroller, 200);
    const place = thread.scroller.scrollTop;
    thread.grow(60);
    thread.add('next');
    await painted();
    expect(thread.scroller.scrollTop).toBe(place);
    find<HTMLButtonElement>(thread.host, '.thread-newest').click();
    await painted();
    expect(thread.fromEnd()).toBeLessThan(2);
    expect(thread.host.querySelector('.thread-newest')).toBeNull();
    thread.grow(90);
    await painted();
    expect(thread.fromEnd()).toBeLessThan(2);
  });

  test('follows again when the reader comes back to the end by themselves', async () => {
    const thread = tall(30);
    await painted();
    await scrollTo(thread.scroller, 200);
    await scrollTo(thread.scroller, thread.scroller.scrollHeight);
    thread.grow(50);
    await painted();
    expect(thread.fromEnd()).toBeLessThan(2);
  });

  test('lets go of a reader who scrolls up in the middle of growth, by whatever means', async () => {
    const thread = tall(30);
    await painted();
    for (let lines = 2; lines < 20; lines++) {
      thread.grow(lines);
      await new Promise(requestAnimationFrame);
    }
    expect(thread.fromEnd()).toBeLessThan(100);
    thread.scroller.scrollTop -= 300;
    const place = thread.scroller.scrollTop;
    for (let lines = 20; lines < 40; lines++) {
      thread.grow(lines);
      await new Promise(requestAnimationFrame);
    }
    await painted();
    expect(thread.scroller.scrollTop).toBe(place);
    expect(thread.host.querySelector('.thread-newest')).not.toBeNull();
  });

  test('stays at the end when there is more room or less to show, and then more to show, in one moment', async () => {
    const thread = tall(30);
    await painted();
    // Laid out in between, the place moves up by itself each time.
    thread.host.style.height = '600px';
    expect(thread.fromEnd()).toBe(0);
    thread.grow(30);
    await painted();
    expect(thread.fromEnd()).toBeLessThan(2);
    thread.grow(1);
    expect(thread.fromEnd()).toBe(0);
    thread.grow(10);
    await painted();
    expect(thread.fromEnd()).toBeLessThan(2);
    expect(thread.host.querySelector('.thread-newest')).toBeNull();
  });

  test('keeps the reader’s place when earlier turns are added above', async () => {
    const thread = tall(30);
    await painted();
    await scrollTo(thread.scroller, 0);
    const first = find(thread.host, '[data-key="r0"]');
    const before = first.getBoundingClientRect().top;
    find<HTMLButtonElement>(thread.host, '.thread-older').click();
    await expect.poll(() => thread.host.querySelector('[data-key="older-1"]')).not.toBeNull();
    await painted();
    await painted();
    expect(Math.abs(first.getBoundingClientRect().top - before)).toBeLessThan(2);
  });

  test('stays at the end when the turn ends, and nothing jumps meanwhile', async () => {
    const words = Array.from({ length: 6 }, () => prose).join('\n\n');
    const [turn, setTurn] = createSignal(turnOf('long', 'Tell me', [text('t', words)]));
    const host = show(
      () => (
        <Thread
          keys={['long']}
          row={() => <TurnRow turn={turn()} newest={true} view={silentView} />}
          older={false}
          onOlder={() => Promise.resolve()}
          announce=""
        />
      ),
      'height: 400px; display: flex; flex-direction: column',
    );
    const scroller = find(host, '.thread-scroller');
    await painted();
    await painted();
    const places: number[] = [];
    const record = () => places.push(scroller.scrollTop);
    scroller.addEventListener('scroll', record);
    const before = scroller.scrollTop;
    expect(before).toBeGreaterThan(1000);
    setTurn({ ...turn(), ...ended });
    for (let frame = 0; frame < 6; frame++) {
      await painted();
      record();
    }
    expect(host.querySelector('.thread-newest')).toBeNull();
    expect(places.filter((place) => Math.abs(place - before) > 2)).toEqual([]);
  });
});
