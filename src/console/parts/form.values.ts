import type { Form, FormContent, FormField, FormValue } from '../../wire/form.schema.ts';
import { choicesOf, initialContent } from '../../wire/form.ts';
import { createField, type Field } from '../lib/ui.ts';

/** What stands in the inputs of a form, as inputs hold it. */
export type Inputs = Readonly<Record<string, string | boolean | readonly string[]>>;

const drafts = new Map<string, Field<Inputs>>();

/** What is filled in but not sent, one for each question: it outlives the row that shows it. */
export function inputsOf(question: string, form: Form): Field<Inputs> {
  const field = drafts.get(question) ?? createField(initialInputs(form));
  drafts.set(question, field);
  return field;
}

function initialInputs(form: Form): Inputs {
  const given = initialContent(form);
  return Object.fromEntries(
    Object.entries(form.properties).map(([name, field]) => [name, inputOf(field, given[name])]),
  );
}

function inputOf(field: FormField, value: FormValue | undefined): Inputs[string] {
  if (field.type === 'boolean') return value === true;
  if (field.type === 'array') return Array.isArray(value) ? value : [];
  if (field.type === 'string' && field.format === 'date-time') return localTime(String(value ?? ''));
  return String(value ?? '');
}

/** The values to send. What was left empty is left out. */
export function contentOf(form: Form, inputs: Inputs): FormContent {
  return Object.fromEntries(
    Object.entries(form.properties).flatMap(([name, field]): [string, FormValue][] => {
      const value = fieldValue(field, inputs[name] ?? '', form.required?.includes(name) ?? false);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function fieldValue(field: FormField, input: Inputs[string], required: boolean): FormValue | undefined {
  if (typeof input === 'boolean') return input;
  if (typeof input !== 'string') return input.length > 0 || required ? input : undefined;
  if (input === '') return undefined;
  if (field.type === 'number' || field.type === 'integer') return Number(input);
  return field.type === 'string' && field.format === 'date-time' ? instant(input) : input;
}

/** From the time of this place to one that is true everywhere. */
function instant(local: string): string {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? local : at.toISOString();
}

function localTime(value: string): string {
  const at = new Date(value);
  if (Number.isNaN(at.getTime())) return '';
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** How a field is filled in. */
export function controlOf(
  field: FormField,
  required: boolean,
): 'check' | 'checks' | 'radios' | 'select' | 'text' {
  if (field.type === 'boolean') return 'check';
  if (field.type === 'array') return 'checks';
  const choices = choicesOf(field);
  if (!choices) return 'text';
  // A choice of radio buttons cannot be taken back.
  return required && choices.length <= 5 ? 'radios' : 'select';
}

const formats = { email: 'email', uri: 'url', date: 'date', 'date-time': 'datetime-local' } as const;

export function inputType(field: FormField): string {
  if (field.type === 'number' || field.type === 'integer') return 'number';
  return field.type === 'string' && field.format ? formats[field.format] : 'text';
}
