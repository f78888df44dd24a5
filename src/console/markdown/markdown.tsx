import { writeLive } from '../lib/live.ts';
import { highlightBlock } from './highlight.ts';
import { MarkdownStream } from './stream.ts';

/** Markdown that may still grow. `done`: no more text comes. A raised `revision` means that text was taken back. */
export function Markdown(props: { text: string; revision: number; done: boolean }) {
  let stream: MarkdownStream;
  let revision = props.revision;
  let finished = false;
  return (
    <div
      class="md"
      ref={(root) => {
        stream = new MarkdownStream(root, highlightBlock);
        writeLive(
          () => ({ text: props.text, revision: props.revision, done: props.done }),
          (next) => {
            if (next.revision !== revision) {
              stream.reset();
              revision = next.revision;
              finished = false;
            }
            if (finished) return;
            stream.update(next.text);
            if (next.done) stream.finish();
            finished = next.done;
          },
        );
      }}
    />
  );
}
