import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { presets } from '../../src/agents/acp/presets.ts';
import { GatewayProcess } from '../support/process-gateway.ts';
import { realAgents } from './real/agents.ts';
import { outline } from './real/outline.ts';
import { transcripts } from './real/recording.ts';
import { scenarios } from './real/scenarios.ts';
import type { Behind, World } from './real/steps.ts';
import { Talk } from './real/talk.ts';
import { type Line, readTranscript } from './real/transcript.ts';

/** What stood behind the agent then: the driver's hand in it, as files that the replaying program sees. */
function behind(directory: string, lines: readonly Line[]): Behind {
  const gates = new Map<string, number>();
  let stops = 0;
  const written = async (name: string) => {
    while (!existsSync(join(directory, name))) await delay(10);
  };
  return {
    asked: () => undefined,
    async caughtUp() {
      stops += 1;
      const at = lines.findIndex((line) => 'mark' in line && line.mark === 'seen' && line.gate === stops);
      const seen = lines.slice(0, Math.max(at, 0)).some((line) => 'p' in line);
      if (seen) await written(`seen-${stops}`);
    },
    gate(scene) {
      const at = gates.get(scene) ?? gates.size;
      gates.set(scene, at);
      return {
        reached: written(`reached-${at}`),
        open: () => writeFileSync(join(directory, `open-${at}`), ''),
      };
    },
  };
}

const program = resolve(import.meta.dirname, 'real/replay.program.ts');
const files = readdirSync(transcripts).filter((file) => file.endsWith('.jsonl'));

describe.each(files)('recorded from a real agent: %s', (file) => {
  const path = join(transcripts, file);
  const { agent, name, version, scenes } = readTranscript(path);
  const home = mkdtempSync(join(tmpdir(), 'sluice-replay-'));
  const settings = join(home, 'settings.json');
  const gateway = new GatewayProcess(['--settings', settings]);
  const idOf = (index: number) => `${agent}-${index}`;

  beforeAll(async () => {
    const agents = scenes.map(({ scenario }, index) => {
      const directory = join(home, idOf(index));
      mkdirSync(directory);
      const command = [process.execPath, program, path, scenario, directory];
      // As the agent that is known by this name is logged in.
      const auth = presets.find(({ id }) => id === agent)?.auth;
      const login = auth !== undefined && { auth, env: { GEMINI_API_KEY: 'scripted' } };
      return { id: idOf(index), name, command, ...login };
    });
    writeFileSync(settings, JSON.stringify({ agents, stallAfterMs: 1000 }));
    await gateway.start();
  });
  afterAll(async () => {
    await gateway.remove();
    rmSync(home, { recursive: true, force: true });
  });

  it.each(scenes.map((scene, index) => ({ ...scene, index })))(
    `${name} ${version}: $scenario`,
    async ({ scenario: title, remark, rows, lines, index }) => {
      const scenario = scenarios.find((one) => one.name === title);
      if (!scenario) return expect.fail(`there is no scenario ${title} any more: record anew`);
      const directory = join(home, idOf(index));
      const mode = realAgents.find(({ id }) => id === agent)?.mode;
      const driven = { id: idOf(index), ...(mode !== undefined && { mode }) };
      const model = behind(directory, lines);
      const world: World = { agent: driven, gateway, model, real: false, patience: 1_000 };
      const talk = await Talk.begin(gateway, driven);
      const said = await scenario.run(world, talk).catch((error: unknown) => {
        const waits = join(directory, 'waits');
        throw new Error(`${String(error)}; ${existsSync(waits) ? readFileSync(waits, 'utf8') : ''}`);
      });
      expect(said).toBe(remark);
      talk.check();
      expect(outline(talk, { [gateway.root]: '{cwd}' })).toEqual(rows);
      await talk.leave();
    },
  );
});
