import type { Failure } from '../../wire/content.ts';
import { askedWait, type Refusal, saidWait, untilWords } from '../usage.limit.ts';
import {
  Broken,
  codeOf,
  EndedEarly,
  messageOf,
  namesOf,
  refusalOf,
  ServerFailed,
  serverSaid,
  statusOf,
  WrongAnswer,
} from './errors.ts';
import type { ModelServer } from './options.ts';
import { shapeOf } from './providers.ts';

/** A server that wants a longer wait than this is not waited for: the person decides. */
export const longestWaitMs = 120_000;

/** What went wrong with one request, in words for a person, and whether asking again may help. */
export interface Fault extends Failure {
  readonly retry: boolean;
  /** Milliseconds that the server asks to wait. */
  readonly after?: number;
}

export interface Setting {
  readonly server: ModelServer;
  readonly model: string;
  readonly settingsFile: string | undefined;
  /** Milliseconds since 1970, for a Retry-After that is a date. */
  readonly now: number;
}

export function faultOf(error: unknown, setting: Setting): Fault {
  const fault = find(error, setting);
  return { ...fault, message: scrub(fault.message, setting.server) };
}

function find(error: unknown, setting: Setting): Fault {
  const { baseUrl } = setting.server;
  const status = error instanceof ServerFailed ? error.status : statusOf(error);
  if (status !== undefined && (status < 200 || status > 299)) return byStatus(status, error, setting);
  if (error instanceof ServerFailed) {
    return {
      code: 'model.failed',
      message: `The model server at ${baseUrl} failed: ${error.message}`,
      retry: error.retry,
    };
  }
  const names = namesOf(error);
  if (error instanceof EndedEarly)
    return endedEarly(`The answer from ${baseUrl} ended early, without a finish reason`);
  if (
    names.some((name) =>
      /JSONParse|TypeValidation|WrongAnswer|InvalidResponseData|EmptyResponseBody/.test(name),
    )
  ) {
    const detail =
      error instanceof WrongAnswer ? error.message : 'a part of its stream is not the JSON of an answer';
    const { api, ending } = shapeOf(setting.server);
    return {
      code: 'model.bad_answer',
      message: `The server at ${baseUrl} did not answer like a model server: ${detail}. Check that baseUrl is that of ${api} (it usually ends in ${ending}).`,
      retry: false,
    };
  }
  if (names.some((name) => name.includes('UnsupportedFunctionality'))) {
    return {
      code: 'model.unsupported_content',
      message: `This message cannot be sent to a model: ${messageOf(error)} Send it as text or as an image.`,
      retry: false,
    };
  }
  const code = codeOf(error);
  if (error instanceof Broken && !code?.endsWith('_TIMEOUT'))
    return endedEarly(`The connection to ${baseUrl} broke in the middle of the answer`);
  return byCode(code, error, setting);
}

function endedEarly(what: string): Fault {
  return {
    code: 'stream.ended_early',
    message: `${what}; what had come is kept. Retry asks again.`,
    retry: true,
  };
}

function byStatus(status: number, error: unknown, setting: Setting): Fault {
  const { server, model } = setting;
  const said = serverSaid(error);
  const detail = said ? ` It says: ${said}` : '';
  const at = `The model server at ${server.baseUrl}`;
  const refusal = refusalOf(error, said);
  const after = askedWait(refusal, setting.now);
  const limit = usageLimit(status, refusal, after, setting);
  if (limit) return limit;
  if (status === 401 || status === 403) {
    const how = server.apiKey ? 'Correct the key' : 'It wants a key: set one';
    return {
      code: 'model.unauthorized',
      message: `${at} refused the request (${status}). ${how}: ${whereKey(setting)}.${detail}`,
      retry: false,
    };
  }
  if (status === 402 || /insufficient_quota|billing/i.test(said ?? '')) {
    return {
      code: 'model.quota',
      message: `${at} refused the request (${status}): the account has no quota left.${detail}`,
      retry: false,
    };
  }
  if (status === 404) {
    const path = /\/v\d+\w*$/.test(server.baseUrl) ? '' : ` (try ${server.baseUrl}${shapeOf(server).ending})`;
    return {
      code: 'model.not_found',
      message: `${at} answered 404: either baseUrl is wrong${path}, or it has no model "${model}".${detail}`,
      retry: false,
    };
  }
  if (
    /context.{0,20}(length|window|size)|maximum context|too many tokens|prompt is too long/i.test(said ?? '')
  ) {
    return {
      code: 'model.context_exceeded',
      message: `The conversation is longer than the window of "${model}": set contextWindow for "${server.id}" to the model's real window${inFile(setting)}, or start a new conversation.${detail}`,
      retry: false,
    };
  }
  const wait = after === undefined ? {} : { after };
  if (status === 429)
    return {
      code: 'model.rate_limited',
      message: `${at} limits the rate of requests (429).${detail}`,
      retry: true,
      ...wait,
    };
  if (status === 408 || status === 409 || status === 425 || (status >= 500 && status !== 501)) {
    return {
      code: 'model.server_error',
      message: `${at} failed (${status}).${detail}`,
      retry: true,
      ...wait,
    };
  }
  return {
    code: 'model.bad_request',
    message: `${at} refused the request (${status}).${detail || ' It gave no reason.'}`,
    retry: false,
  };
}

/** Asking again soon is of no use: the account may go on at a time that the server names. */
function usageLimit(
  status: number,
  refusal: Refusal,
  after: number | undefined,
  { server, now }: Setting,
): Fault | undefined {
  const named = /usage[ _]limit/i.test(`${refusal.said} ${JSON.stringify(refusal.data)}`);
  const wait = after ?? saidWait(refusal.said, now);
  const far = status === 429 && wait !== undefined && wait > longestWaitMs;
  if (!far && !(named && status >= 400 && status < 500)) return undefined;
  const until =
    wait === undefined ? '; it does not say until when' : ` until ${untilWords(wait, now)}: retry then`;
  return {
    code: 'model.usage_limit',
    message: `The usage limit of the model server at ${server.baseUrl} is reached${until}.${refusal.said ? ` It says: ${refusal.said}` : ''}`,
    retry: false,
    ...(wait !== undefined && { until: now + wait }),
  };
}

function byCode(code: string | undefined, error: unknown, setting: Setting): Fault {
  const { server } = setting;
  const correct = `correct baseUrl for "${server.id}"${inFile(setting)}`;
  switch (code) {
    case 'ECONNREFUSED':
      return {
        code: 'model.unreachable',
        message: `Nothing answers at ${server.baseUrl} (connection refused): start the model server, or ${correct}.`,
        retry: false,
      };
    case 'ENOTFOUND':
      return {
        code: 'model.unknown_host',
        message: `There is no host ${host(server.baseUrl)}: ${correct}, or check the network.`,
        retry: false,
      };
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
      return {
        code: 'model.timeout',
        message: `The model server at ${server.baseUrl} sent nothing for 5 minutes.`,
        retry: false,
      };
    case undefined:
      return {
        code: 'model.failed',
        message: `The request to ${server.baseUrl} failed: ${messageOf(error)}`,
        retry: false,
      };
    default:
      if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code)) {
        return {
          code: 'model.tls',
          message: `The certificate or encryption of ${server.baseUrl} was not accepted (${code}): ${correct}, or name its authority in NODE_EXTRA_CA_CERTS.`,
          retry: false,
        };
      }
      return {
        code: 'model.unreachable',
        message: `The connection to ${server.baseUrl} failed (${code}): check the model server and the network, or ${correct}.`,
        retry: true,
      };
  }
}

/** What to set when a key is missing or wrong. */
function whereKey(setting: Setting): string {
  const { server } = setting;
  if (server.apiKeyEnv) return `the environment variable ${server.apiKeyEnv}`;
  const env = server.id === 'model' ? ', or SLUICE_MODEL_KEY' : '';
  return `apiKey or apiKeyEnv for "${server.id}"${inFile(setting)}${env}`;
}

function inFile(setting: Setting): string {
  return setting.settingsFile ? ` in ${setting.settingsFile}` : ' in the settings';
}

/** A server may repeat the key that it refuses. */
function scrub(message: string, server: ModelServer): string {
  const secrets = [server.apiKey, ...Object.values(server.headers ?? {})].flatMap(
    (secret) => secret?.reveal() ?? [],
  );
  return secrets
    .filter((secret) => secret.length >= 4)
    .reduce((text, secret) => text.replaceAll(secret, '[redacted]'), message);
}

function host(url: string): string {
  return new URL(url).hostname;
}
