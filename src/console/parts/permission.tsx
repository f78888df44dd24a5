import { createMemo, Index, Match, Show, Switch } from 'solid-js';
import { Dynamic } from 'solid-js/web';
import type { Form, FormContent } from '../../wire/form.schema.ts';
import type { PermissionPart } from '../../wire/turn.ts';
import { Ban, CircleCheck, CircleX, ExternalLink, Globe, ListTodo, ShieldQuestion } from '../icons.ts';
import { AnswerButton } from './answer-button.tsx';
import { GivenValues, QuestionForm } from './question-form.tsx';
import { Quoted } from './quoted.tsx';

const style = {
  allow_once: 'primary',
  allow_always: 'plain',
  reject_once: 'plain',
  reject_always: 'plain',
} as const;

/** The one that grants least comes first, whatever the agent begins with: a hasty Enter is no grant for ever. */
const order = Object.keys(style);

const kinds = {
  permission: { kicker: 'Permission needed', icon: ShieldQuestion },
  form: { kicker: 'Answer needed', icon: ListTodo },
  visit: { kicker: 'Visit needed', icon: Globe },
} as const;

/** `answering`: the option that was chosen and is not confirmed yet. */
export function Permission(props: {
  permission: PermissionPart;
  answering?: string | undefined;
  onAnswer: (option: string, content?: FormContent) => void;
}) {
  const chosen = () => props.permission.options.find((option) => option.optionId === props.permission.option);
  const kind = () => kinds[props.permission.form ? 'form' : props.permission.url ? 'visit' : 'permission'];
  const given = () => props.permission.form && props.permission.content && props.permission;
  const allowed = () => chosen()?.kind.startsWith('allow') ?? false;
  const inOrder = createMemo(() =>
    props.permission.options.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)),
  );
  const buttons = () => (
    <div class="permission-options">
      <Index each={inOrder()}>
        {(option) => (
          <AnswerButton
            option={option()}
            answering={props.answering}
            tone={style[option().kind]}
            onChoose={() => props.onAnswer(option().optionId)}
          />
        )}
      </Index>
    </div>
  );
  return (
    <section class="permission" data-state={props.permission.state} aria-label={props.permission.title}>
      <Switch>
        <Match when={props.permission.state === 'open'}>
          <div class="permission-ask">
            <Dynamic component={kind().icon} size={16} />
            <div>
              <p class="permission-kicker">{kind().kicker}</p>
              <p class="permission-title">
                <Quoted text={props.permission.title} />
              </p>
            </div>
          </div>
          <Show when={props.permission.url}>{(url) => <PageLink url={url()} />}</Show>
          <Show when={props.permission.form} fallback={buttons()}>
            {(form) => (
              <QuestionForm
                question={props.permission}
                form={form()}
                answering={props.answering}
                onAnswer={props.onAnswer}
              />
            )}
          </Show>
        </Match>
        <Match when={props.permission.state === 'answered'}>
          <p class="permission-line">
            <Show when={allowed()} fallback={<CircleX size={14} />}>
              <CircleCheck size={14} />
            </Show>
            <span class="permission-answer">
              {given() ? 'You answered' : `You chose “${chosen()?.name ?? props.permission.option}”`}
            </span>
            <span class="permission-about">
              <Quoted text={props.permission.title} />
            </span>
          </p>
          {/* To accept is to be willing: the page may still have to be opened. */}
          <Show when={allowed() && props.permission.url}>{(url) => <PageLink url={url()} />}</Show>
          <Show when={given()}>
            {(part) => <GivenValues form={part().form as Form} content={part().content ?? {}} />}
          </Show>
        </Match>
        <Match when={props.permission.state === 'withdrawn'}>
          <p class="permission-line">
            <Ban size={14} />
            <span class="permission-answer">No longer asked</span>
            <span class="permission-about">
              <Quoted text={props.permission.title} />
              {props.permission.reason ? ` (${props.permission.reason})` : ''}
            </span>
          </p>
        </Match>
      </Switch>
    </section>
  );
}

/** The whole address, so that it can be judged before it is opened; it opens only when it is clicked. */
function PageLink(props: { url: string }) {
  const host = () => (URL.canParse(props.url) ? new URL(props.url).host : '');
  return (
    <Show when={/^https?:\/\//i.test(props.url) && host() !== ''}>
      <p class="question-page">
        <a href={props.url} target="_blank" rel="noopener noreferrer">
          {props.url}
          <ExternalLink size={13} />
        </a>
        <small>Opens {host()} in a new tab</small>
      </p>
    </Show>
  );
}
