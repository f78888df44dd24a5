import { z } from 'zod';
import type { McpServer } from '../agents/acp/mcp.ts';
import { secretsOf } from '../agents/acp/program.ts';
import { Secret } from '../agents/model/secret.ts';
import { url, variableName, withoutUndefined } from './settings.fields.ts';

/** A server of the Model Context Protocol, as the settings name it. */
export const mcpEntry = z
  .strictObject({
    name: z.string().min(1).max(200),
    command: z.array(z.string()).min(1, 'must name a program').optional(),
    env: z.record(z.string().regex(variableName), z.string()).optional(),
    url: url.optional(),
    type: z.enum(['http', 'sse']).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    default: z.boolean().optional(),
  })
  .refine((entry) => (entry.command === undefined) !== (entry.url === undefined), {
    error: 'must have either a command or a url',
  });

interface Parsed {
  readonly mcpServers?: readonly z.infer<typeof mcpEntry>[] | undefined;
}

export function mcpServersOf({ mcpServers = [] }: Parsed): McpServer[] {
  return mcpServers.map(
    ({ env, headers, default: byDefault, ...entry }) =>
      withoutUndefined({
        ...entry,
        byDefault,
        ...(env && { env: hidden(env) }),
        ...(headers && { headers: hidden(headers) }),
      }) as McpServer,
  );
}

export function mcpSecrets({ mcpServers = [] }: Parsed): string[] {
  return mcpServers.flatMap(({ env = {}, headers = {} }) => [...secretsOf(env), ...Object.values(headers)]);
}

/** Values that nothing shows. */
export function hidden(values: Readonly<Record<string, string>>): Record<string, Secret> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));
}
