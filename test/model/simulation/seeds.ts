/** Schedules that once broke an invariant, and a spread of others: played in every run. */
export const found: readonly (readonly [seed: string, what: string])[] = [
  ['4', 'I6: a page asks for a job that its parent has announced and that has no log yet'],
  ['8', 'I6: a page that reads a polled turn does not know why it is polled'],
  ['13', 'I3: an agent that cannot be told to stop is prompted again while it runs'],
  ['17', 'I6: a page that reads a turn does not know why its agent tries again'],
  ['39', 'I1: a turn that another gateway began is run by nobody, and cannot be stopped'],
  ['53', 'I6: a log that was put back is shown with the title that it had before'],
  ['63', 'I6: the time of a job in the list is that of the decision, not that of the commit'],
  ['73', 'I6: a snapshot that was read while the runner wrote holds a turn twice'],
  ['123', 'I5: an agent that outlives its gateway in the middle of a stop goes on'],
  ['147', 'I9: two gateways take in the same message'],
  ['1036', 'law: the ladder of a stop is written twice after a restart'],
  ['1275', 'I1: a job that ends while the log is full is never settled with its parent'],
  ['1306', 'close: the end of an agent that was killed is taken for that of the next one'],
  ['687365432', 'I3: an agent whose stream is lost while it is stopped is prompted again while it runs'],
  ['20146', 'I9: a stop of a session that was deleted is shown for ever'],
  ['20169', 'I6: a fact that is committed while a page subscribes never comes'],
  ['20651', 'timers: a gateway is closed before the agents of a deleted session are'],
  ['40027', 'I6: a session that is deleted while it is read is shown half'],
  ['510050495', 'timers: a gateway that closes opens the job that was just asked for, and nobody ends it'],
  ['510050700', 'I10: a page takes an older snapshot from a gateway that was overtaken'],
  ['510051356', 'I10: a page goes back and forth between two gateways that race'],
  ['910000465', 'I9: guidance that a page reads in a snapshot is given back beside it'],
  [
    '5200396',
    'I13: a message is on its way for ever, when its session is deleted before the page has read it',
  ],
  ['5300235', 'I6: a page that was opened without a network reads late, long after it is back'],
  ['77164', 'I9: a message of a session that is deleted before a page has read it is shown for ever'],
];

export const fixedSeeds: readonly string[] = [
  ...found.map(([seed]) => seed),
  ...Array.from({ length: 20 }, (_, i) => `fixed${i + 1}`),
  'fixed48',
  'fixed59',
  'fixed61',
];
