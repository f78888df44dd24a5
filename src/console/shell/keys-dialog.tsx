import * as Dialog from '@kobalte/core/dialog';
import { For } from 'solid-js';
import { X } from '../icons.ts';
import { keyName, type ShortcutId, shortcuts } from '../lib/shortcuts.ts';
import type { Toggle } from '../lib/ui.ts';

type Line = readonly [keys: readonly string[], about: string];

const of = (id: ShortcutId): Line => [shortcuts[id].keys, shortcuts[id].about];

const groups: readonly (readonly [title: string, lines: readonly Line[]])[] = [
  ['Everywhere', [of('new'), of('search'), of('previous'), of('next'), of('help')]],
  [
    'In a conversation',
    [
      of('compose'),
      [['Enter'], 'Send; queue it while a turn runs'],
      [['Shift', 'Enter'], 'New line'],
      [['Mod', 'Enter'], 'Run in the background'],
      [['/'], 'Commands of the agent'],
      of('stop'),
    ],
  ],
  [
    'In the queue',
    [
      [['Alt', '↑'], 'Move the message up'],
      [['Alt', '↓'], 'Move the message down'],
    ],
  ],
];

/** Every key that the page knows. */
export function KeysDialog(props: { open: Toggle }) {
  return (
    <Dialog.Root open={props.open()} onOpenChange={props.open.set}>
      <Dialog.Portal>
        <Dialog.Overlay class="dialog-overlay" />
        <div class="dialog-place">
          <Dialog.Content class="dialog">
            <header class="dialog-head">
              <Dialog.Title class="dialog-title">Keys</Dialog.Title>
              <Dialog.CloseButton class="icon-button" aria-label="Close">
                <X size={16} />
              </Dialog.CloseButton>
            </header>
            <div class="dialog-body keys">
              <For each={groups}>
                {([title, lines]) => (
                  <section>
                    <h3>{title}</h3>
                    <dl>
                      <For each={lines}>
                        {([keys, about]) => (
                          <div class="keys-line">
                            <dt>{about}</dt>
                            <dd>
                              <For each={keys}>{(key) => <kbd>{keyName(key)}</kbd>}</For>
                            </dd>
                          </div>
                        )}
                      </For>
                    </dl>
                  </section>
                )}
              </For>
            </div>
          </Dialog.Content>
        </div>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
