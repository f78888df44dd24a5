import { parseCursor } from '../../wire/cursor.ts';
import type { Fact } from '../../wire/facts.ts';
import type { Grade } from '../../wire/live.ts';
import type { Log } from '../log/log.ts';
import { Refusal } from '../refusal.ts';
import type { Sink, Subscription } from '../service.ts';
import type { OpenSession } from './session.ts';

const skipped = new Set(['text.added', 'thought.added', 'part.replaced', 'tool.updated']);

/**
 * Facts after a cursor: first the old ones at the reader's pace, then each as it is committed. `prev` of each frame is
 * the `seq` of the one before, whatever the grade leaves out.
 */
export async function subscribe(
  log: Log,
  session: OpenSession,
  after: string | undefined,
  grade: Grade,
  sink: Sink,
): Promise<Subscription> {
  // What is committed here and delivered to readers: read in the same moment in which this reader is added.
  const head = session.ref.getSnapshot().context;
  const cursor = `${head.epoch}.${head.seq}`;
  const from = after === undefined ? head : parseCursor(after);
  if (!from) throw new Refusal(400, 'cursor.malformed', `A cursor looks like ${cursor}.`);
  const nothing = { cursor, close: () => {} };
  if (from.epoch !== head.epoch && !(from.seq === 0 && from.epoch === '0')) {
    sink.resync('epoch');
    return nothing;
  }
  if (from.seq > head.seq) {
    sink.resync('ahead');
    return nothing;
  }

  let sent = from.seq;
  let open = true;
  let live = false;
  const waiting: (readonly Fact[])[] = [];
  const send = (facts: readonly Fact[]) => {
    const fresh = facts.filter((fact) => fact.seq > sent && (grade === 'live' || !skipped.has(fact.type)));
    const last = facts.at(-1);
    // A frame without facts moves the reader over those that its grade leaves out.
    if (!open || !last || last.seq <= sent) return;
    const prev = sent;
    sent = last.seq;
    return sink.facts({ epoch: head.epoch, prev, seq: last.seq, facts: fresh });
  };
  const read = (facts: readonly Fact[]) => {
    if (live) void send(facts);
    else waiting.push(facts);
  };
  const gone = () => {
    close();
    sink.resync('gone');
  };
  const close = () => {
    open = false;
    session.readers.delete(read);
    session.closers.delete(gone);
  };
  session.readers.add(read);
  session.closers.add(gone);

  const catchUp = async () => {
    for (let at = from.seq; open && at < head.seq; ) {
      const page = (await log.read(session.id, at, 500)).filter(
        (fact) => fact.seq <= head.seq,
      ) as readonly Fact[];
      if (page.length === 0) break;
      at = page.at(-1)?.seq ?? head.seq;
      await send(page);
    }
    while (waiting.length > 0) await send(waiting.shift() as readonly Fact[]);
    live = true;
  };
  catchUp().catch(() => {
    // The log could not be read: the reader starts anew.
    close();
    sink.resync('gap');
  });
  return { cursor, close };
}
