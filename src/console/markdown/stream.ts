import type { Links, Token } from 'marked';
import { OpenList } from './open-list.ts';
import { block, lex } from './render.ts';
import { patchChildren, sameTree, type VElement } from './vnode.ts';

/** A finished block that mentions `[…]`: a definition that comes later may still make it a link. */
interface OpenReference {
  readonly index: number;
  readonly raw: string;
  shown: VElement;
}

/**
 * Shows Markdown while it is written. Finished blocks are never touched again; only the last, open one is read anew,
 * and patched so that what stays the same stays the same node. In the end the page shows exactly what one rendering of
 * the whole text shows.
 */
export class MarkdownStream {
  readonly #root: HTMLElement;
  readonly #onBlock: (element: HTMLElement) => void;
  #links: Links = Object.create(null);
  #references: OpenReference[] = [];
  /** Length of the source that was taken in. */
  #taken = 0;
  /** The source from the start of the open block on. */
  #tail = '';
  #carry = '';
  #shown: VElement[] = [];
  #frozen = 0;
  /** The open block is a long list. */
  #list: OpenList | undefined;

  /** `onBlock` is told of each block when it is finished: the place to highlight code. */
  constructor(root: HTMLElement, onBlock: (element: HTMLElement) => void = () => {}) {
    this.#root = root;
    this.#onBlock = onBlock;
  }

  /** Shows `text`, which begins with what was shown before. */
  update(text: string): void {
    if (text.length === this.#taken) return;
    this.#take(text, false);
    this.#render(false);
  }

  /** As `update`, and no more text comes: the open block is finished as well. */
  finish(text: string): void {
    this.#take(text, true);
    this.#render(true);
  }

  /** Starts anew, for text that was taken back. */
  reset(): void {
    this.#root.replaceChildren();
    this.#links = Object.create(null);
    this.#references = [];
    this.#taken = 0;
    this.#tail = '';
    this.#carry = '';
    this.#shown = [];
    this.#frozen = 0;
    this.#list = undefined;
  }

  #take(text: string, final: boolean): void {
    const whole = this.#carry + text.slice(this.#taken);
    this.#taken = text.length;
    // A CR at the end may be half of a CRLF: it waits for what follows.
    this.#carry = !final && whole.endsWith('\r') ? '\r' : '';
    const ready = this.#carry === '' ? whole : whole.slice(0, -1);
    this.#tail += ready.replace(/\r\n?/g, '\n');
  }

  #render(final: boolean): void {
    if (!final && this.#list && this.#goOn(this.#list)) return;
    const defined = Object.keys(this.#links).length;
    // Only the definitions of finished blocks count: those of the open one may still change.
    const tokens = lex(this.#tail, final ? this.#links : known(this.#links));
    const cut = final ? tokens.length : settled(tokens, this.#tail, this.#links);
    const next: VElement[] = [];
    const finished: Token[] = [];
    const indices: number[] = [];
    tokens.forEach((token, at) => {
      const shown = block(token);
      if (at < cut) {
        finished.push(token);
        indices.push(shown ? next.length : -1);
      }
      if (shown) next.push(shown);
    });
    patchChildren(this.#root, this.#frozen, this.#shown, next);
    this.#shown = next;
    const isDefined = () => Object.keys(this.#links).length > defined;
    // What is finished with them has been read with them.
    if (final && isDefined()) this.#resolve();
    if (finished.length > 0) {
      const source = this.#freeze(finished, indices);
      if (!final) lex(source, this.#links);
      if (!final && isDefined()) this.#resolve();
    }
    this.#list = final || cut > 0 ? undefined : OpenList.of(tokens, this.#tail, next[0]);
  }

  /** Reads only what follows the finished items of the open list; false when that does not do. */
  #goOn(list: OpenList): boolean {
    const rest = this.#tail.slice(list.length);
    const tokens = lex(rest, known(this.#links));
    if (settled(tokens, rest, this.#links) > 0) return false;
    const whole = list.continued(tokens, this.#shown[0] as VElement, rest);
    if (!whole) return false;
    const next = [whole, ...tokens.slice(1).flatMap((token) => block(token) ?? [])];
    patchChildren(this.#root, this.#frozen, this.#shown, next);
    this.#shown = next;
    return true;
  }

  /** Answers their source. */
  #freeze(tokens: readonly Token[], indices: readonly number[]): string {
    let length = 0;
    let blocks = 0;
    tokens.forEach((token, at) => {
      length += token.raw.length;
      const index = indices[at] as number;
      if (index < 0) return;
      blocks++;
      const dom = this.#root.childNodes[this.#frozen + index] as HTMLElement;
      if (token.raw.includes('[') && token.type !== 'code') {
        const shown = this.#shown[index] as VElement;
        this.#references.push({ index: this.#frozen + index, raw: token.raw, shown });
      }
      this.#onBlock(dom);
    });
    const source = this.#tail.slice(0, length);
    this.#tail = this.#tail.slice(length);
    this.#shown = this.#shown.slice(blocks);
    this.#frozen += blocks;
    return source;
  }

  /** New definitions: earlier blocks that use them become links, as they would have in one rendering. */
  #resolve(): void {
    for (const reference of this.#references) {
      const token = lex(reference.raw, known(this.#links))[0];
      const shown = token && block(token);
      if (!shown || sameTree(shown, reference.shown)) continue;
      const dom = this.#root.childNodes[reference.index] as HTMLElement;
      patchChildren(dom, 0, reference.shown.children, shown.children);
      reference.shown = shown;
    }
  }
}

/**
 * How many blocks are settled: all but the last one whose first line is whole. Markdown's blocks are decided line by
 * line, so only whole lines are asked: half a line can look like the rule of a table and split what is before it.
 */
function settled(tokens: readonly Token[], source: string, links: Links): number {
  const whole = source.slice(0, source.lastIndexOf('\n') + 1);
  if (openBlock(tokens, whole.length) === 0) return 0;
  const sure = whole.length === source.length ? tokens : lex(whole, known(links));
  const open = openBlock(sure, whole.length);
  // Should Marked ever read the two differently, or leave out some of its source, nothing is taken for settled.
  let start = 0;
  for (let index = 0; index < open; index++) {
    const { raw } = sure[index] as Token;
    if (tokens[index]?.raw !== raw || !source.startsWith(raw, start)) return 0;
    start += raw.length;
  }
  return open;
}

function openBlock(tokens: readonly Token[], end: number): number {
  let start = 0;
  let open = 0;
  for (const [index, token] of tokens.entries()) {
    if (start >= end) break;
    if (token.type !== 'space') open = index;
    start += token.raw.length;
  }
  return open;
}

/** A copy, so that what is read for a look does not stay. */
const known = (links: Links): Links => Object.assign(Object.create(null), links);
