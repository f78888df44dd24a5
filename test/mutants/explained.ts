/** Mutants of one file that no test has to find. */
export interface Explained {
  readonly file: string;
  /** Why nobody can see the difference, or why it does not matter. */
  readonly why: string;
  /** The line as the mutant has it, without indentation. One that survives nowhere is an error. */
  readonly mutants: readonly string[];
}

export const explained: readonly Explained[] = [
  {
    file: 'machines/closings.ts',
    why: 'It is asked of a turn that is open; the other half is for the compiler.',
    mutants: [
      'const turn = context.open?.id ?? "Stryker was here!";',
      'tools: (context.open?.tools ?? ["Stryker was here"]).map((toolCallId) => ({',
      "const turn = context.open.id ?? '';",
      'tools: (context.open.tools ?? []).map((toolCallId) => ({',
    ],
  },
  {
    file: 'machines/outbox.entries.ts',
    why: 'Neither of these texts is a cursor.',
    mutants: [
      'const at = parseCursor(cursor ?? "Stryker was here!");',
      'const answer = parseCursor(entry.cursor ?? "Stryker was here!");',
    ],
  },
  {
    file: 'machines/reduce.ts',
    why: 'No change, and a change of nothing, are the same where it is taken over.',
    mutants: ['default:'],
  },
  {
    file: 'machines/runner.setup.ts',
    why: 'A turn that is being stopped ends cancelled, whatever is said of its end.',
    mutants: [
      'settleKilled: assign({ settled: {} }),',
      'settleKilled: assign({ settled: { stopReason: "" } }),',
    ],
  },
  {
    file: 'machines/runner.machine.ts',
    why: 'No message is called so.',
    mutants: ['steered: ["Stryker was here"],'],
  },
  {
    file: 'machines/runner.machine.ts',
    why: 'The bound is for a fault of ours that would turn for ever; while there is none nobody meets it.',
    mutants: ['options: {},'],
  },
  {
    file: 'machines/runner.setup.ts',
    why: 'No message is called so.',
    mutants: ['steered: ["Stryker was here"],'],
  },
  {
    file: 'machines/session.setup.ts',
    why: 'It is for the compiler.',
    mutants: ['types: {},'],
  },
  {
    file: 'src/wire/think.ts',
    why: 'The beginning of a text is no code, so that neither of these is asked before it is set.',
    mutants: ['blank: false,', 'closing: true,'],
  },
  {
    file: 'machines/outputs.ts',
    why: 'These two write nothing, as nothing would be written without them: they are named so that no output is forgotten.',
    mutants: ['case "":', "case 'ended':"],
  },
  {
    file: 'machines/outputs.ts',
    why: 'No part is called "undefined": the first half is for the compiler.',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source.
    mutants: ['if (false || !this.#lengths.has(`${output.kind}:${part}`)) {'],
  },
  {
    file: 'machines/link.machine.ts',
    why: 'Types are for the compiler.',
    mutants: ['types: {},'],
  },
  {
    file: 'machines/directory.machine.ts',
    why: 'Types are for the compiler.',
    mutants: ['types: {},'],
  },
  {
    file: 'machines/orchestrator.machine.ts',
    why: 'Types are for the compiler.',
    mutants: ['types: {},'],
  },
  {
    file: 'machines/outbox.setup.ts',
    why: 'Types are for the compiler, and an entry is never sent before it was there.',
    mutants: ['types: {},', "if (after.state === 'sent' && before.state !== 'sent') {"],
  },
  {
    file: 'machines/outbox.setup.ts',
    why: 'What was not heard is asked again, and nobody is told in which words it failed.',
    mutants: ['throw new Error("");'],
  },
  {
    file: 'machines/outbox.machine.ts',
    why: 'No request is called so.',
    mutants: [
      'context: ({ input }) => ({ ...input, entries: [], done: ["Stryker was here"], unsaved: null }),',
    ],
  },
  {
    file: 'machines/directory.lines.ts',
    why: 'Its own values are those of no line: it stands for none.',
    mutants: [
      'export const endOfList: Place = {};',
      'export const endOfList: Place = { id: "Stryker was here!", updatedAt: 0 };',
    ],
  },
  {
    file: 'machines/directory.machine.ts',
    why: 'No session has such a name.',
    mutants: [
      'forget: assign({ touched: ["Stryker was here"], removed: [] }),',
      'forget: assign({ touched: [], removed: ["Stryker was here"] }),',
    ],
  },
  {
    file: 'machines/directory.machine.ts',
    why: 'They are forgotten on entry of the states in which they are noted.',
    mutants: ['touched: ["Stryker was here"],', 'removed: ["Stryker was here"],'],
  },
  {
    file: 'machines/directory.machine.ts',
    why: 'What is searched for is asked again, and nobody is told in which words it failed.',
    mutants: ['throw new Error("");'],
  },
  {
    file: 'machines/link.machine.ts',
    why: 'No other frame is taken before the greeting: the second look is for the compiler.',
    mutants: ['if (false) return;'],
  },
  {
    file: 'machines/earlier.machine.ts',
    why: 'Types are for the compiler.',
    mutants: ['types: {},'],
  },
  {
    file: 'src/wire/form.ts',
    why: 'For the compiler: a number has no list, and a text is no finite number either.',
    mutants: [
      'if (false) return undefined;',
      "return true ? numberProblem(field, value) : 'Give a number.';",
    ],
  },
  {
    file: 'src/wire/form.ts',
    why: 'A date with more behind it is none for the platform either.',
    mutants: ['const time = /^(\\d{4}-\\d{2}-\\d{2})T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})/i;'],
  },
];
