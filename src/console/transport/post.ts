import { fromPromise } from 'xstate';
import type { Entry } from '../../../machines/outbox.entries.ts';
import type { Posted } from '../../../machines/outbox.setup.ts';
import type { Api } from './api.ts';

/** One request of the outbox. */
export function postLogic(api: Api) {
  return fromPromise<Posted, Entry>(async ({ input: entry, signal }) => {
    const { cursor } = await post(api, entry, signal);
    return { cursor };
  });
}

function post(api: Api, entry: Entry, signal: AbortSignal): Promise<{ readonly cursor: string }> {
  switch (entry.kind) {
    case 'send':
      return api.send(
        entry.session,
        { id: entry.id, ...entry.body, content: [...entry.body.content] },
        signal,
      );
    case 'stop':
      return 'job' in entry.body
        ? api.stopJob(entry.body.job, signal)
        : api.stop(entry.session, entry.body, signal);
    case 'answer': {
      const { permission, ...answer } = entry.body;
      return api.answer(entry.session, permission, answer, signal);
    }
  }
}
