import type { HighlightAnswer, HighlightRequest } from './highlight.worker.ts';

/** Longer code stays plain: thousands of spans cost more than colours give. */
const longest = 60_000;

let worker: Worker | undefined;
let last = 0;
const waiting = new Map<number, HTMLElement>();

function start(): Worker {
  const started = new Worker(new URL('./highlight.worker.ts', import.meta.url), { type: 'module' });
  started.onmessage = (event: MessageEvent<HighlightAnswer>) => {
    const target = waiting.get(event.data.id);
    waiting.delete(event.data.id);
    if (target?.isConnected && event.data.runs) paint(target, event.data.runs);
  };
  return started;
}

function paint(target: HTMLElement, runs: NonNullable<HighlightAnswer['runs']>): void {
  const fragment = document.createDocumentFragment();
  for (const [text, classes] of runs) {
    if (classes === '') {
      fragment.append(text);
      continue;
    }
    const span = document.createElement('span');
    span.className = classes;
    span.textContent = text;
    fragment.append(span);
  }
  target.replaceChildren(fragment);
}

/** Colours the code in a finished block, off the main thread. */
export function highlightBlock(block: HTMLElement): void {
  const figures = block.matches('figure.md-code')
    ? [block]
    : block.querySelectorAll<HTMLElement>('figure.md-code');
  for (const figure of figures) {
    const language = figure.dataset.language ?? '';
    const target = figure.querySelector<HTMLElement>('pre > code');
    const code = target?.textContent ?? '';
    if (!target || language === '' || code === '' || code.length > longest) continue;
    worker ??= start();
    const request: HighlightRequest = { id: ++last, code, language };
    waiting.set(request.id, target);
    worker.postMessage(request);
  }
}
