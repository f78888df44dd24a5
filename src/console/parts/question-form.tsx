import { createMemo, createUniqueId, For, Index, Show } from 'solid-js';
import type { Form, FormContent } from '../../wire/form.schema.ts';
import { formProblems, saidValue } from '../../wire/form.ts';
import type { PermissionPart } from '../../wire/turn.ts';
import { createToggle } from '../lib/ui.ts';
import { AnswerButton } from './answer-button.tsx';
import { contentOf, inputsOf } from './form.values.ts';
import { QuestionField } from './question-field.tsx';

/** The form of a question. What does not fit is said at its field when it is sent, and while it is mended. */
export function QuestionForm(props: {
  question: PermissionPart;
  form: Form;
  answering?: string | undefined;
  onAnswer: (option: string, content?: FormContent) => void;
}) {
  const id = createUniqueId();
  const inputs = () => inputsOf(props.question.id, props.form);
  const tried = createToggle();
  const content = createMemo(() => contentOf(props.form, inputs()()));
  const problems = createMemo(() => (tried() ? formProblems(props.form, content()) : {}));
  const names = createMemo(() => Object.keys(props.form.properties));
  const fieldId = (name: string) => `${id}-${names().indexOf(name)}`;
  const answer = (option: string, allows: boolean) => {
    if (!allows) return props.onAnswer(option);
    tried.set(true);
    const wrong = names().find((name) => Object.hasOwn(problems(), name));
    if (wrong === undefined) props.onAnswer(option, content());
    else document.getElementById(fieldId(wrong))?.focus();
  };
  const accept = () => props.question.options.find((option) => option.kind.startsWith('allow'));
  return (
    <form
      class="question-form"
      novalidate
      aria-label={props.form.title ?? props.question.title}
      aria-describedby={props.form.description ? `${id}-about` : undefined}
      onSubmit={(event) => {
        event.preventDefault();
        const option = accept();
        if (option) answer(option.optionId, true);
      }}
    >
      <Show when={props.form.title}>{(title) => <p class="question-title">{title()}</p>}</Show>
      <Show when={props.form.description}>
        {(about) => (
          <p class="question-about" id={`${id}-about`}>
            {about()}
          </p>
        )}
      </Show>
      <fieldset class="question-fields" disabled={props.answering !== undefined}>
        <For each={names()}>
          {(name) => (
            <Show when={props.form.properties[name]}>
              {(field) => (
                <QuestionField
                  id={fieldId(name)}
                  name={name}
                  field={field()}
                  required={props.form.required?.includes(name) ?? false}
                  input={inputs()()[name] ?? ''}
                  problem={problems()[name]}
                  onInput={(input) => inputs().set({ ...inputs()(), [name]: input })}
                />
              )}
            </Show>
          )}
        </For>
      </fieldset>
      <div class="permission-options">
        <Index each={props.question.options}>
          {(option) => {
            const submits = () => option().optionId === accept()?.optionId;
            const allows = () => option().kind.startsWith('allow');
            return (
              <AnswerButton
                option={option()}
                answering={props.answering}
                tone={submits() ? 'primary' : 'plain'}
                submits={submits()}
                onChoose={() => answer(option().optionId, allows())}
              />
            );
          }}
        </Index>
      </div>
    </form>
  );
}

/** What was given, to be read. */
export function GivenValues(props: { form: Form; content: FormContent }) {
  return (
    <dl class="question-given">
      <For each={Object.entries(props.content)}>
        {([name, value]) => (
          <div>
            <dt>{props.form.properties[name]?.title ?? name}</dt>
            <dd>{saidValue(props.form.properties[name], value)}</dd>
          </div>
        )}
      </For>
    </dl>
  );
}
