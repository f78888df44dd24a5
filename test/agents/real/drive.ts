import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayProcess } from '../../support/process-gateway.ts';
import type { RealAgent } from './agents.ts';
import { ScriptedModel } from './model.ts';
import { Recording } from './recording.ts';
import type { Scenario, World } from './steps.ts';
import { Talk } from './talk.ts';

/** `agent`: it did something odd by itself, and the remark says what the user sees then. */
export interface Cell {
  readonly mark: 'ok' | 'agent' | 'FAILED';
  readonly remark?: string;
  readonly seconds: number;
}

export interface DriveOptions {
  /** Where agents are installed. */
  readonly into: string;
  readonly scenarios: readonly Scenario[];
  readonly record: boolean;
  readonly say: (line: string) => void;
}

/** Plays the scenarios with one agent: in one conversation after the other, or each in its own when it is recorded. */
export async function drive(agent: RealAgent, options: DriveOptions): Promise<Cell[]> {
  const home = mkdtempSync(join(tmpdir(), `sluice-${agent.id}-`));
  const model = new ScriptedModel();
  await model.start();
  const env = agent.home(home, model.urls);
  const [program = '', ...rest] = agent.command;
  const real = [join(options.into, agent.id, 'node_modules', '.bin', program), ...rest];
  const settings = join(home, 'settings.json');
  const gateway = new GatewayProcess(['--settings', settings]);
  const recording = options.record ? new Recording(agent, join(home, 'recorded')) : undefined;
  const entry = { id: agent.id, name: agent.name, command: recording?.command(real) ?? real, env };
  writeFileSync(settings, JSON.stringify({ agents: [entry], stallAfterMs: 3000 }), { mode: 0o600 });
  await gateway.start();
  model.directory = gateway.root;
  const world: World = {
    agent,
    gateway,
    model: recording?.behind(model) ?? model,
    real: true,
    patience: 5_000,
  };
  const cells: Cell[] = [];
  let talk: Talk | undefined;
  try {
    for (const scenario of options.scenarios) {
      const began = Date.now();
      // A scenario that failed may have left none running.
      await gateway.call('GET', '/api/health').catch(() => gateway.start());
      if (talk && (scenario.alone || recording)) talk = await talk.leave();
      recording?.begin(scenario);
      talk ??= await Talk.begin(gateway, agent);
      talk.turnPage();
      const result = await play(scenario, world, talk);
      const cell = { ...result, seconds: (Date.now() - began) / 1000 };
      recording?.end(talk, cell, { [gateway.root]: '{cwd}', [home]: '{home}', [options.into]: '{agents}' });
      options.say(
        `${agent.name}: ${scenario.name}: ${cell.mark} ${cell.remark ?? ''} (${cell.seconds.toFixed(1)} s)`,
      );
      cells.push(cell);
      if (cell.mark === 'FAILED' || scenario.alone) talk = await talk.leave();
    }
    recording?.write();
    return cells;
  } finally {
    await talk?.leave();
    await gateway.end();
    await gateway.remove();
    await model.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function play(scenario: Scenario, world: World, talk: Talk): Promise<Omit<Cell, 'seconds'>> {
  try {
    const remark = await scenario.run(world, talk);
    talk.check();
    return remark === undefined ? { mark: 'ok' } : { mark: 'agent', remark };
  } catch (error) {
    return { mark: 'FAILED', remark: (error instanceof Error ? error.message : String(error)).slice(0, 500) };
  }
}
