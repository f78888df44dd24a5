import { type Accessor, createSignal, onCleanup } from 'solid-js';

/** Signals of the page itself: what is open, what is typed, what time it is. Never anything of a conversation. */

export interface Toggle {
  (): boolean;
  readonly set: (open: boolean) => void;
  readonly flip: () => void;
}

/** `initial` may be asked anew: what it says counts until the user has chosen. */
export function createToggle(initial: boolean | (() => boolean) = false): Toggle {
  const [chosen, choose] = createSignal<boolean>();
  const open = () => chosen() ?? (typeof initial === 'function' ? initial() : initial);
  return Object.assign(open, {
    set: (next: boolean) => void choose(next),
    flip: () => void choose(!open()),
  });
}

export interface Field<T> {
  (): T;
  readonly set: (value: T) => void;
}

export function createField<T>(initial: T): Field<T> {
  const [value, setValue] = createSignal<T>(initial);
  return Object.assign(() => value(), { set: (next: T) => void setValue(() => next) });
}

/** True while the page can be seen: its tab is chosen, its window is not minimized. */
export function createVisible(): Accessor<boolean> {
  const [visible, setVisible] = createSignal(document.visibilityState === 'visible');
  const look = () => void setVisible(document.visibilityState === 'visible');
  document.addEventListener('visibilitychange', look);
  onCleanup(() => document.removeEventListener('visibilitychange', look));
  return visible;
}

/** True while a media query holds. */
export function createMedia(query: string): Accessor<boolean> {
  const list = matchMedia(query);
  const [matches, setMatches] = createSignal(list.matches);
  const look = () => void setMatches(list.matches);
  list.addEventListener('change', look);
  onCleanup(() => list.removeEventListener('change', look));
  return matches;
}

const [now, setNow] = createSignal(Date.now());
let watchers = 0;
let ticking: ReturnType<typeof setInterval> | undefined;

/** The time, once a second, while somebody looks: one timer for the page. */
export function createNow(): Accessor<number> {
  setNow(Date.now());
  watchers++;
  ticking ??= setInterval(() => setNow(Date.now()), 1000);
  onCleanup(() => {
    if (--watchers > 0) return;
    clearInterval(ticking);
    ticking = undefined;
  });
  return now;
}

const drafts = new Map<string, Field<string>>();
const draftKey = (session: string) => `sluice.draft.${session}`;

/** What is typed but not sent, one for each conversation, kept over a reload. */
export function draftOf(session: string): Field<string> {
  const known = drafts.get(session);
  if (known) return known;
  const [text, setText] = createSignal(remembered(draftKey(session)) ?? '');
  const field: Field<string> = Object.assign(() => text(), {
    set(next: string) {
      setText(next);
      remember(draftKey(session), next === '' ? undefined : next);
    },
  });
  drafts.set(session, field);
  return field;
}

/** Local storage may be full or forbidden; the page works without it. */
export function remembered(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remember(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Nothing depends on it.
  }
}
