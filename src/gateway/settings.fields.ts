import { z } from 'zod';

/** What is wrong with the settings, where, and what to do. The file is never written. */
export class SettingsError extends Error {
  readonly file: string;
  constructor(file: string, message: string) {
    super(message);
    this.name = 'SettingsError';
    this.file = file;
  }
}

export const url = z
  .string('must be a URL such as http://127.0.0.1:11434/v1')
  .refine((text) => isHttp(text), 'must be a URL such as http://127.0.0.1:11434/v1')
  .refine(
    (text) => !isHttp(text) || !hasUser(text),
    'must not hold a user or password: use apiKey or headers',
  )
  .transform((text) => text.replace(/\/+$/, ''));
export const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;
export const variable = z.string().regex(variableName, 'must be the name of an environment variable');

export const agentId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'must be 1 to 64 letters, digits, and _ . - (not first)')
  .refine((id) => id !== 'builtin', 'must not be "builtin": that is the built-in agent');

export type Environment = Readonly<Record<string, string | undefined>>;

export function withoutUndefined(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

export function oneOf(values: readonly string[]): string {
  return `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

function isHttp(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function hasUser(text: string): boolean {
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}
