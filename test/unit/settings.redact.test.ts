import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/agents/model/secret.ts';
import { createRedactor } from '../../src/gateway/redact.ts';

const { text, value } = createRedactor(['known/secret value', 'known']);

describe('redactor', () => {
  test.each([
    ['a known secret', 'before known/secret value after', 'before [redacted] after'],
    ['a known secret in a URL', 'x=known%2Fsecret%20value', 'x=[redacted]'],
    ['a query token', 'GET /?token=abc123&q=1 HTTP', 'GET /?token=[redacted]&q=1 HTTP'],
    [
      'several query values',
      'http://h/?api_key=a1&access_token=b2#c',
      'http://h/?api_key=[redacted]&access_token=[redacted]#c',
    ],
    ['a bearer header', 'Authorization: Bearer abc.def-1', 'Authorization: Bearer [redacted]'],
    ['a header without a scheme', 'authorization: abcdef', 'authorization: [redacted]'],
    [
      'a header in JSON',
      '{"authorization":"Bearer abc","a":1}',
      '{"authorization":"Bearer [redacted]","a":1}',
    ],
    ['a key header', 'x-api-key: abc, accept: text/html', 'x-api-key: [redacted], accept: text/html'],
    ['a key in JSON', '{"apiKey":"abc","model":"m"}', '{"apiKey":"[redacted]","model":"m"}'],
    ['a cookie', 'Cookie: sluice=abc; other=d', 'Cookie: [redacted]'],
    ['the shape of a key', 'Incorrect key sk-proj-abcdefghijklmnop.', 'Incorrect key [redacted].'],
    ['credentials in a URL', 'https://user:pass@host/path', 'https://[redacted]@host/path'],
  ])('hides %s', (_name, input, output) => {
    expect(text(input)).toBe(output);
  });

  test.each([
    'the token count is 12 tokens',
    'inputTokens: 12, outputTokens: 3',
    'GET /api/sessions?q=monkey&limit=5',
    'a task-oriented risk-averse desk',
    'http://127.0.0.1:4747/api',
    'const author = book.author',
  ])('leaves alone: %s', (input) => {
    expect(text(input)).toBe(input);
  });

  test('hides the values of members that name a secret, at any depth, and copies', () => {
    const input = {
      headers: { Authorization: 'Bearer x', accept: 'a' },
      list: [{ password: 'p', keyboard: 'k' }],
      usage: { inputTokens: 5 },
    };
    expect(value(input)).toEqual({
      headers: { Authorization: '[redacted]', accept: 'a' },
      list: [{ password: '[redacted]', keyboard: 'k' }],
      usage: { inputTokens: 5 },
    });
    expect(input.headers.Authorization).toBe('Bearer x');
  });

  test('hides secrets in errors and their causes', () => {
    const error = new Error('no known/secret value', { cause: new Error('?token=abc') });
    const shown = JSON.stringify(value(error));
    expect(shown).toContain('no [redacted]');
    expect(shown).toContain('?token=[redacted]');
    expect(shown).not.toMatch(/known|abc/);
  });

  test('survives a circle', () => {
    const circle: Record<string, unknown> = { a: 1 };
    circle.self = circle;
    expect(value(circle)).toEqual({ a: 1, self: '[circular]' });
  });

  test('takes secrets that become known later, and not the shortest', () => {
    const redactor = createRedactor(['abc']);
    expect(redactor.text('abc later')).toBe('abc later');
    redactor.add('later');
    expect(redactor.text('abc later')).toBe('abc [redacted]');
  });

  test('a Secret shows nothing of itself', () => {
    expect(value({ held: new Secret('hush') })).toEqual({ held: '[redacted]' });
  });
});
