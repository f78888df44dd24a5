import { CircleQuestionMark } from '../icons.ts';
import { ThemeButton } from './theme-button.tsx';

/** The buttons beside the name. */
export function Tools(props: { onKeys: () => void }) {
  return (
    <>
      <button type="button" class="icon-button" aria-label="Keys" title="Keys (?)" onClick={props.onKeys}>
        <CircleQuestionMark size={16} />
      </button>
      <ThemeButton />
    </>
  );
}
