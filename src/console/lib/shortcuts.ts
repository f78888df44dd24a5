import { onCleanup } from 'solid-js';

/** The commands of the page that have a key of their own. */
export type ShortcutId = 'help' | 'search' | 'new' | 'compose' | 'stop' | 'previous' | 'next';

interface Shortcut {
  readonly about: string;
  /** As people read them; `Mod` is Ctrl, or ⌘ on a Mac. */
  readonly keys: readonly string[];
  /** Also while something is being typed: only where the key writes nothing. */
  readonly inText: boolean;
  readonly matches: (event: KeyboardEvent) => boolean;
}

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** With Alt alone. On a Mac it makes other characters of the letters, so the key's place counts, too. */
const alt = (key: string) => (event: KeyboardEvent) =>
  event.altKey &&
  !event.ctrlKey &&
  !event.metaKey &&
  !event.shiftKey &&
  (event.key.toLowerCase() === key.toLowerCase() || (isMac && event.code === `Key${key.toUpperCase()}`));
const mod = (key: string) => (event: KeyboardEvent) =>
  (isMac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey) &&
  !event.altKey &&
  event.key.toLowerCase() === key;
const plain = (key: string) => (event: KeyboardEvent) =>
  event.key === key && !event.altKey && !event.ctrlKey && !event.metaKey;

export const shortcuts: Readonly<Record<ShortcutId, Shortcut>> = {
  new: { about: 'New conversation', keys: ['Alt', 'N'], inText: true, matches: alt('n') },
  search: { about: 'Search conversations', keys: ['Mod', 'K'], inText: true, matches: mod('k') },
  previous: { about: 'Previous conversation', keys: ['Alt', '↑'], inText: true, matches: alt('ArrowUp') },
  next: { about: 'Next conversation', keys: ['Alt', '↓'], inText: true, matches: alt('ArrowDown') },
  compose: { about: 'Go to the message box', keys: ['Alt', 'M'], inText: true, matches: alt('m') },
  stop: { about: 'Stop the running turn', keys: ['Esc'], inText: false, matches: plain('Escape') },
  help: { about: 'Show the keys', keys: ['?'], inText: false, matches: plain('?') },
};

/** The name of a key as this machine's keyboard has it. */
export function keyName(key: string): string {
  if (!isMac) return key === 'Mod' ? 'Ctrl' : key;
  return { Mod: '⌘', Alt: '⌥' }[key] ?? key;
}

const running = new Map<ShortcutId, (() => void)[]>();

/** What a command does for as long as the calling component is shown; the newest one is asked. */
export function onShortcut(id: ShortcutId, run: () => void): void {
  running.set(id, [...(running.get(id) ?? []), run]);
  onCleanup(() => {
    running.set(
      id,
      (running.get(id) ?? []).filter((one) => one !== run),
    );
  });
}

const writes = (target: EventTarget | null) =>
  target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null;
/** Dialogs and menus have keys of their own. */
const isCovered = () =>
  document.querySelector('[role=dialog], [role=alertdialog], [role=menu], [role=listbox]') !== null;

/** Runs the command of a key, unless somebody nearer to the focus has taken it. */
export function takeKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.repeat || isCovered()) return;
  for (const [id, shortcut] of Object.entries(shortcuts) as [ShortcutId, Shortcut][]) {
    if (!shortcut.matches(event) || (!shortcut.inText && writes(event.target))) continue;
    const run = running.get(id)?.at(-1);
    if (!run) continue;
    event.preventDefault();
    run();
    return;
  }
}
