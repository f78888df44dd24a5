import { existsSync, readdirSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, posix, relative, resolve, sep } from 'node:path';
import { type Import, importsOf } from './module.imports.ts';

/** The parts of the program, and which of them (and which packages) each may import. */
interface Layer {
  readonly dir: string;
  readonly layers: readonly string[];
  /** Undefined: any. */
  readonly packages?: readonly string[];
  /** Runs in a browser. */
  readonly page?: true;
}

const layers: Readonly<Record<string, Layer>> = {
  wire: { dir: 'src/wire', layers: [], packages: ['zod'] },
  machines: { dir: 'machines', layers: ['wire'], packages: ['xstate'], page: true },
  agents: { dir: 'src/agents', layers: ['machines', 'wire'] },
  gateway: { dir: 'src/gateway', layers: ['agents', 'machines', 'wire'] },
  console: { dir: 'src/console', layers: ['machines', 'wire'], page: true },
  inspector: { dir: 'src/inspector', layers: ['machines', 'wire'], page: true },
};

/** Too large for a page, or at home in the gateway only. */
const neverInPage = ['zod', 'hono', '@hono/node-server', 'ws', 'pino', 'ai', '@ai-sdk/openai-compatible'];

/**
 * The view reads snapshots of actors and holds no state of the conversation. What only the eye needs (a menu that is
 * open) goes through these files, which alone may make signals, stores and effects.
 */
const viewHelpers = ['src/console/lib/ui.ts', 'src/console/lib/select.ts', 'src/console/lib/live.ts'];
const stateMakers = new Set([
  ...['createSignal', 'createStore', 'createMutable', 'createEffect', 'createRenderEffect', 'createComputed'],
  ...[
    'createReaction',
    'createResource',
    'createSelector',
    'createDeferred',
    'modifyMutable',
    'observable',
    'from',
    '*',
  ],
]);
const stateModules = ['solid-js', 'solid-js/store'];

interface Module {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly layer: string;
  readonly imports: readonly (Import & { readonly target?: string })[];
}

/** One line for each import that crosses a boundary; none when the tree under `root` is clean. */
export function boundaryErrors(root: string): string[] {
  const modules = new Map(readModules(root).map((module) => [module.path, module]));
  const errors: string[] = [];
  for (const module of modules.values()) {
    for (const entry of module.imports) {
      const reason = arrow(module, entry) ?? foreign(module, entry) ?? state(module, entry);
      if (reason !== undefined)
        errors.push(`${module.path}:${entry.line} imports ${entry.specifier}: ${reason}`);
    }
  }
  return [...errors, ...pageErrors(modules)];
}

function arrow({ layer }: Module, { target }: { readonly target?: string }): string | undefined {
  if (target === undefined) return undefined;
  // The program's own version.
  if (target === 'package.json' && !layers[layer]?.page) return undefined;
  const to = layerOf(target);
  const allowed = layers[layer]?.layers ?? [];
  if (to === layer || (to !== undefined && allowed.includes(to))) return undefined;
  const may = allowed.length === 0 ? 'nothing else of ours' : `only ${allowed.join(', ')}`;
  return `${layer} may import ${may}, not ${to ?? 'what lies outside of the layers'}.`;
}

function foreign({ layer }: Module, { specifier, target }: Module['imports'][number]): string | undefined {
  if (target !== undefined) return undefined;
  const { packages, page } = layers[layer] ?? {};
  if (isBuiltin(specifier)) {
    return page || packages ? `${layer} must run without Node.` : undefined;
  }
  const name = packageOf(specifier);
  if (packages !== undefined && !packages.includes(name)) {
    return `${layer} may use no package but ${packages.join(', ')}.`;
  }
  return undefined;
}

function state({ layer, path }: Module, { specifier, names, value }: Import): string | undefined {
  if (layer !== 'console' || !value || viewHelpers.includes(path) || !stateModules.includes(specifier))
    return undefined;
  const made = names.filter((name) => stateMakers.has(name));
  if (made.length === 0) return undefined;
  return `the view holds no state (${made.join(', ')}); read an actor, or use ${viewHelpers.join(' or ')}.`;
}

/** What a page or a machine would bring into the page's bundle, through any number of modules. */
function pageErrors(modules: ReadonlyMap<string, Module>): string[] {
  const errors = new Set<string>();
  const seen = new Set<string>();
  const visit = (module: Module, chain: readonly string[]) => {
    if (seen.has(module.path)) return;
    seen.add(module.path);
    for (const { specifier, target, value, line } of module.imports) {
      if (!value) continue;
      const next = target === undefined ? undefined : modules.get(target);
      if (next !== undefined) visit(next, [...chain, next.path]);
      if (target !== undefined || !neverInPage.includes(packageOf(specifier))) continue;
      errors.add(
        `${module.path}:${line} imports ${specifier}, which must not reach a page (${chain.join(' -> ')}): ` +
          'import types only (`import type`), or move what the page needs to a module without it.',
      );
    }
  };
  for (const module of modules.values()) if (layers[module.layer]?.page) visit(module, [module.path]);
  return [...errors];
}

function readModules(root: string): Module[] {
  return Object.entries(layers).flatMap(([layer, { dir }]) => {
    if (!existsSync(join(root, dir))) return [];
    const names = readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' });
    const files = names.filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts')).sort();
    return files.map((name) => {
      const file = join(root, dir, name);
      const imports = importsOf(file).map((entry) => ({
        ...entry,
        ...targetOf(root, file, entry.specifier),
      }));
      return { path: slashed(relative(root, file)), layer, imports };
    });
  });
}

function targetOf(root: string, file: string, specifier: string): { readonly target?: string } {
  const path = specifier.replace(/[?#].*$/, '');
  if (path.startsWith('.')) return { target: slashed(relative(root, resolve(dirname(file), path))) };
  return path.startsWith('/') ? { target: posix.normalize(path).slice(1) } : {};
}

function layerOf(path: string): string | undefined {
  return Object.entries(layers).find(([, { dir }]) => path.startsWith(`${dir}/`))?.[0];
}

function packageOf(specifier: string): string {
  const [first = '', second = ''] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

function slashed(path: string): string {
  return path.split(sep).join('/');
}

if (import.meta.main) {
  const errors = boundaryErrors(resolve(import.meta.dirname, '../..'));
  for (const error of errors) process.stderr.write(`${error}\n`);
  process.exitCode = errors.length === 0 ? 0 : 1;
}
