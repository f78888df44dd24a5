import { createMemo, For, Show } from 'solid-js';
import type { Queue, QueuedMessage } from '../../wire/snapshot.ts';
import { ArrowDown, ArrowUp, Pause, Pencil, Play, Trash } from '../icons.ts';
import { sameList } from '../lib/equal.ts';
import { count } from '../lib/time.ts';
import { createField, type Field } from '../lib/ui.ts';
import { saidOf, textOf } from '../parts/message.tsx';
import { autosize } from './autosize.ts';

export interface QueueActions {
  readonly onEdit: (message: string, text: string) => void;
  readonly onRemove: (message: string) => void;
  readonly onMove: (message: string, to: number) => void;
  readonly onResume: () => void;
}

const heldWords: Readonly<Record<NonNullable<Queue['reason']>, string>> = {
  stopped: 'held, because you stopped the last turn',
  failed: 'held, because the last turn failed',
  edited: 'held, because you edited a message',
  interrupted: 'held, because the last turn was interrupted',
  limited: 'held until the usage limit is over',
};

function Editor(props: { text: string; onSave: (text: string) => void; onCancel: () => void }) {
  const text = createField(props.text);
  const save = () => (text().trim() === '' ? undefined : props.onSave(text()));
  return (
    <form
      class="queue-editor"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <textarea
        ref={(area) => {
          autosize(area);
          queueMicrotask(() => area.focus());
        }}
        aria-label="Edit the queued message"
        value={text()}
        onInput={(event) => text.set(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.isComposing) return;
          if (event.key === 'Escape') {
            event.stopPropagation();
            props.onCancel();
          } else if (event.key === 'Enter' && !event.shiftKey) {
            event.preventDefault();
            save();
          }
        }}
      />
      <button type="button" class="button small" onClick={props.onCancel}>
        Cancel
      </button>
      <button type="submit" class="button small primary" disabled={text().trim() === ''}>
        Save
      </button>
    </form>
  );
}

interface ItemProps extends QueueActions {
  readonly queued: QueuedMessage;
  readonly index: number;
  readonly length: number;
  readonly editing: Field<string>;
}

function Item(props: ItemProps) {
  const id = () => props.queued.message.id;
  const text = () => textOf(props.queued.message.content);
  const move = (to: number) => {
    if (to >= 0 && to < props.length) props.onMove(id(), to);
  };
  let edit: HTMLButtonElement | undefined;
  const leave = () => {
    props.editing.set('');
    queueMicrotask(() => edit?.focus());
  };
  return (
    <li
      class="queue-item"
      onKeyDown={(event) => {
        if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
        event.preventDefault();
        move(props.index + (event.key === 'ArrowUp' ? -1 : 1));
      }}
    >
      <Show
        when={props.editing() !== id()}
        fallback={
          <Editor
            text={saidOf(props.queued.message.content)}
            onCancel={leave}
            onSave={(next) => {
              if (next !== saidOf(props.queued.message.content)) props.onEdit(id(), next);
              leave();
            }}
          />
        }
      >
        <span class="queue-place" aria-hidden="true">
          {props.index + 1}
        </span>
        <p class="queue-text">
          <Show when={props.queued.delivery === 'steer'}>
            <span class="tag">steer</span>
          </Show>
          {text()}
        </p>
        <span class="queue-tools">
          <button
            type="button"
            class="icon-button"
            aria-label="Move up"
            title="Move up (Alt ↑)"
            disabled={props.index === 0}
            onClick={() => move(props.index - 1)}
          >
            <ArrowUp size={14} />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label="Move down"
            title="Move down (Alt ↓)"
            disabled={props.index === props.length - 1}
            onClick={() => move(props.index + 1)}
          >
            <ArrowDown size={14} />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label="Edit"
            title="Edit"
            ref={(button) => {
              edit = button;
            }}
            onClick={() => props.editing.set(id())}
          >
            <Pencil size={14} />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label="Remove"
            title="Remove"
            onClick={() => props.onRemove(id())}
          >
            <Trash size={14} />
          </button>
        </span>
      </Show>
    </li>
  );
}

/** What waits for the turn to end, in order, and why it waits longer when it does. */
export function QueueStrip(props: QueueActions & { queue: Queue }) {
  const editing = createField('');
  const ids = createMemo(() => props.queue.messages.map((queued) => queued.message.id), undefined, {
    equals: sameList,
  });
  const byId = createMemo(() => new Map(props.queue.messages.map((queued) => [queued.message.id, queued])));
  return (
    <Show when={ids().length > 0}>
      <section class="queue" data-held={props.queue.held ? '' : undefined} aria-label="Queue">
        <header class="queue-head">
          <Show when={props.queue.held}>
            <Pause size={13} />
          </Show>
          <p>
            {count(ids().length, 'message')} queued
            <Show when={props.queue.held}>
              <span class="queue-why">, {props.queue.reason ? heldWords[props.queue.reason] : 'held'}</span>
            </Show>
          </p>
          <Show when={props.queue.held}>
            <button type="button" class="button small" onClick={props.onResume}>
              <Play size={12} />
              Resume
            </button>
          </Show>
        </header>
        <ol class="queue-items">
          <For each={ids()}>
            {(id, index) => {
              const first = byId().get(id) as QueuedMessage;
              return (
                <Item
                  queued={byId().get(id) ?? first}
                  index={index()}
                  length={ids().length}
                  editing={editing}
                  onEdit={props.onEdit}
                  onRemove={props.onRemove}
                  onMove={props.onMove}
                  onResume={props.onResume}
                />
              );
            }}
          </For>
        </ol>
      </section>
    </Show>
  );
}
