import { LoaderCircle } from '../icons.ts';

export function Spinner(props: { size?: number }) {
  return <LoaderCircle class="spinner" size={props.size ?? 14} />;
}
