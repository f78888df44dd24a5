import { runnerGround } from './runner.setup.ts';
import { nothing, running } from './runner.work.ts';
import { turnOf } from './turn.logic.ts';

/**
 * The only writer of a session's log. The *pen* takes one decision at a time (decide on the committed
 * state, append, await, apply), the *work* owns the agent's side of the running turn, *retry* waits for a time. They meet in `wrote`: nothing
 * is done to the agent before the fact that says so is committed (I7).
 */
export const runnerMachine = runnerGround.createMachine({
  id: 'runner',
  // More steps at once than any number of waiting commands: a fault of ours fails instead of turning for ever.
  options: { maxIterations: 20_000 },
  context: ({ input }) => ({
    ...input,
    commands: [],
    outputs: [],
    later: [],
    settled: null,
    batch: nothing,
    how: 'prompt',
    polls: 0,
    stopOwed: false,
    closing: false,
    dropped: 0,
    steered: [],
  }),
  type: 'parallel',
  on: {
    output: { actions: 'receive' },
    'agent.steered': { actions: 'noteSteered' },
    leave: { actions: 'close' },
  },
  states: {
    pen: {
      initial: 'idle',
      on: { command: { actions: 'enqueue' } },
      states: {
        // Commands go before output, output before the end, and the drain is a step of its own, last (C46).
        idle: {
          always: [
            { guard: 'owesStop', actions: 'takeStop', target: 'deciding' },
            { guard: 'hasCommand', actions: 'takeCommand', target: 'deciding' },
            { guard: 'hasSteered', actions: 'takeSteered', target: 'deciding' },
            { guard: 'hasUrgentOutput', actions: 'takeOutput', target: 'deciding' },
            { guard: 'hasEnd', actions: 'takeEnd', target: 'deciding' },
            { guard: 'hasOutput', target: 'gathering' },
            { guard: 'hasDrain', actions: 'takeDrain', target: 'deciding' },
            { guard: 'hasRetry', actions: 'takeRetry', target: 'deciding' },
          ],
        },
        // Adjacent text is joined for a moment; everything else cuts the wait short.
        gathering: {
          after: { gather: { actions: 'takeOutput', target: 'deciding' } },
          always: [
            { guard: 'hasCommand', target: 'idle' },
            { guard: 'hasUrgentOutput', target: 'idle' },
          ],
        },
        deciding: {
          always: [
            { guard: 'hasDrafts', target: 'writing' },
            { actions: 'reply', target: 'idle' },
          ],
        },
        writing: {
          invoke: {
            id: 'append',
            src: 'append',
            input: ({ context }) => ({ batch: context.batch }),
            onDone: { actions: ['announce', 'reply'], target: 'idle' },
            onError: [
              { guard: 'isConflict', actions: ['giveBack', 'emitFenced', 'stopAgent'], target: 'fenced' },
              { guard: 'isUnlawful', actions: 'discard', target: 'blocked' },
              { actions: 'giveBack', target: 'blocked' },
            ],
          },
        },
        // The log cannot be written: commands are refused, output waits, the agent goes on; a stop reaches it all the same.
        blocked: {
          on: {
            command: [
              { guard: 'asksToStop', actions: ['refuseUnavailable', 'stopAgent'] },
              { actions: 'refuseUnavailable' },
            ],
          },
          after: { blocked: 'idle' },
        },
        // Another writer has this log: this one never writes again.
        fenced: { on: { command: { actions: 'refuseUnavailable' } } },
      },
    },
    // A turn that the user wants run again at a time: the log knows it, this only waits, also after a restart.
    retry: {
      initial: 'looking',
      states: {
        looking: { always: { guard: 'awaitsRetry', target: 'waiting' } },
        waiting: {
          on: { wrote: 'looking' },
          after: {
            retry: [{ guard: 'isRetryDue', target: 'due' }, { target: 'looking' }],
          },
        },
        due: { on: { wrote: 'looking' } },
      },
    },
    work: {
      initial: 'resting',
      on: { shutdown: { actions: ['close', 'settleInterrupted'], target: '.ending' } },
      states: {
        resting: {
          on: {
            // I3: the agent is prompted only after its turn is committed, and only here: no prompt is out.
            wrote: [
              { guard: 'startedByUser', target: 'engaged' },
              { guard: 'startedByAgent', actions: 'attend', target: 'engaged.attending' },
              { guard: 'stopping', actions: 'settleKilled', target: 'ending' },
            ],
            shutdown: { actions: 'close' },
          },
          initial: 'quiet',
          states: {
            quiet: { always: { guard: 'hasOpenTurn', target: 'abandoned' } },
            // I1: a turn that another gateway began ends, unless somebody goes on with it in time.
            abandoned: {
              on: {
                begin: [
                  {
                    guard: { type: 'begins', params: { how: 'prompt' } },
                    target: '#runner.work.engaged',
                  },
                  {
                    guard: 'beginsStopping',
                    actions: 'rejoin',
                    target: '#runner.work.engaged.cancelling',
                  },
                  {
                    guard: { type: 'begins', params: { how: 'reattach' } },
                    actions: ['rejoin', 'noteRejoin'],
                    target: '#runner.work.engaged.polling',
                  },
                  { actions: 'settleInterrupted', target: '#runner.work.ending' },
                ],
              },
              after: {
                stall: { actions: 'settleInterrupted', target: '#runner.work.ending' },
              },
            },
          },
        },
        engaged: {
          initial: 'prompting',
          invoke: {
            id: 'agent',
            src: 'agent',
            input: ({ context }) => {
              const { id, ref, stage } = running(context);
              return {
                turn: id,
                how: context.how,
                content: turnOf(ref).message?.content ?? [],
                stopping: stage !== undefined,
              };
            },
          },
          on: {
            'agent.settled': { guard: 'ofOpenTurn', actions: 'settle', target: 'ending' },
            wrote: [
              { guard: 'stopping', actions: ['tellAgent', 'tellCancel'], target: '.cancelling' },
              { guard: 'lostStream', target: '.polling' },
              { actions: 'tellAgent' },
            ],
            'stop.unwritten': { actions: ['oweStop', 'dropOutput', 'tellCancel'], target: '.cancelling' },
          },
          states: {
            prompting: {
              on: { output: { guard: 'ofOpenTurn', actions: 'receive', target: 'listening' } },
              after: { stall: { actions: 'noteSilent', target: 'silent' } },
            },
            // I13, A2: silence is shown with a clock; a tool that runs or a question that waits is no silence.
            listening: {
              on: { output: { guard: 'ofOpenTurn', actions: 'receive', target: 'listening', reenter: true } },
              after: {
                stall: [
                  { guard: 'isOccupied', target: 'listening', reenter: true },
                  { actions: 'noteSilent', target: 'silent' },
                ],
              },
            },
            silent: { on: { output: { guard: 'ofOpenTurn', actions: 'receive', target: 'listening' } } },
            // The stream is lost, or not joined yet: ask, with growing waits, until it is back or over.
            polling: {
              initial: 'waiting',
              on: {
                output: { guard: 'ofItsStream', actions: ['receive', 'noteStream'], target: 'listening' },
              },
              states: {
                waiting: {
                  after: {
                    poll: [
                      { guard: 'canPoll', target: 'asking' },
                      { actions: 'countPoll', target: 'waiting', reenter: true },
                    ],
                  },
                },
                asking: {
                  invoke: {
                    id: 'poll',
                    src: 'poll',
                    // Not asked without one.
                    input: ({ context }) => ({ handle: running(context).handle as string }),
                    onDone: [
                      { guard: 'pollRuns', actions: ['noteProgress', 'countPoll'], target: 'waiting' },
                      {
                        guard: 'pollStreams',
                        actions: 'noteStream',
                        target: '#runner.work.engaged.listening',
                      },
                      {
                        guard: 'pollEnds',
                        actions: 'settlePolled',
                        target: '#runner.work.ending',
                      },
                      { actions: 'settleUnknown', target: '#runner.work.ending' },
                    ],
                    // The agent's side could not be reached: that says nothing about the turn, ask again.
                    onError: { actions: 'countPoll', target: 'waiting' },
                  },
                },
              },
            },
            // A turn that the agent began by itself; it has no end of its own but quiet. A6: a call of it may never be told
            // to have ended: then a longer silence is its end too, or the queue would wait for ever.
            attending: {
              initial: 'near',
              on: { output: { guard: 'ofOpenTurn', actions: 'receive', target: 'attending' } },
              states: {
                near: {
                  after: {
                    quiet: [
                      { guard: 'isAsking', target: 'near', reenter: true },
                      { guard: 'isOccupied', target: 'working' },
                      { actions: 'settleQuiet', target: '#runner.work.ending' },
                    ],
                  },
                },
                working: { after: { stall: { actions: 'settleQuiet', target: '#runner.work.ending' } } },
              },
            },
            // I5: asked by the protocol, then SIGTERM, then SIGKILL of the process group, each bounded.
            cancelling: {
              initial: 'asked',
              // A stop that was owed is written now; the agent has been told already.
              on: { wrote: { actions: 'tellAgent' }, 'stop.unwritten': { actions: 'oweStop' } },
              states: {
                asked: { after: { cancel: 'terminated' } },
                terminated: {
                  entry: ['noteTerminated', 'tellTerminate'],
                  after: { terminate: 'killed' },
                },
                killed: {
                  entry: ['noteKilled', 'tellKill'],
                  after: { kill: { actions: 'settleKilled', target: '#runner.work.ending' } },
                },
              },
            },
          },
        },
        // The prompt has settled or its process is gone; closings and the end are being written.
        ending: {
          on: {
            wrote: { guard: 'ended', actions: 'forget', target: 'resting' },
            'stop.unwritten': { actions: 'oweStop' },
            // How the turn ended is known, only not written yet.
            shutdown: { actions: 'close' },
          },
        },
      },
    },
  },
});
