import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What the command line asks for. `wrong` is a sentence for the person who typed it. */
export type Command =
  | { readonly kind: 'help' | 'version' }
  | { readonly kind: 'wrong'; readonly message: string }
  | { readonly kind: 'start'; readonly start: StartFlags };

export interface StartFlags {
  readonly port: number;
  /** Given by the user: no other port will do. */
  readonly portIsExplicit: boolean;
  readonly host: string;
  readonly allowHosts: readonly string[];
  /** Absolute; undefined: the platform's place. */
  readonly data: string | undefined;
  /** Absolute, as given; empty: the settings' or `base`. */
  readonly roots: readonly string[];
  /** The directory of the start. */
  readonly base: string;
  readonly settings: string | undefined;
  readonly open: boolean;
  readonly logLevel: string;
}

const defaultPort = 4747;
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

export const help = `Usage: sluice [options]      (npm start -- [options])

Starts the gateway and prints the address of its page.

  --port N          Listen on port N; 0 for any free one. Default ${defaultPort}, or the next free one.
  --data DIR        Keep the log and the token in DIR.
  --root DIR        Let agents work in DIR and below. May be repeated; the first is where new conversations begin.
                    Default: the directory of the start.
  --settings FILE   Read the settings from FILE instead of settings.json in the data directory.
  --host ADDRESS    Listen on ADDRESS instead of 127.0.0.1. Others can then reach it: the token is all that keeps them out.
  --allow-host NAME Answer to NAME (or NAME:PORT) too. May be repeated.
  --open            Open the page in the browser.
  --log LEVEL       What goes to sluice.log in the data directory: ${logLevels.join(', ')}. Default info.
  --help            Show this.
  --version         Show the version.
`;

/** `base`: what relative paths are relative to. */
export function parseCommand(args: readonly string[], base: string): Command {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    // Node adds a hint about `--` after the first sentence.
    const reason = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    return wrong(reason);
  }
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };

  const port = values.port === undefined ? defaultPort : Number(values.port);
  if (!/^\d{1,5}$/.test(values.port ?? '0') || port > 65_535) {
    return wrong(`--port takes a number from 0 to 65535, not ${JSON.stringify(values.port)}`);
  }
  const empty = (['data', 'settings', 'host'] as const).find((name) => values[name]?.trim() === '');
  if (empty !== undefined || values.root?.includes('')) return wrong(`--${empty ?? 'root'} is empty`);
  const level = values.log ?? 'info';
  if (!logLevels.includes(level)) return wrong(`--log takes one of ${logLevels.join(', ')}, not ${level}`);
  const name = values['allow-host']?.find((host) => !/^([\w.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(host));
  if (name !== undefined)
    return wrong(`--allow-host takes a name such as box.local, not ${JSON.stringify(name)}`);

  return {
    kind: 'start',
    start: {
      port,
      portIsExplicit: values.port !== undefined,
      host: values.host ?? '127.0.0.1',
      allowHosts: values['allow-host'] ?? [],
      data: values.data === undefined ? undefined : resolve(base, values.data),
      roots: (values.root ?? []).map((root) => resolve(base, root)),
      base,
      settings: values.settings === undefined ? undefined : resolve(base, values.settings),
      open: values.open ?? false,
      logLevel: level,
    },
  };
}

function parse(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    allowPositionals: false,
    options: {
      port: { type: 'string' },
      data: { type: 'string' },
      root: { type: 'string', multiple: true },
      settings: { type: 'string' },
      host: { type: 'string' },
      'allow-host': { type: 'string', multiple: true },
      open: { type: 'boolean' },
      log: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
  return values;
}

function wrong(reason: string): Command {
  return { kind: 'wrong', message: `${reason.replace(/\.$/, '')}. See --help.` };
}
