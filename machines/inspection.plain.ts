const longestText = 500;
const longestList = 50;
const deepest = 5;
/** Values in one event. */
const most = 300;

/** Any value as plain data that can be sent, cut to a size that can be read: an inspector looks, it does not store. */
export function plain(value: unknown): unknown {
  return cut(value, 0, { left: most });
}

function cut(value: unknown, depth: number, budget: { left: number }): unknown {
  budget.left -= 1;
  if (typeof value === 'string')
    return value.length > longestText ? `${value.slice(0, longestText)}…` : value;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Error) return `${value.name}: ${cut(value.message, depth, budget)}`;
  if (depth >= deepest || budget.left <= 0) return '…';
  if (Array.isArray(value)) {
    const items = value.slice(0, longestList).map((item) => cut(item, depth + 1, budget) ?? null);
    return value.length > longestList ? [...items, `… ${value.length - longestList} more`] : items;
  }
  const prototype = Object.getPrototypeOf(value);
  // Actors, handles and the like are no data.
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const entries = Object.entries(value)
    .slice(0, longestList)
    .map(([key, item]) => [key, cut(item, depth + 1, budget)] as const);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}
