import type { Token, Tokens } from 'marked';
import { listItem } from './render.ts';
import type { VElement } from './vnode.ts';

/** The last items of a list may still change their meaning; fewer than a batch are not worth the trouble. */
const open = 2;
const batch = 8;

const markerOf = (item: Tokens.ListItem | undefined) =>
  /^ {0,3}(?:\d{1,9}([.)])|([*+-]))/
    .exec(item?.raw ?? '')
    ?.slice(1)
    .join('');

const asList = (token: Token | undefined) => (token?.type === 'list' ? (token as Tokens.List) : undefined);

/**
 * The finished items of a list that is still written: what follows them is read without them, so that a list of any
 * length costs what its last items cost. It is a look while the text grows and no more: once the list is closed it is
 * read in one piece like any other block, with what items say to each other (definitions, blank lines between them).
 */
export class OpenList {
  readonly #items: VElement[] = [];
  readonly #list: Tokens.List;
  #length = 0;

  private constructor(list: Tokens.List) {
    this.#list = list;
  }

  /** Of a source that begins with a list; undefined when that is too short to gain anything. */
  static of(tokens: readonly Token[], source: string, shown: VElement | undefined): OpenList | undefined {
    const list = asList(tokens[0]);
    if (!list || !shown || markerOf(list.items[0]) === undefined) return undefined;
    const opened = new OpenList(list);
    return opened.#take(list, shown.children as readonly VElement[], source) ? opened : undefined;
  }

  /** The length of the finished items in the source. */
  get length(): number {
    return this.#length;
  }

  /**
   * The whole list, from the tokens of the source after the finished items. Undefined when they are no plain
   * continuation of it: then all of it has to be read.
   */
  continued(tokens: readonly Token[], shown: VElement, rest: string): VElement | undefined {
    const list = asList(tokens[0]);
    const known = this.#list;
    if (!list || list.loose !== known.loose || list.ordered !== known.ordered) return undefined;
    if (markerOf(list.items[0]) !== markerOf(known.items[0])) return undefined;
    const items = list.items.map(listItem);
    const whole = { ...shown, children: [...this.#items, ...items] };
    this.#take(list, items, rest);
    return whole;
  }

  #take({ items }: Tokens.List, shown: readonly VElement[], source: string): boolean {
    const finished = items.length - open;
    if (finished < batch) return false;
    const raw = items
      .slice(0, finished)
      .map((item) => item.raw)
      .join('');
    // Should Marked ever leave out some of its source, nothing is taken for finished.
    if (!source.startsWith(raw)) return false;
    this.#items.push(...shown.slice(0, finished));
    this.#length += raw.length;
    return true;
  }
}
