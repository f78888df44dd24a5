import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RealAgent } from './agents.ts';
import { clean } from './clean.ts';
import type { Cell } from './drive.ts';
import type { ScriptedModel } from './model.ts';
import { outline } from './outline.ts';
import type { Behind, Scenario } from './steps.ts';
import type { Talk } from './talk.ts';
import { type Line, type Recorded, readTranscript, writeTranscript } from './transcript.ts';

export const transcripts = resolve(import.meta.dirname, '../transcripts');

/** Scenarios in which several processes answer at once, or the gateway is killed: not to be played twice alike. */
const unrecorded = /two conversations|background job|earlier session|gateway killed/;

/** What one agent says on the wire, scene by scene. */
export class Recording {
  readonly #agent: RealAgent;
  readonly #directory: string;
  readonly #pointer: string;
  readonly #scenes: Recorded[] = [];
  readonly #gates = new Map<string, number>();
  #stops = 0;
  #file = '';
  #scenario = '';

  constructor(agent: RealAgent, directory: string) {
    this.#agent = agent;
    this.#directory = directory;
    this.#pointer = join(directory, 'now');
    mkdirSync(directory, { recursive: true });
  }

  /** What is started instead of the agent. */
  command(real: readonly string[]): string[] {
    return [process.execPath, join(import.meta.dirname, 'recorder.program.ts'), this.#pointer, ...real];
  }

  /** The model, with what the driver does to it written down. */
  behind(model: ScriptedModel): Behind {
    return {
      asked: (scene) => model.asked(scene),
      caughtUp: async () => {
        this.#stops += 1;
        appendFileSync(this.#file, `${JSON.stringify({ mark: 'seen', gate: this.#stops })}\n`);
      },
      gate: (scene) => {
        const at = this.#gates.get(scene) ?? this.#gates.size;
        this.#gates.set(scene, at);
        const gate = model.gate(scene);
        const file = this.#file;
        const mark = (mark: 'open' | 'reached') =>
          appendFileSync(file, `${JSON.stringify({ mark, gate: at })}\n`);
        return {
          reached: gate.reached.then(() => mark('reached')),
          open() {
            mark('open');
            gate.open();
          },
        };
      },
    };
  }

  begin({ name }: Scenario): void {
    this.#scenario = name;
    this.#gates.clear();
    this.#stops = 0;
    this.#file = join(this.#directory, `${this.#scenes.length}-${Date.now()}`);
    writeFileSync(this.#file, '');
    writeFileSync(this.#pointer, this.#file);
  }

  /** Keeps a scene that went well. `places`: paths of this machine, and what they are called instead. */
  end(talk: Talk, { mark, remark }: Cell, places: Readonly<Record<string, string>>): void {
    if (mark === 'FAILED' || unrecorded.test(this.#scenario)) return;
    const lines = readFileSync(this.#file, 'utf8').split('\n').filter(Boolean);
    const rows = outline(talk, places);
    this.#scenes.push({
      scenario: this.#scenario,
      ...(remark !== undefined && { remark }),
      rows,
      lines: clean(
        lines.map((line) => JSON.parse(line) as Line),
        places,
      ),
    });
  }

  /** Scenes that were not played anew stay as they were. */
  write(): void {
    const { id, name, version } = this.#agent;
    const file = join(transcripts, `${id}.jsonl`);
    const before = existsSync(file) ? readTranscript(file).scenes : [];
    const replaced = before.map((old) => this.#scenes.find((one) => one.scenario === old.scenario) ?? old);
    const fresh = this.#scenes.filter((one) => !replaced.includes(one));
    mkdirSync(transcripts, { recursive: true });
    writeTranscript(file, { agent: id, name, version, scenes: [...replaced, ...fresh] });
  }
}
