/** A small virtual tree: what a block of Markdown should look like, compared with what is on the page. */
export type VNode = string | VElement;

export interface VElement {
  readonly tag: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly children: readonly VNode[];
}

const none: Readonly<Record<string, string>> = {};

export function element(
  tag: string,
  attrs: Record<string, string> | undefined,
  children: readonly VNode[],
): VElement {
  return { tag, attrs: attrs ?? none, children };
}

/** Joins neighbouring text, as a browser's parser would: two text nodes in a row could not be patched by index. */
export function joined(nodes: readonly VNode[]): VNode[] {
  const out: VNode[] = [];
  for (const node of nodes) {
    const last = out.at(-1);
    if (typeof node !== 'string') out.push(node);
    else if (typeof last === 'string') out[out.length - 1] = last + node;
    else if (node !== '') out.push(node);
  }
  return out;
}

function create(node: VNode): Node {
  if (typeof node === 'string') return document.createTextNode(node);
  const made = document.createElement(node.tag);
  for (const name in node.attrs) made.setAttribute(name, node.attrs[name] as string);
  for (const child of node.children) made.append(create(child));
  return made;
}

/** Makes `dom`, which shows `before`, show `after`; keeps every node that can stay and only appends to text. */
function patch(dom: Node, before: VNode, after: VNode): void {
  if (before === after) return;
  if (typeof after === 'string') {
    if (typeof before === 'string' && after.startsWith(before))
      (dom as Text).appendData(after.slice(before.length));
    else (dom as Text).data = after;
    return;
  }
  const target = dom as Element;
  const old = before as VElement;
  for (const name in old.attrs) if (!(name in after.attrs)) target.removeAttribute(name);
  for (const name in after.attrs) {
    if (old.attrs[name] !== after.attrs[name]) target.setAttribute(name, after.attrs[name] as string);
  }
  patchChildren(target, 0, old.children, after.children);
}

const alike = (a: VNode | undefined, b: VNode): boolean =>
  a !== undefined &&
  (typeof a === 'string' ? typeof b === 'string' : typeof b !== 'string' && a.tag === b.tag);

/** As `patch`, for the children of `parent` from index `first` on. */
export function patchChildren(
  parent: Node,
  first: number,
  before: readonly VNode[],
  after: readonly VNode[],
): void {
  for (let index = 0; index < after.length; index++) {
    const next = after[index] as VNode;
    const shown = before[index];
    if (shown === next) continue;
    const dom = parent.childNodes[first + index];
    if (alike(shown, next)) patch(dom as Node, shown as VNode, next);
    else if (shown !== undefined) parent.replaceChild(create(next), dom as Node);
    else parent.appendChild(create(next));
  }
  for (let index = before.length - 1; index >= after.length; index--) {
    (parent.childNodes[first + index] as ChildNode).remove();
  }
}

export function sameTree(a: VNode, b: VNode): boolean {
  if (a === b) return true;
  if (typeof a === 'string' || typeof b === 'string') return false;
  const names = Object.keys(a.attrs);
  return (
    a.tag === b.tag &&
    names.length === Object.keys(b.attrs).length &&
    names.every((name) => a.attrs[name] === b.attrs[name]) &&
    a.children.length === b.children.length &&
    a.children.every((child, index) => sameTree(child, b.children[index] as VNode))
  );
}
