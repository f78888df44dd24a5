import { For, Match, Show, Switch } from 'solid-js';
import type { EarlierRef } from '../../../machines/earlier.machine.ts';
import type { EarlierSession } from '../../wire/snapshot.ts';
import { createSelector } from '../lib/select.ts';
import { ago } from '../lib/time.ts';
import { createNow } from '../lib/ui.ts';
import { Spinner } from '../parts/spinner.tsx';
import { DialogError } from './dialog-error.tsx';

/** The agent's own name is what one has when there is no title. */
const titleOf = (session: EarlierSession) => session.title ?? session.id;
const folderOf = (cwd: string) => cwd.split(/[\\/]/).filter(Boolean).at(-1) ?? cwd;

function Option(props: {
  session: EarlierSession;
  agentName: string;
  checked: boolean;
  now: number;
  onChoose: () => void;
}) {
  return (
    <label class="earlier-option">
      <input type="radio" name="earlier" checked={props.checked} onChange={props.onChoose} />
      <span class="earlier-title">{titleOf(props.session)}</span>
      <Show when={props.session.updatedAt}>
        {(at) => <time class="earlier-time">{ago(at(), props.now)}</time>}
      </Show>
      <span class="earlier-about" title={props.session.cwd}>
        {props.session.session === undefined ? folderOf(props.session.cwd) : 'Continued in Sluice already'}
      </span>
    </label>
  );
}

/** The earlier sessions of an agent's own, to choose one of. */
export function EarlierSessions(props: {
  earlier: EarlierRef;
  agentName: string;
  /** Its id. */
  chosen: string | undefined;
  onChoose: (session: EarlierSession) => void;
}) {
  const now = createNow();
  const state = createSelector(
    () => props.earlier,
    (snapshot) => snapshot.value,
  );
  const context = createSelector(
    () => props.earlier,
    (snapshot) => snapshot.context,
  );
  const isEmpty = () => context().sessions.length === 0;
  return (
    <div class="earlier">
      <Show when={!isEmpty()}>
        <div class="earlier-list" role="radiogroup" aria-label={`Earlier sessions of ${props.agentName}`}>
          <For each={context().sessions}>
            {(session) => (
              <Option
                session={session}
                agentName={props.agentName}
                checked={session.id === props.chosen}
                now={now()}
                onChoose={() => props.onChoose(session)}
              />
            )}
          </For>
        </div>
      </Show>
      <div role="status">
        <Switch>
          <Match when={state() === 'loading'}>
            <p class="dialog-note earlier-busy">
              <Spinner /> Starting {props.agentName} to ask for its sessions…
            </p>
          </Match>
          <Match when={state() === 'shown' && isEmpty()}>
            <p class="dialog-note">
              {context().ask.cwd === undefined
                ? `${props.agentName} names no earlier sessions. Some agents tell only those of one directory: name it above.`
                : `${props.agentName} has no earlier sessions in ${context().ask.cwd}.`}
            </p>
          </Match>
        </Switch>
      </div>
      <Show when={state() === 'failed'}>
        <DialogError reason={context().problem} />
        <button type="button" class="button small" onClick={() => props.earlier.send({ type: 'retry' })}>
          Ask again
        </button>
      </Show>
      <Show when={state() === 'shown' && context().next !== null}>
        <button type="button" class="button small" onClick={() => props.earlier.send({ type: 'more' })}>
          Show older ones
        </button>
      </Show>
    </div>
  );
}
