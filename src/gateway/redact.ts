const hidden = '[redacted]';

/** Hides secrets in what is logged. Pure but for `add`. */
export interface Redactor {
  /** Known secrets, and values that look like credentials, are replaced by `[redacted]`. */
  text(text: string): string;
  /** A copy of plain data: strings as by `text`, values of members that name a secret replaced as a whole. */
  value(value: unknown): unknown;
  /** A secret that became known later, such as the token of this start. */
  add(...secrets: string[]): void;
}

/** Shorter ones occur in ordinary words: hiding them would hide half of every log. */
const shortest = 4;

const secretName =
  /^(?:x-)?(?:.*[_-])?(?:api[_-]?key|apikey|access[_-]?token|refresh[_-]?token|id[_-]?token|token|secret|client[_-]?secret|password|passwd|authorization|cookie|set-cookie|credential|credentials|signature)$/i;

const patterns: readonly (readonly [RegExp, string])[] = [
  // Query and form parameters.
  [
    /([?&;\s]|^)((?:[\w.-]*[_-])?(?:api[_-]?key|token|secret|password|key|sig|signature))=([^&\s"'#;,]+)/gi,
    `$1$2=${hidden}`,
  ],
  // Headers, as lines or as JSON members. A scheme word stays: it helps, and is no secret.
  [
    /(\b(?:proxy-)?authorization["']?\s*[:=]\s*["']?)((?:bearer|basic|token|digest)\s+)?[^\s"',;}\]]+/gi,
    `$1$2${hidden}`,
  ],
  [/(\b(?:set-)?cookie["']?\s*:\s*["']?)[^"'\r\n}]+/gi, `$1${hidden}`],
  [
    /(["']?\b(?:[\w-]*[_-])?(?:api[_-]?key|apikey|(?:access|refresh|id|auth)?[_-]?token|secret|password)["']?\s*:\s*)(["']?)[^\s"',;}\]]+/gi,
    `$1$2${hidden}`,
  ],
  [/\b(bearer\s+)[\w.~+/=-]{8,}/gi, `$1${hidden}`],
  // The usual shapes of keys, wherever they stand.
  [/\b(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[abp]|hf|gsk)[-_][A-Za-z0-9_-]{12,}/g, hidden],
  [/\bAKIA[A-Z0-9]{16}\b|\bAIza[\w-]{30,}/g, hidden],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, hidden],
  // user:password@ in a URL.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]+@/gi, `$1${hidden}@`],
];

export function createRedactor(secrets: readonly string[] = []): Redactor {
  const known = new Set<string>();

  function add(...more: string[]): void {
    for (const secret of more) {
      if (secret.length < shortest) continue;
      // As it is, and as it stands in a URL, in JSON and in basic credentials.
      for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])
        known.add(form);
    }
  }

  function text(input: string): string {
    let output = input;
    // The longest first: one secret may be the beginning of another.
    for (const secret of [...known].sort((a, b) => b.length - a.length))
      output = output.replaceAll(secret, hidden);
    for (const [pattern, replacement] of patterns) output = output.replace(pattern, replacement);
    return output;
  }

  function value(input: unknown, seen: readonly object[] = []): unknown {
    if (typeof input === 'string') return text(input);
    if (typeof input !== 'object' || input === null) return input;
    if (seen.includes(input)) return '[circular]';
    const path = [...seen, input];
    if (Array.isArray(input)) return input.map((item) => value(item, path));
    if (input instanceof Error) {
      const { name, message, stack } = input;
      const own = value({ ...input }, path) as object;
      const cause = input.cause === undefined ? {} : { cause: value(input.cause, path) };
      return {
        ...own,
        ...cause,
        name,
        message: text(message),
        ...(stack !== undefined && { stack: text(stack) }),
      };
    }
    if ('toJSON' in input && typeof input.toJSON === 'function') return value(input.toJSON(), path);
    return Object.fromEntries(
      Object.entries(input).map(([key, item]) => [
        text(key),
        secretName.test(key) && item !== undefined && item !== null && typeof item !== 'boolean'
          ? hidden
          : value(item, path),
      ]),
    );
  }

  add(...secrets);
  return { text, value: (input) => value(input), add };
}
