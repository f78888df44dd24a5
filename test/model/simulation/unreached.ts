/** Transitions that no schedule can take, by what they read like, each with its reason. */
const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [
    / session\.opened /,
    'a gateway opens a session by its snapshot; the fact alone opens it in the law, which starts no actor',
  ],
  [/: opening -- \* /, 'what arrives while a session is read is not routed to it'],
  [/older\.loaded/, 'a schedule is shorter than the 50 turns that a snapshot carries'],
  [/isUnknownNext/, 'there is no newer version that would write other facts'],
  [
    /dispatching -- (tool\.updated|tool\.finished|tool\.refused|permission\.answered|permission\.withdrawn|part\.replaced)/,
    'its guard needs a part of the turn, and with the first part the turn streams',
  ],
  [/^job: .* (job\.attached|job\.settled|turn\.steered) /, 'a job has no jobs and no queue'],
  [/^job: idle -- turn\.started/, 'a job is opened with its turn in one append'],
  [/^job: .*\[isState\] --> closed/, 'a job is deleted with its conversation, and is not closed before'],
  [/^job: opening\.loading -- .*\[isState\] --> idle/, 'a job is opened with its turn in one append'],
  [
    /: \(any state\) -- \* \[gap\]/,
    'a page compares each frame with what it has before it routes its facts, and a gateway takes only its own commits',
  ],
  [/^runner: .*\[isUnlawful\]/, 'drafts that the law refuses are a fault of the runner, and break `law`'],
  [/^runner: pen\.fenced -- command/, 'a session that is fenced is closed in the same event'],
  [
    /^outbox: (delivering|waiting|resting) -- xstate\.error\.actor\.store/,
    'the store fails, if at all, as it starts, and the outbox restores then',
  ],
  [
    /^outbox: (waiting|resting) -- xstate\.(done|error)\.actor\.\*/,
    'a request is out, or its actor is stopped',
  ],
  [/^outbox: resting -- due/, 'a wait is taken back with its entry'],
  [/^outbox: waiting -- restore/, 'a new connection first wakes all that waits, and restores then'],
  [/^directory: .*(search|typing)/, 'no simulated user searches'],
  [/^directory: .*(more|paging)/, 'a world has fewer sessions than a page of the list'],
];

export function isUnreached(text: string): boolean {
  return reasons.some(([pattern]) => pattern.test(text));
}

/** Excuses for nothing: no transition reads like that. */
export function idleExcuses(texts: readonly string[]): readonly string[] {
  return reasons.filter(([pattern]) => !texts.some((text) => pattern.test(text))).map(([, reason]) => reason);
}
