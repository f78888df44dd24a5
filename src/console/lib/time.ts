/** How long, in the fewest words: `4 s`, `2 min`, `1 h 5 min`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  const days = Math.floor(hours / 24);
  return days === 1 ? '1 day' : `${days} days`;
}

/** How long ago, for lists: `now`, `4 min`, `3 h`, then the date. */
export function ago(then: number, now: number): string {
  const ms = now - then;
  if (ms < 60_000) return 'now';
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`;
  return new Date(then).toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
}

let clock = { zone: Number.NaN, format: (_: number) => '' };

/** To make a format takes longer than to make a row; a new one is needed when this device has travelled. */
export function clockTime(at: number): string {
  const zone = new Date().getTimezoneOffset();
  if (zone !== clock.zone) {
    const { format } = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
    clock = { zone, format };
  }
  return clock.format(at);
}

/** A time to come: `15:00`, with its day when that is not today; up to the minute, never earlier than it is. */
export function dayTime(at: number, now: number): string {
  const time = Math.ceil(at / 60_000) * 60_000;
  if (new Date(time).toDateString() === new Date(now).toDateString()) return clockTime(time);
  const day = new Date(time).toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
  return `${day}, ${clockTime(time)}`;
}

const numbers = new Intl.NumberFormat('en');

export function count(n: number, one: string, many = `${one}s`): string {
  return `${numbers.format(n)} ${n === 1 ? one : many}`;
}
