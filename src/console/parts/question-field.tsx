import { For, Match, Show, Switch } from 'solid-js';
import type { FormField } from '../../wire/form.schema.ts';
import { choicesOf } from '../../wire/form.ts';
import { controlOf, type Inputs, inputType } from './form.values.ts';

export interface QuestionFieldProps {
  /** Of this field on the page. */
  readonly id: string;
  readonly name: string;
  readonly field: FormField;
  readonly required: boolean;
  readonly input: Inputs[string];
  readonly problem: string | undefined;
  readonly onInput: (input: Inputs[string]) => void;
}

/** One value of a form, with the input of the browser that fits it. */
export function QuestionField(props: QuestionFieldProps) {
  const label = () => props.field.title ?? props.name;
  const control = () => controlOf(props.field, props.required);
  const choices = () => choicesOf(props.field) ?? [];
  const text = () => (typeof props.input === 'string' ? props.input : '');
  const list = () => (typeof props.input === 'object' ? props.input : []);
  const described = () =>
    [props.field.description && `${props.id}-about`, props.problem && `${props.id}-problem`]
      .filter(Boolean)
      .join(' ') || undefined;
  const shared = () => ({
    id: props.id,
    name: props.name,
    'aria-describedby': described(),
    'aria-invalid': props.problem ? ('true' as const) : undefined,
  });
  const required = () => (props.required ? 'true' : undefined);
  const Optional = () => (
    <Show when={!props.required}>
      <small> optional</small>
    </Show>
  );
  const About = () => (
    <>
      <Show when={props.field.description}>
        {(about) => (
          <p class="question-about" id={`${props.id}-about`}>
            {about()}
          </p>
        )}
      </Show>
      <Show when={props.problem}>
        {(problem) => (
          <p class="question-problem" id={`${props.id}-problem`}>
            {problem()}
          </p>
        )}
      </Show>
    </>
  );
  const group = () => (
    <fieldset
      class="question-field"
      aria-describedby={described()}
      aria-invalid={props.problem ? 'true' : undefined}
    >
      <legend>
        {label()}
        <Optional />
      </legend>
      <For each={choices()}>
        {(choice, index) => (
          <label class="question-choice">
            <input
              type={control() === 'radios' ? 'radio' : 'checkbox'}
              id={index() === 0 ? props.id : undefined}
              name={props.id}
              value={choice.const}
              checked={control() === 'radios' ? text() === choice.const : list().includes(choice.const)}
              onChange={(event) => {
                if (control() === 'radios') return props.onInput(choice.const);
                const rest = list().filter((one) => one !== choice.const);
                props.onInput(event.currentTarget.checked ? [...rest, choice.const] : rest);
              }}
            />
            <span>{choice.title}</span>
            <Show when={choice.description}>{(about) => <small>{about()}</small>}</Show>
          </label>
        )}
      </For>
      <About />
    </fieldset>
  );
  return (
    <Switch>
      <Match when={control() === 'checks' || control() === 'radios'}>{group()}</Match>
      <Match when={control() === 'check'}>
        <div class="question-field">
          <label class="question-choice">
            <input
              {...shared()}
              type="checkbox"
              checked={props.input === true}
              onChange={(event) => props.onInput(event.currentTarget.checked)}
            />
            <span>{label()}</span>
          </label>
          <About />
        </div>
      </Match>
      <Match when={control() === 'select'}>
        <div class="question-field">
          <label for={props.id}>
            {label()}
            <Optional />
          </label>
          <select
            {...shared()}
            aria-required={required()}
            onChange={(event) => props.onInput(event.currentTarget.value)}
          >
            <option value="" selected={text() === ''}>
              {props.required ? 'Choose …' : 'None'}
            </option>
            <For each={choices()}>
              {(choice) => (
                <option value={choice.const} selected={text() === choice.const}>
                  {choice.description ? `${choice.title}: ${choice.description}` : choice.title}
                </option>
              )}
            </For>
          </select>
          <About />
        </div>
      </Match>
      <Match when={control() === 'text'}>
        <div class="question-field">
          <label for={props.id}>
            {label()}
            <Optional />
          </label>
          <input
            {...shared()}
            aria-required={required()}
            type={inputType(props.field)}
            step={
              props.field.type === 'number'
                ? 'any'
                : inputType(props.field) === 'datetime-local'
                  ? '1'
                  : undefined
            }
            autocomplete="off"
            value={text()}
            onInput={({ currentTarget: input }) =>
              // What is no number yet is wrong, not empty.
              props.onInput(input.validity.badInput ? 'x' : input.value)
            }
          />
          <About />
        </div>
      </Match>
    </Switch>
  );
}
