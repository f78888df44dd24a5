import { Show } from 'solid-js';
import { Plus, Trash } from '../icons.ts';
import { createField, createToggle } from '../lib/ui.ts';
import type { AgentChoice } from '../view.ts';
import { DialogError } from './dialog-error.tsx';

/** Below the agents: one more, or one fewer. */
export function AgentActions(props: {
  /** The one that is chosen. */
  agent: AgentChoice | undefined;
  /** Gets the focus, as after the form that it opens. */
  focus: boolean;
  onAdd: () => void;
  /** Rejects with why it was not removed. */
  onRemove: (id: string) => Promise<void>;
}) {
  const asking = createField<string | undefined>(undefined);
  const removing = createToggle();
  const error = createField<string | undefined>(undefined);
  const added = () => (props.agent?.added ? props.agent : undefined);
  // The button that was pressed goes away: the focus must not go with it.
  let add: HTMLButtonElement | undefined;
  let offer: HTMLButtonElement | undefined;
  const keep = () => {
    asking.set(undefined);
    queueMicrotask(() => offer?.focus());
  };
  const remove = async (id: string) => {
    removing.set(true);
    error.set(undefined);
    try {
      await props.onRemove(id);
      asking.set(undefined);
      add?.focus();
    } catch (reason) {
      error.set(reason instanceof Error ? reason.message : String(reason));
      keep();
    } finally {
      removing.set(false);
    }
  };
  return (
    <div class="agent-actions">
      <button
        type="button"
        class="button small"
        ref={(button) => {
          add = button;
          if (props.focus) queueMicrotask(() => button.focus());
        }}
        onClick={props.onAdd}
      >
        <Plus size={13} />
        Add an agent…
      </button>
      <Show when={added()}>
        {(agent) => (
          <Show
            when={asking() === agent().id}
            fallback={
              <button
                type="button"
                class="button small"
                ref={(button) => {
                  offer = button;
                }}
                onClick={() => asking.set(agent().id)}
              >
                <Trash size={13} />
                Remove {agent().name}…
              </button>
            }
          >
            <button
              type="button"
              class="button small danger"
              disabled={removing()}
              ref={(button) => queueMicrotask(() => button.focus())}
              onClick={() => remove(agent().id)}
            >
              Remove it
            </button>
            <button type="button" class="button small" onClick={keep}>
              Keep it
            </button>
          </Show>
        )}
      </Show>
      <DialogError reason={error()} />
    </div>
  );
}
