import { readFileSync } from 'node:fs';
import { type ESTree, parseSync, Visitor } from 'vite';

/** One place where a module names another. */
export interface Import {
  readonly specifier: string;
  /** 1-based. */
  readonly line: number;
  /** False when it is gone once the types are stripped. */
  readonly value: boolean;
  /** What is taken by name; `*` for everything. */
  readonly names: readonly string[];
}

/** Everything that a TypeScript module imports, re-exports or loads, in any form. Throws when it cannot be parsed. */
export function importsOf(path: string): Import[] {
  const source = readFileSync(path, 'utf8');
  const { program, errors } = parseSync(path, source);
  if (errors[0] !== undefined) throw new Error(`${path}: ${errors[0].message}`);
  const found: Import[] = [];
  const add = (specifier: unknown, start: number, value: boolean, names: readonly string[]) => {
    if (typeof specifier !== 'string') return;
    found.push({ specifier, line: source.slice(0, start).split('\n').length, value, names });
  };
  const visitor = new Visitor({
    ImportDeclaration: (node) =>
      add(node.source.value, node.start, node.importKind !== 'type', namesOf(node)),
    ExportNamedDeclaration: (node) => {
      const names = node.specifiers.map((specifier) => nameOf(specifier.local));
      add(node.source?.value, node.start, node.exportKind !== 'type', names);
    },
    ExportAllDeclaration: (node) => add(node.source.value, node.start, node.exportKind !== 'type', ['*']),
    ImportExpression: (node) => {
      if (node.source.type === 'Literal') add(node.source.value, node.start, true, ['*']);
    },
    TSImportType: (node) => add(node.source.value, node.start, false, ['*']),
    // A worker: new Worker(new URL('./x.worker.ts', import.meta.url)).
    NewExpression: (node) => {
      const [target, base] = node.arguments;
      const isUrl =
        node.callee.type === 'Identifier' && node.callee.name === 'URL' && base?.type === 'MemberExpression';
      if (isUrl && target?.type === 'Literal') add(target.value, node.start, true, ['*']);
    },
  });
  visitor.visit(program);
  return found;
}

function namesOf(node: ESTree.ImportDeclaration): string[] {
  return node.specifiers.map((specifier) => {
    if (specifier.type === 'ImportSpecifier') return nameOf(specifier.imported);
    return specifier.type === 'ImportDefaultSpecifier' ? 'default' : '*';
  });
}

function nameOf(node: { readonly name: string } | ESTree.StringLiteral): string {
  return 'name' in node ? node.name : node.value;
}
