import { expect, test } from 'vitest';
import { page as screen, userEvent } from 'vitest/browser';
import type { SessionSummary } from '../../src/wire/snapshot.ts';
import { PageGateway } from '../support/page.gateway.ts';
import { pageAt } from './console.at.tsx';
import { painted } from './console.harness.tsx';

const line = (gateway: PageGateway, id: string, title: string, updatedAt: number): SessionSummary => ({
  ...gateway.summary('here'),
  id,
  title,
  updatedAt,
});

/** A list that holds one page; what the gateway finds for words is the test's, and comes when it says. */
async function list() {
  const gateway = new PageGateway();
  gateway.open('here');
  const now = Date.now();
  const here = line(gateway, 'here', 'Fix the drain', now);
  const asked: string[] = [];
  const answers: ((response: Response) => void)[] = [];
  gateway.instead = (path) => {
    if (!path.startsWith('/sessions?')) return undefined;
    const words = new URLSearchParams(path.slice(10)).get('q');
    if (words === null) return Response.json({ sessions: [here] });
    asked.push(words);
    return new Promise((resolve) => answers.push(resolve));
  };
  const page = pageAt('/', gateway);
  await page.arrive();
  await expect.poll(() => page.host.querySelectorAll('.sessions .session')).toHaveLength(1);
  const titles = () => [...page.host.querySelectorAll('.session-title')].map((title) => title.textContent);
  const find = (...sessions: readonly SessionSummary[]) => answers.shift()?.(Response.json({ sessions }));
  const older = line(gateway, 'older', 'Drain twice, long ago', now - 90 * 86_400_000);
  return { gateway, page, asked, answers, titles, find, here, older };
}

const box = screen.getByRole('searchbox', { name: 'Search conversations', exact: true });
const status = () => document.querySelector('.sessions [role=status]')?.textContent ?? '';

test('a key leads to the search; words find what is here at once, and what the gateway has after one question', async () => {
  const { asked, titles, find, here, older } = await list();
  (document.activeElement as HTMLElement | null)?.blur();
  await userEvent.keyboard('{Control>}k{/Control}');
  await expect.element(box).toHaveFocus();
  await userEvent.keyboard('drain');
  expect(titles()).toEqual(['Fix the drain']);
  await expect.poll(() => asked).toEqual(['drain']);
  find(here, older);
  await expect.poll(titles).toEqual(['Fix the drain', 'Drain twice, long ago']);
  await userEvent.keyboard('{Tab}{Tab}{Tab}');
  expect(document.activeElement?.querySelector('.session-title')?.textContent).toBe('Drain twice, long ago');
  await userEvent.keyboard('{Enter}');
  await expect.poll(() => location.pathname).toBe('/c/older');
});

test('while nothing is known that is said, and that nothing was found only when the gateway has said so', async () => {
  const { asked, titles, find } = await list();
  await box.fill('quokka');
  expect(titles()).toEqual([]);
  expect(status()).toContain('Searching…');
  await expect.poll(() => asked).toEqual(['quokka']);
  expect(status()).toContain('Searching…');
  find();
  await expect.poll(status).toContain('Nothing found for “quokka”.');
  await box.fill('');
  await expect.poll(titles).toEqual(['Fix the drain']);
  expect(status()).toBe('');
});

test('an answer to words that are gone is nobody’s', async () => {
  const { asked, answers, titles, older } = await list();
  await box.fill('twice');
  await expect.poll(() => asked).toEqual(['twice']);
  await box.fill('fix');
  await expect.poll(() => asked).toEqual(['twice', 'fix']);
  answers[0]?.(Response.json({ sessions: [older] }));
  await painted();
  await painted();
  expect(titles()).toEqual(['Fix the drain']);
  answers[1]?.(Response.json({ sessions: [] }));
  await painted();
  expect(titles()).toEqual(['Fix the drain']);
});

test('one that was found and is deleted meanwhile leaves the list', async () => {
  const { gateway, page, asked, titles, find, older } = await list();
  await box.fill('twice');
  await expect.poll(() => asked).toHaveLength(1);
  find(older);
  await expect.poll(titles).toEqual(['Drain twice, long ago']);
  gateway.line.queue.push({ type: 'sessions', changed: [], removed: ['older'] });
  await page.arrive();
  await expect.poll(titles).toEqual([]);
  expect(status()).toContain('Nothing found');
});
