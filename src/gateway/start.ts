import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AgentError } from '../agents/agent.ts';
import { connectors } from '../agents/registry.ts';
import type { StartFlags } from './cli.ts';
import type { DataDirectory } from './data.ts';
import { createGateway, type Gateway } from './gateway.ts';
import { LogCorrupt, LogTooNew } from './log/examine.ts';
import { LogUnavailable } from './log/log.ts';
import { rebuild } from './log/rebuild.ts';
import { SqliteLog } from './log/sqlite.log.ts';
import { createLogger } from './logger.ts';
import { createRedactor } from './redact.ts';
import { isEveryAddress, isLoopback } from './security/hosts.ts';
import { PortTaken, startServer } from './server.ts';
import { foldVersion, projectSession } from './sessions/project.ts';
import { readSnapshot } from './sessions/read.ts';
import { settingsAgents } from './settings.agents.ts';
import { SettingsError } from './settings.fields.ts';
import { loadSettings } from './settings.ts';

/** A start that cannot be; the message is for the person who asked for it. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

export interface Started {
  /** With the token. */
  readonly openUrl: string;
  readonly warnings: readonly string[];
  /** Marks what runs as interrupted and ends everything. False when it took longer than 10 s. */
  close(): Promise<boolean>;
  /** The last words before an unplanned end. */
  fatal(error: unknown): void;
  warn(message: string, error: unknown): void;
}

const closeMs = 10_000;

/** Puts all parts together: settings, log, agents, gateway, server. Throws a `StartError`. */
export async function start(flags: StartFlags, data: DataDirectory, version: string): Promise<Started> {
  try {
    return await assemble(flags, data, version);
  } catch (error) {
    throw explained(error, flags) ?? error;
  }
}

async function assemble(flags: StartFlags, data: DataDirectory, version: string): Promise<Started> {
  const settings = loadSettings({
    dataDir: data.path,
    env: process.env,
    ...(flags.settings !== undefined && { file: flags.settings }),
  });
  const redactor = createRedactor([data.token, ...settings.secrets]);
  const logger = createLogger(join(data.path, 'sluice.log'), flags.logLevel, redactor);
  const roots = rootsOf(flags, settings.roots);
  const warnings = [...settings.warnings, ...hostWarnings(flags)];
  for (const warning of warnings) logger.warn(warning);

  const opened = Promise.withResolvers<Gateway>();
  const server = await startServer({
    async open() {
      const gateway = await openGateway();
      opened.resolve(gateway);
      return gateway;
    },
    version,
    token: data.token,
    logger,
    pages: resolve(import.meta.dirname, '../../dist/console'),
    port: flags.port,
    otherPorts: flags.portIsExplicit ? 0 : 50,
    host: flags.host,
    allowHosts: flags.allowHosts,
  });
  const gateway = await opened.promise;
  data.setAddress(server.url);
  logger.info({ version, url: server.url, data: data.path, roots }, 'Sluice is running');
  return {
    openUrl: server.openUrl,
    warnings,
    async close() {
      server.refuseChanges();
      const all = gateway.close().then(() => server.close());
      const inTime = await Promise.race([all.then(() => true), delay(closeMs, false, { ref: false })]);
      logger.info({ inTime }, 'Sluice has stopped');
      data.release();
      return inTime;
    },
    fatal: (error) => logger.fatal({ err: error }, 'Sluice ends: an error that nobody handled'),
    warn: (message, error) => logger.warn({ err: error }, message),
  };

  async function openGateway(): Promise<Gateway> {
    const log = new SqliteLog(data.logFile, { foldVersion });
    if (log.needsRebuild) {
      const sessions = await rebuild(log, projectSession);
      logger.info({ sessions }, 'the projections were computed anew');
    }
    // A turn is joined again by its handle: what went on without one that is committed would work for nobody.
    const survivors = await data.processes.killSurvivors({
      wanted: async ({ session }) => {
        const turn = (await readSnapshot(log, session))?.turns.at(-1);
        return turn?.handle !== undefined && turn.outcome === undefined;
      },
    });
    if (survivors.length > 0) logger.warn({ survivors }, 'agents of an earlier run were found');
    const acp = { mcpServers: settings.mcpServers };
    const agents = settingsAgents({
      file: settings.file,
      added: settings.added,
      acp,
      hide: (...secrets) => redactor.add(...secrets),
    });
    return createGateway({
      log,
      agents,
      connectors: connectors({
        servers: settings.models,
        model: { settingsFile: settings.file },
        ...(settings.discover && { discover: settings.discover }),
        agents: settings.agents,
        acp,
        remote: settings.remote,
      }),
      roots,
      stateRoot: join(data.path, 'agents'),
      limits: { stall: settings.stallAfterMs },
      stallOf: settings.stallAfterMsOf,
      onProcess: (session, { pgid, command, mark, survives, ended }) => {
        data.processes.add({ session, pgid, command, survives, ...(mark !== undefined && { mark }) });
        void ended.then(() => data.processes.remove(pgid));
      },
      warn: (message, error) => logger.warn({ err: error }, message),
    });
  }
}

function rootsOf(flags: StartFlags, fromSettings: readonly string[]): readonly string[] {
  const named = [...flags.roots, ...fromSettings];
  for (const root of named) {
    const found = statSync(root, { throwIfNoEntry: false });
    if (!found?.isDirectory())
      throw new StartError(`The root ${root} is not a directory. Make it, or name another one.`);
  }
  return named.length > 0 ? named : [flags.base];
}

function hostWarnings({ host, allowHosts }: StartFlags): string[] {
  if (isLoopback(host)) return [];
  const names =
    isEveryAddress(host) && allowHosts.length === 0
      ? ' Other machines also need --allow-host with the name that they use.'
      : '';
  return [
    `Sluice listens on ${host}: whoever reaches it and has the token can run commands here, and the connection is not encrypted.${names}`,
  ];
}

function explained(error: unknown, { host, port }: StartFlags): StartError | undefined {
  const known = [PortTaken, SettingsError, LogTooNew, LogCorrupt, LogUnavailable];
  if (error instanceof Error && known.some((kind) => error instanceof kind)) {
    return new StartError(error.message, { cause: error });
  }
  // Of a start, these are all about the settings; the same id twice, say.
  if (error instanceof AgentError) return new StartError(error.message, { cause: error });
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== 'listen' && syscall !== 'getaddrinfo') return undefined;
  const reasons: Record<string, string> = {
    EACCES: `Port ${port} is reserved by the system. Choose one above 1023 with --port.`,
    EADDRNOTAVAIL: `This machine does not have the address ${host}. Name one of its own with --host.`,
    ENOTFOUND: `The host ${host} is not known. Name an address of this machine with --host.`,
  };
  const message = reasons[code ?? ''] ?? `Sluice cannot listen on ${host}:${port} (${code}).`;
  return new StartError(message, { cause: error });
}
