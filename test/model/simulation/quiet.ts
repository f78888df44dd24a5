import { nothingWaits } from './gateway.checks.ts';
import type { World } from './world.ts';

/** Turns that are open, by their sessions. */
export function runningOf(world: World): readonly { session: string; turn: string }[] {
  return [...world.disk.facts.keys()].flatMap((session) => {
    const open = world.check.reference(session)?.last.snapshot.context.open;
    return open ? [{ session, turn: open.id }] : [];
  });
}

/** Turns that are to be run again, by their sessions. */
export function retriesOf(world: World): readonly (readonly [session: string, turn: string])[] {
  return [...world.disk.facts.keys()].flatMap((session) => {
    const { retry } = world.check.reference(session)?.last.snapshot.context.queue ?? {};
    return retry === undefined ? [] : [[session, retry] as const];
  });
}

/** A session whose next turn is about to begin. */
export function isDraining(world: World): boolean {
  return [...world.disk.facts.keys()].some((session) => {
    const { value, context } = world.check.reference(session)?.last.snapshot ?? {};
    const { held, messages } = context?.queue ?? {};
    return (value === 'idle' || value === 'finalized') && !held && messages && messages.length > 0;
  });
}

export function isDelivered(world: World): boolean {
  return world.pages.every((page) => page.entries.every((entry) => entry.state === 'refused'));
}

/** What holds when all is quiet. */
export function judgeQuiet(world: World): void {
  const { watch, disk } = world;
  for (const { session, turn } of runningOf(world)) watch.breach('I1', `${session} ${turn} never ends`);
  for (const [session, facts] of disk.facts) {
    for (const job of world.check.reference(session)?.last.snapshot.context.jobs ?? []) {
      if (!job.outcome && !watch.hasRaced) watch.breach('I1', `${job.job} of ${session} is never settled`);
    }
    for (const what of nothingWaits(facts)) watch.breach('I3', `${session}: ${what}`);
    const last = facts.at(-1)?.seq;
    for (const page of world.pages) {
      const view = page.view(session);
      if (!view && !session.includes('.')) watch.breach('I6', `${page.name} does not show ${session}`);
      // A job that is over is not followed any more, also when its log is put back from a backup.
      const isOver = page.sessions.find(([id]) => id === session)?.[1].getSnapshot().status === 'done';
      if (view && !isOver && (view.seq !== last || view.epoch !== facts[0]?.epoch)) {
        watch.breach(
          'I6',
          `${page.name} stays at ${view.epoch}.${view.seq} of ${session}, its log is at ${last}`,
        );
      }
    }
  }
  for (const page of world.pages) {
    const state = page.link.getSnapshot().value;
    if (state !== 'live')
      watch.breach('link', `${page.name} is ${JSON.stringify(state)} although all is well`);
    for (const entry of page.entries) {
      if (entry.state !== 'refused')
        watch.breach('I9', `${page.name}: ${entry.kind} ${entry.id} is ${entry.state} for ever`);
    }
  }
  for (const { owner, entry } of world.browser.kept.values()) {
    const page = world.pages.find(({ life }) => life.name === owner);
    if (page && !page.entries.some(({ id }) => id === entry.id))
      watch.breach('I9', `${page.name} keeps ${entry.kind} ${entry.id}, and owes it no more`);
  }
  judgeMessages(world);
}

/** I9: each message that was asked is in its log, or back with its user. */
function judgeMessages(world: World): void {
  const { watch, disk } = world;
  if (watch.hits.has('step: restore')) return;
  for (const { id, session, isLost } of world.users.asked) {
    const facts = disk.facts.get(session);
    if (!facts || isLost) continue;
    const isThere = facts.some((fact) => {
      if (fact.type === 'job.attached') return fact.request.message.id === id;
      return 'message' in fact && (typeof fact.message === 'string' ? fact.message : fact.message?.id) === id;
    });
    const isBack = world.pages.some((page) => page.entries.some((entry) => entry.id === id));
    if (!isThere && !isBack)
      watch.breach('I9', `${id} of ${session} is neither in its log nor back with its user`);
    if (isThere && isBack) watch.breach('I9', `${id} of ${session} is in its log and was given back`);
  }
}
