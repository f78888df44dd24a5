import { createMemo, For, Match, Show, Switch } from 'solid-js';
import type { Part, Turn } from '../../wire/turn.ts';
import { sameList } from '../lib/equal.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { Steer, UserMessage } from '../parts/message.tsx';
import { Notice } from '../parts/notice.tsx';
import { Permission } from '../parts/permission.tsx';
import { Plan } from '../parts/plan.tsx';
import { Thought } from '../parts/thought.tsx';
import { Tool } from '../parts/tool.tsx';
import type { ThreadView } from '../view.ts';
import { StatusLine } from './status-line.tsx';

/** Ids of different kinds may be equal: a permission is often named after its tool call. */
const keyOf = (part: Part) =>
  `${part.type === 'text' || part.type === 'thought' ? 'prose' : part.type}:${part.id}`;

type Of<T extends Part['type']> = Part & { type: T };

/**
 * One part of a turn. Its kind never changes, so neither does its element; what changes is read through `part`.
 * `newest`: no other part follows, so text may still grow.
 */
function PartView(props: { part: Part; done: boolean; stopping: boolean; view: ThreadView }) {
  const is = <T extends Part['type']>(type: T) =>
    props.part.type === type ? (props.part as Of<T>) : undefined;
  return (
    <Switch>
      <Match when={is('text')}>
        {(part) => <Markdown text={part().text} revision={part().revision} done={props.done} />}
      </Match>
      <Match when={is('thought')}>
        {(part) => <Thought text={part().text} revision={part().revision} done={props.done} />}
      </Match>
      <Match when={is('tool')}>{(part) => <Tool tool={part()} stopping={props.stopping} />}</Match>
      <Match when={is('plan')}>{(part) => <Plan entries={part().entries} />}</Match>
      <Match when={is('permission')}>
        {(part) => (
          <Permission
            permission={part()}
            answering={props.view.answering(part().id)}
            onAnswer={(option, content) => props.view.onAnswer(part().id, option, content)}
          />
        )}
      </Match>
      <Match when={is('steer')}>
        {(part) => <Steer message={part().message} confirmed={part().confirmed} />}
      </Match>
      <Match when={is('notice')}>{(part) => <Notice level={part().level} text={part().text} />}</Match>
      <Match when={is('job')}>{(part) => props.view.jobRow(part().id)}</Match>
    </Switch>
  );
}

/** One turn: the user's message, what the agent did, and how it stands. Mounted once, for as long as it is shown. */
export function TurnRow(props: { turn: Turn; newest: boolean; view: ThreadView }) {
  const keys = createMemo(() => props.turn.parts.map(keyOf), undefined, { equals: sameList });
  const parts = createMemo(() => new Map(props.turn.parts.map((part) => [keyOf(part), part])));
  const ended = () => props.turn.outcome !== undefined;
  return (
    <article
      class="turn"
      data-turn={props.turn.id}
      data-open={ended() ? undefined : ''}
      aria-label={props.turn.origin === 'agent' ? 'Turn started by the agent' : 'Turn'}
    >
      <Show when={props.turn.message}>
        {(message) => <UserMessage message={message()} retry={props.turn.retryOf !== undefined} />}
      </Show>
      <Show when={props.turn.origin === 'agent'}>
        <p class="turn-origin">The agent went on by itself</p>
      </Show>
      <div class="turn-parts">
        <For each={keys()}>
          {(key) => {
            const first = parts().get(key) as Part;
            const part = createMemo(() => parts().get(key) ?? first);
            return (
              <PartView
                part={part()}
                done={ended()}
                stopping={props.turn.stopping !== undefined}
                view={props.view}
              />
            );
          }}
        </For>
      </div>
      <StatusLine turn={props.turn} newest={props.newest} view={props.view} />
    </article>
  );
}
