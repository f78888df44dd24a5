/** Within this distance of the end the reader counts as being there. */
const nearPx = 32;
/** While text grows each frame scrolls, and to look where it stands lays the page out: then it is looked this often. */
const lookMs = 100;

/** Where a scroller stands, in px. */
interface Place {
  readonly top: number;
  readonly height: number;
  readonly client: number;
}

/**
 * Keeps a scroller at its end while the reader is there, and leaves it alone while they are not. Scrolling up is what
 * says that they left: growth of the text never does.
 */
export class Autoscroll {
  readonly #scroller: HTMLElement;
  readonly #onChange: (following: boolean) => void;
  readonly #observer: ResizeObserver;
  #following = false;
  #last: Place = { top: 0, height: 0, client: 0 };
  #looking: ReturnType<typeof setTimeout> | undefined;

  constructor(scroller: HTMLElement, content: HTMLElement, onChange: (following: boolean) => void) {
    this.#scroller = scroller;
    this.#onChange = onChange;
    this.#observer = new ResizeObserver(() => this.#grown());
    this.#observer.observe(content);
    this.#observer.observe(scroller);
    scroller.addEventListener('scroll', this.#scrolled, { passive: true });
    scroller.addEventListener('wheel', this.#wheeled, { passive: true });
    this.toEnd();
  }

  toEnd(): void {
    this.#set(true);
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#last = this.#now();
  }

  /** Runs `change`, which adds rows above, and keeps what the reader sees where it is. */
  async keepPlace(anchor: () => Element | null, change: () => Promise<unknown>): Promise<void> {
    const element = anchor();
    const before = element?.getBoundingClientRect().top ?? 0;
    await change();
    await new Promise(requestAnimationFrame);
    if (!element?.isConnected) return;
    const moved = element.getBoundingClientRect().top - before;
    if (Math.abs(moved) > 1) this.#scroller.scrollTop += moved;
    this.#last = this.#now();
  }

  dispose(): void {
    this.#observer.disconnect();
    clearTimeout(this.#looking);
    this.#scroller.removeEventListener('scroll', this.#scrolled);
    this.#scroller.removeEventListener('wheel', this.#wheeled);
  }

  #now(): Place {
    const { scrollTop: top, scrollHeight: height, clientHeight: client } = this.#scroller;
    return { top, height, client };
  }

  /** Called when the page has just been laid out: to look costs nothing. */
  #grown(): void {
    if (!this.#following) return;
    const now = this.#now();
    if (this.#isUp(now)) return this.#left(now);
    this.toEnd();
  }

  /** Higher than it was left, and not because there is less to show or more room to show it in: somebody scrolled. */
  #isUp({ top, height, client }: Place): boolean {
    const room = Math.max(0, client - this.#last.client);
    return top < this.#last.top - room - 1 && height >= this.#last.height;
  }

  #left(now: Place): void {
    this.#last = now;
    this.#set(false);
  }

  readonly #scrolled = () => {
    if (!this.#following) return this.#look();
    this.#looking ??= setTimeout(() => this.#look(), lookMs);
  };

  #look(): void {
    clearTimeout(this.#looking);
    this.#looking = undefined;
    const now = this.#now();
    if (now.height - now.top - now.client <= nearPx) this.#set(true);
    else if (this.#isUp(now)) return this.#left(now);
    else if (this.#following) return this.toEnd();
    this.#last = now;
  }

  readonly #wheeled = (event: WheelEvent) => {
    if (event.deltaY < 0 && this.#scroller.scrollTop > 0) this.#set(false);
  };

  #set(following: boolean): void {
    if (following === this.#following) return;
    this.#following = following;
    // At the end nothing else may move it: what moves it then is the reader.
    this.#scroller.style.overflowAnchor = following ? 'none' : '';
    this.#onChange(following);
  }
}
