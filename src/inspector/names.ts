import type { StateValue } from '../wire/inspect.ts';

/** The states that are active at the bottom of the chart, as paths: `pen.idle`, `work.engaged.silent`. */
export function leaves(value: StateValue | undefined, path = ''): readonly string[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [path + value];
  const regions = Object.entries(value);
  if (regions.length === 0) return path === '' ? [] : [path.slice(0, -1)];
  return regions.flatMap(([region, inner]) => {
    const below = leaves(inner, `${path}${region}.`);
    return below.length > 0 ? below : [path + region];
  });
}

/** Every active state of a machine with this id, the machine itself included, as XState names them. */
export function activeIds(machine: string, value: StateValue | undefined): ReadonlySet<string> {
  const ids = new Set([machine]);
  for (const leaf of leaves(value)) {
    const names = leaf.split('.');
    names.forEach((_, i) => {
      ids.add([machine, ...names.slice(0, i + 1)].join('.'));
    });
  }
  return ids;
}

export function stateText(value: StateValue | undefined): string {
  return leaves(value).join(' · ');
}

/** As `stateText`, without the regions that the states are in. */
export function shortStateText(value: StateValue | undefined): string {
  return leaves(value)
    .map((leaf) => leaf.split('.').at(-1))
    .join(' · ');
}

/** `xstate.after.backoff.session.opening` says `after backoff`. */
export function eventText(type: string, source = ''): string {
  if (type === '') return 'always';
  if (type === '*') return 'anything else';
  const after = /^xstate\.after\.(.+)$/.exec(type)?.[1];
  if (after !== undefined) {
    const delay =
      source !== '' && after.endsWith(`.${source}`)
        ? after.slice(0, -source.length - 1)
        : after.split('.')[0];
    return `after ${/^\d+$/.test(delay ?? '') ? `${delay} ms` : delay}`;
  }
  const [, end, actor] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type) ?? [];
  if (end !== undefined)
    return `${actor === '*' ? 'any actor' : actor} ${end === 'done' ? 'is done' : 'fails'}`;
  if (type.startsWith('xstate.done.state.')) return 'its states are done';
  return type.replace(/^xstate\./, '');
}

type Bag = { readonly type?: unknown } & Readonly<Record<string, unknown>>;

/** What an event carries, in a few words: the fact, the command, the output inside of it. */
export function aboutText(detail: unknown): string {
  const event = (detail ?? {}) as Bag;
  const inner = ['fact', 'command', 'frame', 'request'].map((key) => event[key] as Bag | undefined);
  const found = inner.find((value) => typeof value === 'object' && typeof value?.type === 'string');
  if (found) return String(found.type);
  const list = [event.drafts, event.outputs].find((value): value is Bag[] => Array.isArray(value));
  if (list) return counted(list.map((item) => String(item?.type)));
  const content = (event.message as { readonly content?: readonly Bag[] } | undefined)?.content;
  const what = 'seq' in event ? undefined : event.session;
  const said = [
    event.text,
    event.reason,
    event.outcome,
    event.mode,
    event.stage,
    content?.[0]?.text,
    event.title,
    what,
  ];
  return (said.find((value) => typeof value === 'string') as string | undefined) ?? '';
}

function counted(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count > 1 ? `${count} × ${name}` : name)).join(', ');
}

/** How long, in the fewest words: `4 s`, `2 min 5 s`, `1 h 5 min`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const time = new Intl.DateTimeFormat(undefined, {
  ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false },
  fractionalSecondDigits: 3,
});

export function clockTime(at: number): string {
  return time.format(at);
}
