import { Index, Match, Switch } from 'solid-js';
import type { PlanEntry } from '../../wire/content.ts';
import { Circle, CircleCheck, CircleDot, ListTodo } from '../icons.ts';

const words = { pending: 'to do', in_progress: 'under way', completed: 'done' } as const;

export function Plan(props: { entries: readonly PlanEntry[] }) {
  const done = () => props.entries.filter((entry) => entry.status === 'completed').length;
  return (
    <section class="plan" aria-label="Plan">
      <header>
        <ListTodo size={15} />
        <span>Plan</span>
        <span class="plan-count">
          {done()} of {props.entries.length} done
        </span>
      </header>
      <ol>
        <Index each={props.entries}>
          {(entry) => (
            <li data-status={entry().status}>
              <Switch>
                <Match when={entry().status === 'completed'}>
                  <CircleCheck size={15} />
                </Match>
                <Match when={entry().status === 'in_progress'}>
                  <CircleDot size={15} />
                </Match>
                <Match when={entry().status === 'pending'}>
                  <Circle size={15} />
                </Match>
              </Switch>
              <span>{entry().content}</span>
              <span class="visually-hidden">{words[entry().status]}</span>
            </li>
          )}
        </Index>
      </ol>
    </section>
  );
}
