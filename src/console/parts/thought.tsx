import { Brain } from '../icons.ts';
import { createToggle } from '../lib/ui.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { Disclosure } from './disclosure.tsx';

/** What the agent thought; closed until somebody asks. */
export function Thought(props: { text: string; revision: number; done: boolean }) {
  const open = createToggle();
  return (
    <Disclosure
      class="thought"
      open={open}
      head={
        <>
          <Brain size={14} />
          <span>Thoughts</span>
        </>
      }
    >
      <Markdown text={props.text} revision={props.revision} done={props.done} />
    </Disclosure>
  );
}
