import type { LucideIcon } from 'lucide-solid';
import { render } from 'solid-js/web';

/**
 * Draws an icon of the set once for each size, and copies it from then on: what the set draws can change in each of its parts,
 * which ours never do, and cost a long conversation more than its words. Icons say nothing to screen readers.
 */
export function icon(Drawn: LucideIcon) {
  const sizes = new Map<number, Element>();
  return (props: { size: number; class?: string }) => {
    const known = sizes.get(props.size) ?? draw(Drawn, props.size);
    sizes.set(props.size, known);
    const copy = known.cloneNode(true) as Element;
    if (props.class) copy.classList.add(props.class);
    return copy;
  };
}

function draw(Drawn: LucideIcon, size: number): Element {
  const host = document.createElement('div');
  const clear = render(() => <Drawn size={size} aria-hidden="true" />, host);
  const drawn = host.firstElementChild?.cloneNode(true) as Element;
  clear();
  return drawn;
}
