import type { LinkRef } from '../../../machines/link.machine.ts';
import type { Kept, OrchestratorRef } from '../../../machines/orchestrator.machine.ts';
import type { SessionContext } from '../../../machines/session.ts';
import {
  goesUnmissed,
  isFollowed,
  leavesNoGap,
  liveIsHeard,
  mayGo,
  nothingForEver,
  oldestGoes,
} from './link.checks.ts';
import type { Watch } from './watch.ts';

interface Around {
  readonly page: string;
  readonly now: () => number;
  readonly watch: Watch;
  readonly link: LinkRef;
  readonly root: OrchestratorRef;
  readonly view: (session: string) => SessionContext | undefined;
}

/** Looks on while a page hears from its gateway. It is made before the page's actors hear of each other. */
export class Hearing {
  readonly #around: Around;
  #heardAt: number;
  /** The connection has lost something, and breaks soon. */
  #isLossy = false;
  #state: unknown;
  #socket: unknown;
  #since: number;
  /** Since it was greeted last. */
  #attempts = -1;
  #kept: Readonly<Record<string, Kept>> = {};
  /** Sessions that might have gone when it looked last. */
  #free: ReadonlySet<string> = new Set();
  readonly #forgotten = new Set<string>();

  constructor(around: Around) {
    const { link, now } = around;
    this.#around = around;
    this.#heardAt = now();
    this.#since = now();
    link.on('facts', ({ frame }) => {
      this.#say('I8', isFollowed('facts', frame.session, this.#follows(frame.session)));
      if (!around.watch.hasRaced && !this.#isLossy)
        this.#say('I6', leavesNoGap(frame, around.view(frame.session)));
    });
    link.on('resync', ({ session }) => {
      this.#say('I8', isFollowed('a resync', session, this.#follows(session)));
    });
    link.on('sessions', ({ removed }) => {
      for (const session of removed) this.#forgotten.add(session);
    });
    link.on('connected', () => {
      this.#isLossy = false;
      this.#attempts = -1;
    });
    link.subscribe(({ value, children }) => {
      // Dialled anew, it waits anew.
      if (value === this.#state && children.socket === this.#socket) return;
      if (value === 'reconnecting' && value !== this.#state) this.#attempts += 1;
      this.#socket = children.socket;
      this.#state = value;
      this.#since = now();
    });
  }

  heard(): void {
    this.#heardAt = this.#around.now();
  }

  lost(): void {
    this.#isLossy = true;
  }

  /** After each event of the world. */
  look(): void {
    const { link, now, root } = this.#around;
    const { heartbeatMs } = link.getSnapshot().context;
    this.#say('I13', liveIsHeard(this.#state, now() - this.#heardAt, heartbeatMs));
    this.#say('I13', nothingForEver(this.#state, now() - this.#since, this.#attempts, heartbeatMs));
    const { sessions } = root.getSnapshot().context;
    const [before, free] = [this.#kept, this.#free];
    this.#free = new Set(Object.keys(sessions).filter((session) => mayGo(sessions[session] as Kept)));
    if (sessions === before) return;
    this.#kept = sessions;
    // What has come to rest in this very moment was not there to be chosen.
    const left = Object.keys(sessions).flatMap((session) =>
      free.has(session) ? (sessions[session] as Kept) : [],
    );
    for (const [session, known] of Object.entries(before)) {
      if (sessions[session] || this.#forgotten.has(session)) continue;
      this.#say('C12', goesUnmissed(session, known));
      this.#say('C12', oldestGoes(session, known, left));
    }
    this.#forgotten.clear();
  }

  #follows(session: string): boolean {
    return this.#around.root.getSnapshot().context.sessions[session]?.ref.getSnapshot().status === 'active';
  }

  #say(invariant: string, found: readonly string[]): void {
    for (const what of found) this.#around.watch.breach(invariant, `${this.#around.page}: ${what}`);
  }
}
