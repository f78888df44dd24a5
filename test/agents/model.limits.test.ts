import { describe, expect, test } from 'vitest';
import { saidWait, untilWords, withUntil } from '../../src/agents/usage.limit.ts';
import { answer } from '../support/model-server.ts';
import { bench, ended, retries, run, said } from './model.fixture.ts';

/** A local time, so that the tests hold in every zone. */
const now = new Date(2026, 10, 23, 14, 20, 30).getTime();
const minutes = (n: number) => n * 60_000;

describe('the time from which a server answers again', () => {
  test.each([
    ['Usage limit reached. Try again in 20 minutes.', minutes(20)],
    ['Rate limit reached for requests. Please try again in 7m12.5s.', minutes(7) + 12_500],
    ['limit: try again in 1h30m', minutes(90)],
    ['You can continue in 2 hours and 5 minutes', minutes(125)],
    ['Your usage limit is reached until 15:00', minutes(40) - 30_000],
    ['usage limit reached, resets at 3pm', minutes(40) - 30_000],
    ['You have hit your limit · resets 3pm (Europe/Berlin)', minutes(40) - 30_000],
    ['usage limit reached|1795446630', 1_795_446_630_000 - now],
    ['Your quota will reset after 1h2m10s.', minutes(62) + 10_000],
    ['usage limit reached, resets at 9:05 am', minutes(18 * 60 + 45) - 30_000],
    ['blocked until 2026-11-23 14:30', minutes(10) - 30_000],
    ['no time at all, after 30 requests', undefined],
    ['wait for 3 apples', undefined],
    [undefined, undefined],
  ])('in the words "%s"', (words, wait) => {
    expect(saidWait(words, now)).toBe(wait);
  });

  test('in the words of a zone', () => {
    expect(saidWait('until 2026-11-24T00:00:00Z', Date.UTC(2026, 10, 23, 23))).toBe(minutes(60));
    expect(saidWait('regain access on 2026-12-01 at 00:00 UTC.', Date.UTC(2026, 10, 30, 23))).toBe(
      minutes(60),
    );
    expect(saidWait('until 15:00 UTC', Date.UTC(2026, 10, 23, 14))).toBe(minutes(60));
  });

  test('is named as a local time, with its day when that is not today', () => {
    expect(untilWords(minutes(40) - 30_000, now)).toBe('15:00');
    // Never earlier than it is.
    expect(untilWords(minutes(40) - 29_000, now)).toBe('15:01');
    expect(untilWords(minutes(24 * 60), now)).toBe('24 November, 14:21');
  });
});

test('a limit that any agent reports gets its time; other failures, and other times, none', () => {
  const failure = (message: string) => withUntil({ code: 'agent.error', message }, now);
  expect(failure('Claude reports an error: You have hit your limit · resets 3pm (-32603)')).toMatchObject({
    until: now + minutes(40) - 30_000,
  });
  expect(failure('Codex reports an error: usage limit, try again in 50 minutes.').until).toBe(
    now + minutes(50),
  );
  expect(failure('It was killed after 30 seconds.').until).toBeUndefined();
  expect(failure('The usage limit is reached.').until).toBeUndefined();
});

describe('a usage limit', () => {
  const limits = [
    [
      'a far Retry-After',
      { headers: { 'retry-after': '3600' }, body: { error: { message: 'Slow down.' } } },
      60,
    ],
    [
      'the words of the server',
      { body: { error: { message: 'Usage limit reached, try again in 50 minutes' } } },
      50,
    ],
    [
      'a field of the answer',
      { body: { error: { type: 'usage_limit_reached', message: 'Limit.', resets_in_seconds: 1800 } } },
      30,
    ],
  ] as const;

  test.each(limits)(
    'that is told by %s ends the turn with its time, and a retry works then',
    async (_how, reply, after) => {
      const { session, clock, server } = await bench([{ status: 429, ...reply }, answer('here again')]);
      const outputs = await run(session, 'hi');
      expect(ended(outputs)).toMatchObject({
        stopReason: 'error',
        error: {
          code: 'model.usage_limit',
          until: clock.now() + minutes(after),
          message: expect.stringContaining(`until ${untilWords(minutes(after), clock.now())}: retry then`),
        },
      });
      expect(retries(outputs)).toEqual([]);
      expect(server.requests).toHaveLength(1);
      clock.advance(minutes(after));
      expect(said(await run(session, 'hi'))).toBe('here again');
      expect(server.requests[1]?.body?.messages).toHaveLength(1);
    },
  );

  test('that Anthropic tells as a bad request is one all the same', async () => {
    const message =
      'You have reached your specified API usage limits. You will regain access on 2099-12-01 at 00:00 UTC.';
    const body = { type: 'error', error: { type: 'invalid_request_error', message } };
    const { session } = await bench(
      [{ status: 400, body }],
      { provider: 'anthropic' },
      {},
      { shape: 'anthropic' },
    );
    const { error } = ended(await run(session, 'hi'));
    expect(error?.code).toBe('model.usage_limit');
    expect(error?.message).toMatch(/until (1 December|30 November|2 December), \d\d:\d\d: retry then/);
  });

  test('of which nobody says when it ends is said to be without a time', async () => {
    const { session } = await bench([{ status: 429, body: { error: { message: 'Usage limit exceeded' } } }]);
    expect(ended(await run(session, 'hi')).error).toMatchObject({
      code: 'model.usage_limit',
      message: expect.stringContaining('does not say until when'),
    });
  });

  test('of a minute is only a rate, and waited for', async () => {
    const { session, clock } = await bench([
      {
        status: 429,
        body: { error: { message: 'Too many requests', details: [{ retryDelay: '34s' }] } },
      },
      answer('now'),
    ]);
    const running = run(session, 'hi');
    await clock.sleeping(34_000);
    clock.advance(34_000);
    expect(said(await running)).toBe('now');
  });
});
