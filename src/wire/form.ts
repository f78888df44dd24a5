import type { Form, FormContent, FormField, FormValue } from './form.schema.ts';

export interface FieldChoice {
  readonly const: string;
  readonly title: string;
  readonly description?: string | undefined;
}

/** What can be chosen in a field; undefined where anything can be given. */
export function choicesOf(field: FormField): readonly FieldChoice[] | undefined {
  if (field.type === 'array') return listed(field);
  if (field.type !== 'string') return undefined;
  return field.oneOf ?? (field.enum && untitled(field.enum));
}

function listed({ items }: Of<'array'>): readonly FieldChoice[] {
  return 'anyOf' in items ? items.anyOf : untitled(items.enum);
}

function untitled(values: readonly string[]): readonly FieldChoice[] {
  return values.map((value) => ({ const: value, title: value }));
}

/** What is wrong with an answer, a sentence for each field by name; empty when it fits. Page and gateway ask the same. */
export function formProblems(form: Form, content: FormContent): Readonly<Record<string, string>> {
  const wrong = Object.entries(form.properties).flatMap(([name, field]): [string, string][] => {
    const value = Object.hasOwn(content, name) ? content[name] : undefined;
    const problem =
      value === undefined
        ? form.required?.includes(name)
          ? 'This is needed.'
          : undefined
        : problemOf(field, value);
    return problem === undefined ? [] : [[name, problem]];
  });
  const strange = Object.keys(content).filter((name) => !Object.hasOwn(form.properties, name));
  return Object.fromEntries([
    ...wrong,
    ...strange.map((name): [string, string] => [name, 'The form has no such field.']),
  ]);
}

function problemOf(field: FormField, value: FormValue): string | undefined {
  switch (field.type) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'Give true or false.';
    case 'array':
      return Array.isArray(value) ? listProblem(field, value) : 'Give a list.';
    case 'string':
      return typeof value === 'string' ? textProblem(field, value) : 'Give text.';
    default:
      return typeof value === 'number' ? numberProblem(field, value) : 'Give a number.';
  }
}

type Of<T extends FormField['type']> = Extract<FormField, { type: T }>;

function numberProblem(field: Of<'number' | 'integer'>, value: number): string | undefined {
  const { type, minimum = -Infinity, maximum = Infinity } = field;
  if (!Number.isFinite(value)) return 'Give a number.';
  if (type === 'integer' && !Number.isInteger(value)) return 'Give a whole number.';
  if (value < minimum) return `At least ${minimum}.`;
  if (value > maximum) return `At most ${maximum}.`;
  return undefined;
}

function listProblem(field: Of<'array'>, values: readonly string[]): string | undefined {
  const { minItems = 0, maxItems = Infinity } = field;
  const known = listed(field).map((choice) => choice.const);
  if (!values.every((value) => known.includes(value)) || new Set(values).size < values.length) {
    return 'Choose from the list, each once.';
  }
  if (values.length < minItems) return `Choose at least ${minItems}.`;
  if (values.length > maxItems) return `Choose at most ${maxItems}.`;
  return undefined;
}

function textProblem(field: Of<'string'>, value: string): string | undefined {
  const { minLength = 0, maxLength = Infinity, pattern, format } = field;
  const choices = choicesOf(field);
  if (choices) {
    return choices.some((choice) => choice.const === value) ? undefined : 'Choose one of the list.';
  }
  const { length } = [...value];
  if (length < minLength) return `At least ${characters(minLength)}.`;
  if (length > maxLength) return `At most ${characters(maxLength)}.`;
  if (format && !formats[format].fits(value)) return formats[format].wanted;
  if (pattern !== undefined && !matches(pattern, value)) return `It must match ${pattern}.`;
  return undefined;
}

function characters(count: number): string {
  return count === 1 ? '1 character' : `${count} characters`;
}

const time = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i;
const formats = {
  email: {
    fits: (value: string) => /^[^\s@]{1,200}@[^\s@]{1,200}$/.test(value),
    wanted: 'Give an e-mail address.',
  },
  uri: {
    fits: (value: string) => /^[a-z][a-z0-9+.-]{0,40}:\S+$/i.test(value),
    wanted: 'Give a whole address, such as https://example.org.',
  },
  date: { fits: isDate, wanted: 'Give a date, as 2025-12-31.' },
  'date-time': {
    fits: (value: string) => isDate(time.exec(value)?.[1] ?? '') && !Number.isNaN(Date.parse(value)),
    wanted: 'Give a date and a time, as 2025-12-31T18:00:00Z.',
  },
} as const;

/** A day that the calendar has: no 30 February. */
function isDate(value: string): boolean {
  return new Date(`${value}T00:00:00Z`).toJSON()?.slice(0, 10) === value;
}

/**
 * True also for a pattern that cannot be checked: one that is no expression, or that might take for ever (it comes from an
 * agent, and a gateway is not to stand still for it). The agent checks what it gets.
 */
function matches(pattern: string, value: string): boolean {
  const heavy = /[*+}?)|][^)]*\)[*+{]|\\[1-9]|\(\?[<=!]/;
  if (pattern.length > 200 || value.length > 200 || heavy.test(pattern)) return true;
  if ((pattern.match(/[*+{]/g)?.length ?? 0) > 3) return true;
  try {
    return new RegExp(pattern, 'u').test(value);
  } catch {
    return true;
  }
}

/** What stands in a form before anybody has changed it. */
export function initialContent(form: Form): FormContent {
  return Object.fromEntries(
    Object.entries(form.properties).flatMap(([name, field]): [string, FormValue][] =>
      field.default === undefined ? [] : [[name, field.default]],
    ),
  );
}

/** A value as a person reads it. */
export function saidValue(field: FormField | undefined, value: FormValue): string {
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  const titles = new Map((field && choicesOf(field))?.map((choice) => [choice.const, choice.title]));
  const said = (one: string) => titles.get(one) ?? one;
  return Array.isArray(value) ? value.map(said).join(', ') : said(String(value));
}
