import { z } from 'zod';
import { type FactType, factSchemas } from '../../wire/facts.ts';
import { sessionsChanged } from './schemas.ts';

/** What the streams say, for the OpenAPI document. */
const resyncReason = z.enum(['epoch', 'ahead', 'slow', 'gone', 'gap']);
const cursor = z.string().describe('EPOCH.SEQ');

/** A type that is not listed here is of a newer version: keep it, skip it. */
const fact = z.union(Object.values(factSchemas) as [z.ZodObject, ...z.ZodObject[]]);

export const facts = Object.fromEntries(
  (Object.keys(factSchemas) as FactType[]).map((type) => [`fact.${type}`, factSchemas[type]]),
);

export const factPage = z.object({ facts: z.array(fact), cursor });
export const resync = z.object({ reason: resyncReason });

export const serverFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('hello'), version: z.string(), heartbeatMs: z.number() }),
  z.object({ type: z.literal('heartbeat'), at: z.number() }),
  z.object({ type: z.literal('pong') }),
  z.object({
    type: z.literal('facts'),
    session: z.string(),
    epoch: z.string(),
    prev: z.number().int(),
    seq: z.number().int(),
    facts: z.array(fact),
  }),
  z.object({ type: z.literal('subscribed'), session: z.string(), cursor }),
  z.object({ type: z.literal('resync'), session: z.string(), reason: resyncReason }),
  z.object({ type: z.literal('sessions'), ...sessionsChanged.shape }),
  z.object({
    type: z.literal('error'),
    session: z.string().optional(),
    code: z.string(),
    detail: z.string(),
  }),
]);

const standing = {
  status: z.enum(['active', 'done', 'error', 'stopped']),
  state: z.unknown().optional().describe('As XState names it; absent for actors without states'),
  counts: z.record(z.string(), z.number()).optional().describe('Facts ignored, unrouted; output dropped'),
  error: z.string().optional(),
};

export const inspectLine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('began'), at: z.number() }).describe('All actors follow, anew'),
  z.object({
    type: z.literal('actor'),
    id: z.string(),
    parent: z.string().optional(),
    machine: z.string(),
    session: z.string().optional(),
    title: z.string().optional(),
    at: z.number(),
    since: z.number().optional(),
    ...standing,
  }),
  z.object({
    type: z.literal('event'),
    id: z.string(),
    event: z.string(),
    detail: z.unknown().optional(),
    at: z.number(),
    taken: z.boolean().optional().describe('False: it had no transition'),
    transitions: z.array(z.string()).optional(),
    ...standing,
  }),
  z.object({ type: z.literal('stopped'), id: z.string(), at: z.number() }),
]);
