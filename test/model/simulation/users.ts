import type { Ask } from '../../../machines/outbox.entries.ts';
import type { Page } from './page.ts';
import type { Scheduler } from './scheduler.ts';
import type { Step } from './steps.ts';
import type { Watch } from './watch.ts';

export interface Asked {
  readonly id: string;
  readonly session: string;
  readonly delivery: 'queue' | 'steer' | 'background';
  /** Dismissed by its user, or reloaded before the page could keep it: nobody owes it any more. */
  isLost: boolean;
}

type TabStep = Extract<Step, { readonly tab: number }>;

/** What users do at their pages: they act on what is shown there, which may be old by then. */
export class Users {
  readonly asked: Asked[] = [];
  readonly #scheduler: Scheduler;
  readonly #watch: Watch;
  readonly #page: (tab: number) => Page;

  constructor(scheduler: Scheduler, watch: Watch, page: (tab: number) => Page) {
    this.#scheduler = scheduler;
    this.#watch = watch;
    this.#page = page;
  }

  /** False when there was nothing to do it to. */
  do(step: Step): boolean {
    if (!('tab' in step)) return false;
    const page = this.#page(step.tab);
    if ('when' in step && step.when !== undefined) {
      page.when(step.when, () => this.#now(page, step));
      return true;
    }
    return this.#now(page, step);
  }

  /** As soon as the page is there again. */
  hastens({ id, tab }: TabStep, what: 'send' | 'stop message'): void {
    const more = { id, tab, after: 0, session: 0 } as const;
    if (what === 'send') this.do({ ...more, do: what, delivery: 'queue', times: 1 });
    else this.do({ ...more, do: what, pick: id });
  }

  #now(page: Page, step: TabStep): boolean {
    const session = 'session' in step ? `s${step.session}` : 's0';
    const view = page.view(session);
    const ask = (kind: Partial<Ask>) =>
      this.#ask(page, { id: `x${step.id}`, session, at: this.#scheduler.now, ...kind } as Ask);
    const pick = <T>(from: readonly T[]): T | undefined =>
      'pick' in step ? from[step.pick % from.length] : from[0];
    switch (step.do) {
      case 'send': {
        const id = `m${step.id}`;
        const { delivery } = step;
        this.asked.push({ id, session, delivery, isLost: false });
        const body = { content: [{ type: 'text' as const, text: id }], delivery };
        for (let i = 0; i < step.times; i++) ask({ id, kind: 'send', body });
        return true;
      }
      case 'send again': {
        const before = pick(this.asked);
        if (!before) return false;
        const { id, delivery } = before;
        this.#call(page.api.send(before.session, { id, delivery, content: [{ type: 'text', text: id }] }));
        return true;
      }
      case 'stop turn':
        if (!view?.open) return false;
        return ask({ kind: 'stop', body: { turn: view.open.id } });
      case 'stop message': {
        const before = pick(this.asked.filter((one) => one.session === session).slice(-3));
        return before !== undefined && ask({ kind: 'stop', body: { message: before.id } });
      }
      case 'stop old': {
        const turn = pick(view?.turns ?? []);
        return turn !== undefined && ask({ kind: 'stop', body: { turn: turn.id } });
      }
      case 'stop job': {
        const job = pick(view?.jobs.filter((one) => !one.outcome) ?? []);
        return job !== undefined && ask({ session: job.job, kind: 'stop', body: { job: job.job } });
      }
      case 'answer': {
        const asking = step.job ? (view?.jobs.find((one) => !one.outcome)?.job ?? session) : session;
        const permission = page.view(asking)?.permissions[0];
        if (!permission) return false;
        const gives = permission.form !== undefined && step.option === 'yes';
        // Values that do not fit are refused, and the question stays.
        const content = gives && { content: { name: step.id % 4 === 0 ? '' : 'n' } };
        ask({
          session: asking,
          kind: 'answer',
          body: { permission: permission.id, option: step.option, ...content },
        });
        if (!step.both) return true;
        const other = this.#page(1 - step.tab);
        const option = step.option === 'yes' ? 'no' : 'yes';
        const body = { permission: permission.id, option };
        return this.#ask(other, {
          id: `y${step.id}`,
          session: asking,
          at: this.#scheduler.now,
          kind: 'answer',
          body,
        });
      }
      case 'resume':
        return this.#call(page.api.resume(session));
      case 'rename':
        return this.#call(page.api.change(session, { title: `title ${step.pick}` }));
      case 'retry': {
        const last = view?.turns.at(-1);
        const soon = this.#scheduler.now + 400;
        const at = {
          now: undefined,
          later: last?.error?.until ?? soon,
          'much later': soon + 61_000,
          never: null,
        }[step.at];
        return last !== undefined && this.#call(page.api.retry(session, last.id, at));
      }
      case 'edit':
      case 'move':
      case 'remove': {
        const message = pick(view?.queue.messages ?? [])?.message.id;
        if (!view || message === undefined) return false;
        const { revision } = view.queue;
        const content = [{ type: 'text' as const, text: `${message} edited` }];
        if (step.do === 'edit')
          return this.#call(page.api.editQueue(session, { revision, edit: { message, content } }));
        if (step.do === 'remove')
          return this.#call(page.api.editQueue(session, { revision, remove: { message } }));
        return this.#call(page.api.editQueue(session, { revision, move: { message, to: step.to } }));
      }
      case 'dismiss': {
        const refused = page.entries.find((entry) => entry.state === 'refused');
        if (!refused) return false;
        for (const one of this.asked) if (one.id === refused.id) one.isLost = true;
        page.outbox.send({ type: 'dismiss', id: refused.id });
        return true;
      }
      case 'open':
        page.open(session);
        return true;
      case 'open unknown':
        // An address from another day: that job was deleted, or never was.
        page.open(`${session}.j9999`, 'job');
        return true;
      case 'half open':
        if (step.upon === 'nothing') return true;
        page.when('stale', () => this.#now(page, { ...step, do: step.upon } as TabStep));
        return true;
      case 'reconnect':
        page.link.send({ type: 'retry' });
        return true;
      case 'leave':
        page.release(session);
        return true;
      case 'delete':
        return this.#call(page.api.remove(session));
      default:
        return false;
    }
  }

  #ask(page: Page, ask: Ask): boolean {
    this.#watch.line('user', page.name, () => `${ask.kind} ${JSON.stringify(ask.body)} in ${ask.session}`);
    page.ask(ask);
    return true;
  }

  #call(call: Promise<unknown>): boolean {
    call.catch(() => {
      // The page would show why; the network has counted it.
    });
    return true;
  }
}
