import { Match, Switch } from 'solid-js';
import { CircleAlert, Info, TriangleAlert } from '../icons.ts';

export function Notice(props: { level: 'info' | 'warning' | 'error'; text: string }) {
  return (
    <p class="notice" data-level={props.level}>
      <Switch>
        <Match when={props.level === 'info'}>
          <Info size={15} />
        </Match>
        <Match when={props.level === 'warning'}>
          <TriangleAlert size={15} />
        </Match>
        <Match when={props.level === 'error'}>
          <CircleAlert size={15} />
        </Match>
      </Switch>
      <span>{props.text}</span>
    </p>
  );
}
