import { Match, Switch } from 'solid-js';
import { Check, Copy, X } from '../icons.ts';
import { copyText } from '../lib/clipboard.ts';
import { createField } from '../lib/ui.ts';

const shownMs = 1500;
const words = { ready: 'Copy the answer', copied: 'Copied', failed: 'Not copied' } as const;

/** Copies an answer as it was written, in Markdown. */
export function CopyButton(props: { text: () => string }) {
  const state = createField<keyof typeof words>('ready');
  const copy = async () => {
    state.set((await copyText(props.text())) ? 'copied' : 'failed');
    setTimeout(() => state.set('ready'), shownMs);
  };
  return (
    <button
      type="button"
      class="icon-button small"
      aria-label={words[state()]}
      title={words[state()]}
      onClick={copy}
    >
      <Switch fallback={<Copy size={13} />}>
        <Match when={state() === 'copied'}>
          <Check size={13} />
        </Match>
        <Match when={state() === 'failed'}>
          <X size={13} />
        </Match>
      </Switch>
    </button>
  );
}
