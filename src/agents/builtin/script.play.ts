import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PermissionOption } from '../../wire/content.ts';
import type { Output } from '../agent.ts';
import { AgentError } from '../agent.ts';
import { formOptions, urlOptions } from '../questions.ts';
import { Broken, type Play, type Scene } from './play.ts';
import type { Step } from './script.ts';
import { survive, type WorkItem } from './survivor.ts';

const look = 20;

const usual: readonly PermissionOption[] = [
  { optionId: 'allow', name: 'Allow', kind: 'allow_once' },
  { optionId: 'always', name: 'Always allow', kind: 'allow_always' },
  { optionId: 'reject', name: 'Reject', kind: 'reject_once' },
];

export async function* playScript(scene: Scene, steps: readonly Step[]): Play {
  yield* new Player(scene).play(steps);
}

class Player {
  readonly #scene: Scene;
  readonly #tools = new Set<string>();
  #over = false;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  async *play(steps: readonly Step[]): Play {
    for (const step of steps) {
      if (this.#over) return;
      yield* this.#step(step);
    }
  }

  async *#step(step: Step): Play {
    const scene = this.#scene;
    switch (step.verb) {
      case 'wait':
        return await scene.sleep(step.wait);
      case 'gate':
        return await this.#gate(step.gate);
      case 'repeat':
        for (let n = 0; n < step.repeat && !this.#over; n += 1) {
          yield* this.play(step.steps);
          await scene.sleep(step.every ?? 0);
        }
        return;
      case 'tokens':
        for (const item of items([step], this.#tools)) {
          await scene.sleep(item.after ?? 0);
          if (item.output) yield item.output;
        }
        return;
      case 'permission':
        return yield* this.#permission(step);
      case 'steer':
        return yield { type: 'text', text: `${step.steer}${await scene.nextGuidance()}` };
      case 'stubborn':
        return scene.ignoreStops();
      case 'rejoin':
        return yield { type: 'rejoin' };
      case 'survive':
        return yield* survive(scene, items(step.survive, new Set(), scene.cwd));
      case 'later':
        return this.#later(step);
      case 'throw':
        throw new Broken(step.throw);
      case 'cut':
        this.#over = true;
        return scene.cut();
      case 'crash':
        this.#over = true;
        return scene.crash(step.crash);
      case 'accepted':
        if (step.accepted) yield { type: 'accepted', ...(scene.handle && { handle: scene.handle }) };
        return;
      default:
        yield* said(step, this.#tools);
    }
  }

  async #gate(gate: Extract<Step, { verb: 'gate' }>['gate']): Promise<void> {
    const scene = this.#scene;
    if (typeof gate === 'string') return await scene.gates.wait(gate, scene.stopped);
    const file = join(scene.cwd, gate.file);
    while (!existsSync(file)) await scene.sleep(look);
  }

  async *#permission(step: Extract<Step, { verb: 'permission' }>): Play {
    const { form, url } = step;
    const question = {
      permission: step.permission,
      title: step.title ?? `May I go on (${step.permission})?`,
      options: step.options ?? (form ? formOptions : url ? urlOptions : usual),
      ...optional('form', form),
      ...optional('url', url),
      ...(step.tool !== undefined && { toolCallId: step.tool }),
    };
    if (step.wait === false) return yield { type: 'permission.asked', ...question };
    const answer = yield* this.#scene.inquire(question);
    const option = answer.outcome === 'selected' ? answer.optionId : 'cancelled';
    if ('content' in answer) yield { type: 'text', text: JSON.stringify(answer.content) };
    yield* this.play(step.on?.[option] ?? []);
  }

  #later(step: Extract<Step, { verb: 'later' }>): void {
    const work = items(step.later, new Set());
    this.#scene.later(async (say, aside) => {
      if (step.after) await aside.sleep(step.after);
      if (step.idle !== false) await aside.idle();
      for (const item of work) {
        if (item.after) await aside.sleep(item.after);
        if (item.output) say(item.output);
      }
    });
  }
}

/** The steps as what is said when, for a worker or outside of a prompt. */
function items(steps: readonly Step[], tools: Set<string>, cwd = '.'): WorkItem[] {
  return steps.flatMap((step): WorkItem[] => {
    switch (step.verb) {
      case 'wait':
        return [{ after: step.wait }];
      case 'gate':
        if (typeof step.gate === 'string')
          throw new AgentError('builtin.script', 'only file gates work here');
        return [{ file: join(cwd, step.gate.file) }];
      case 'repeat':
        return Array.from({ length: step.repeat }).flatMap(() => [
          ...items(step.steps, tools, cwd),
          { after: step.every ?? 0 },
        ]);
      case 'tokens': {
        const { count, every, prefix = 't', from = 0, kind = 'text', part } = step.tokens;
        return Array.from({ length: count }, (_, n) => ({
          after: every ?? 0,
          output: { type: kind, text: `${n === 0 ? '' : ' '}${prefix}${from + n}`, ...(part && { part }) },
        }));
      }
      default:
        return said(step, tools).map((output) => ({ output }));
    }
  });
}

/** The output of a step that is nothing but output. */
function said(step: Step, tools: Set<string>): Output[] {
  return step.verb === 'tool' ? tool(step, tools) : [plain(step)];
}

function plain(step: Step): Output {
  switch (step.verb) {
    case 'text':
      return { type: 'text', text: step.text, ...optional('part', step.part) };
    case 'thought':
      return { type: 'thought', text: step.thought, ...optional('part', step.part) };
    case 'refuse':
      return {
        type: 'tool.refused',
        toolCallId: step.refuse,
        reason: step.reason ?? 'refused by the script',
      };
    case 'withdraw':
      return {
        type: 'permission.withdrawn',
        permission: step.withdraw,
        reason: step.reason ?? 'by the script',
      };
    case 'replace': {
      const { replace: text, kind = 'text', part, reason } = step;
      return { type: 'replace', kind, text, ...optional('part', part), ...optional('reason', reason) };
    }
    case 'retrying': {
      const next = step.next === undefined ? undefined : Date.now() + step.next;
      const reason = step.reason ?? 'by the script';
      return { type: 'retrying', attempt: step.retrying, reason, ...optional('next', next) };
    }
    case 'plan':
      return { type: 'plan', entries: step.plan };
    case 'progress': {
      const { progress: text, done, total } = step;
      return { type: 'progress', progress: { text, ...optional('done', done), ...optional('total', total) } };
    }
    case 'notice':
      return {
        type: 'notice',
        level: step.level ?? 'info',
        code: step.code ?? 'builtin.script',
        text: step.notice,
      };
    case 'usage':
      return { type: 'usage', usage: step.usage };
    case 'title':
      return { type: 'changed', title: step.title };
    case 'poll':
      return { type: 'poll', reason: step.poll };
    case 'raw':
      return step.raw as unknown as Output;
    case 'end':
      return { type: 'ended', stopReason: step.end };
    case 'fail': {
      const error = { code: step.code ?? 'builtin.script', message: step.fail };
      return { type: 'ended', stopReason: 'error', error };
    }
    default:
      throw new AgentError('builtin.script', `\`${step.verb}\` cannot be used here`);
  }
}

function tool(step: Extract<Step, { verb: 'tool' }>, tools: Set<string>): Output[] {
  const { tool: toolCallId, title, kind, output, content, status, exitCode } = step;
  const fields = { toolCallId, ...optional('kind', kind), ...optional('content', content) };
  const open = status === 'completed' || status === 'failed' ? undefined : status;
  const outputs: Output[] = [];
  const known = tools.has(toolCallId);
  tools.add(toolCallId);
  if (!known)
    outputs.push({
      type: 'tool.started',
      ...fields,
      title: title ?? toolCallId,
      status: open ?? 'in_progress',
    });
  if (output !== undefined || (known && status === open)) {
    const more = { ...optional('title', title), ...optional('status', open), ...optional('output', output) };
    outputs.push({ type: 'tool.updated', ...fields, ...more });
  }
  if (status === 'completed' || status === 'failed') {
    outputs.push({ type: 'tool.finished', ...fields, ...optional('exitCode', exitCode), status });
  }
  return outputs;
}

function optional<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: T };
}
