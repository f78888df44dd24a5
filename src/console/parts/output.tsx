import { plainOutput } from '../lib/ansi.ts';
import { writeLive } from '../lib/live.ts';

/** More than this is cut at the front: the whole of it is in the log. */
const most = 200_000;

/** Terminal output that grows: whole lines are appended once, only the last, open line is written again. */
class OutputWriter {
  readonly #done = document.createTextNode('');
  readonly #line = document.createTextNode('');
  #taken = 0;

  constructor(root: HTMLElement) {
    root.append(this.#done, this.#line);
  }

  update(output: string): void {
    if (output.length < this.#taken) {
      this.#done.data = '';
      this.#taken = 0;
    }
    const fresh = output.slice(this.#taken);
    const end = fresh.lastIndexOf('\n') + 1;
    if (end > 0) {
      this.#done.appendData(plainOutput(fresh.slice(0, end)));
      this.#taken += end;
      if (this.#done.length > most) this.#done.deleteData(0, this.#done.length - most);
    }
    const line = plainOutput(fresh.slice(end));
    if (line !== this.#line.data) this.#line.data = line;
  }
}

export function Output(props: { output: string; label: string }) {
  let frame!: HTMLElement;
  return (
    <section class="output" tabindex="0" aria-label={props.label} ref={frame}>
      <pre
        ref={(root) => {
          const writer = new OutputWriter(root);
          let atEnd = true;
          frame.addEventListener('scroll', () => {
            atEnd = frame.scrollHeight - frame.scrollTop - frame.clientHeight < 16;
          });
          writeLive(
            () => props.output,
            (output) => {
              writer.update(output);
              if (atEnd) frame.scrollTop = frame.scrollHeight;
            },
          );
        }}
      />
    </section>
  );
}

/** Text that came whole. */
export function Fixed(props: { text: string; label: string }) {
  return (
    <section class="output" tabindex="0" aria-label={props.label}>
      <pre>{props.text}</pre>
    </section>
  );
}
