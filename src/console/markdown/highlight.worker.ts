import hljs from 'highlight.js/lib/common';

/** What the page asks, and what it gets back: runs of text with the classes that colour them. */
export interface HighlightRequest {
  readonly id: number;
  readonly code: string;
  readonly language: string;
}
export interface HighlightAnswer {
  readonly id: number;
  readonly runs?: readonly Run[];
}
export type Run = readonly [text: string, classes: string];

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'" };
const decode = (text: string) =>
  text.replace(/&(amp|lt|gt|quot|#x27);/g, (_, name: string) => entities[name] ?? '');

/** highlight.js writes HTML of nested spans; as flat runs the page can show it without parsing HTML. */
function flatten(html: string): Run[] {
  const runs: Run[] = [];
  const open: string[] = [];
  for (const piece of html.split(/(<span class="[^"]*">|<\/span>)/)) {
    if (piece === '</span>') open.pop();
    else if (piece.startsWith('<span class="')) open.push(piece.slice(13, -2));
    else if (piece !== '') runs.push([decode(piece), open.at(-1) ?? '']);
  }
  return runs;
}

self.onmessage = (event: MessageEvent<HighlightRequest>) => {
  const { id, code, language } = event.data;
  const known = hljs.getLanguage(language) !== undefined;
  const answer: HighlightAnswer = known
    ? { id, runs: flatten(hljs.highlight(code, { language }).value) }
    : { id };
  self.postMessage(answer);
};
