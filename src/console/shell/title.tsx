import { Show } from 'solid-js';
import { createField, type Toggle } from '../lib/ui.ts';

const longest = 200;

function Editor(props: { title: string; onSave: (title: string) => void; onCancel: () => void }) {
  const text = createField(props.title);
  let left = false;
  const leave = (save: boolean) => {
    if (left) return;
    left = true;
    const title = text().trim();
    if (save && title !== '' && title !== props.title) props.onSave(title);
    else props.onCancel();
  };
  return (
    <input
      class="title-editor"
      type="text"
      aria-label="Name of the conversation"
      maxLength={longest}
      value={text()}
      ref={(input) =>
        queueMicrotask(() => {
          input.focus();
          input.select();
        })
      }
      onInput={(event) => text.set(event.currentTarget.value)}
      onBlur={() => leave(true)}
      onKeyDown={(event) => {
        if (event.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
        event.preventDefault();
        leave(event.key === 'Enter');
      }}
    />
  );
}

/** The name of what is shown; while `editing`, a field with it. */
export function Title(props: {
  title: string;
  editing: Toggle;
  /** Resolves when it is done or refused. */
  onRename: (title: string) => Promise<unknown>;
}) {
  const asked = createField<string | undefined>(undefined);
  const save = async (title: string) => {
    // Shown from here on, until the gateway has said it or refused it.
    asked.set(title);
    props.editing.set(false);
    await props.onRename(title);
    asked.set(undefined);
  };
  return (
    <Show when={props.editing()} fallback={<h1 title={asked() ?? props.title}>{asked() ?? props.title}</h1>}>
      <Editor title={props.title} onSave={save} onCancel={() => props.editing.set(false)} />
    </Show>
  );
}
