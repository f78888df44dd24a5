/** Within this distance of the end the reader counts as being there. */
const nearPx = 32;

/**
 * Keeps a scroller at its end while the reader is there, and leaves it alone while they are not. Scrolling up is what
 * says that they left: growth of the text never does.
 */
export class Autoscroll {
  readonly #scroller: HTMLElement;
  readonly #onChange: (following: boolean) => void;
  readonly #observer: ResizeObserver;
  #following = true;
  #lastTop = 0;
  #lastHeight = 0;

  constructor(scroller: HTMLElement, content: HTMLElement, onChange: (following: boolean) => void) {
    this.#scroller = scroller;
    this.#onChange = onChange;
    this.#observer = new ResizeObserver(() => this.#grown());
    this.#observer.observe(content);
    this.#observer.observe(scroller);
    scroller.addEventListener('scroll', this.#scrolled, { passive: true });
    scroller.addEventListener('wheel', this.#wheeled, { passive: true });
  }

  get following(): boolean {
    return this.#following;
  }

  toEnd(): void {
    this.#set(true);
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#lastTop = this.#scroller.scrollTop;
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
    this.#lastTop = this.#scroller.scrollTop;
  }

  dispose(): void {
    this.#observer.disconnect();
    this.#scroller.removeEventListener('scroll', this.#scrolled);
    this.#scroller.removeEventListener('wheel', this.#wheeled);
  }

  #distance(): number {
    return this.#scroller.scrollHeight - this.#scroller.scrollTop - this.#scroller.clientHeight;
  }

  #grown(): void {
    if (!this.#following) return;
    this.#lastHeight = this.#scroller.scrollHeight;
    this.#scroller.scrollTop = this.#lastHeight;
    this.#lastTop = this.#scroller.scrollTop;
  }

  readonly #scrolled = () => {
    const top = this.#scroller.scrollTop;
    const height = this.#scroller.scrollHeight;
    // When the content gets shorter the browser moves the top by itself: nobody has scrolled.
    const shrank = height < this.#lastHeight;
    const up = top < this.#lastTop - 1 && !shrank;
    this.#lastTop = top;
    this.#lastHeight = height;
    if (shrank && this.#following) return this.#grown();
    if (this.#distance() <= nearPx) this.#set(true);
    else if (up) this.#set(false);
  };

  readonly #wheeled = (event: WheelEvent) => {
    if (event.deltaY < 0 && this.#scroller.scrollTop > 0) this.#set(false);
  };

  #set(following: boolean): void {
    if (following === this.#following) return;
    this.#following = following;
    this.#onChange(following);
  }
}
