import type { ContentBlock } from '../../wire/content.ts';
import { createToggle } from '../lib/ui.ts';

type ImageBlock = Extract<ContentBlock, { type: 'image' }>;

/** What is shown as a picture; others are named. */
const shown = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);
export const canShow = (block: ContentBlock): block is ImageBlock =>
  block.type === 'image' && shown.has(block.mimeType) && /^[A-Za-z0-9+/]+=*$/.test(block.data.slice(0, 64));

export const sourceOf = (image: ImageBlock) => `data:${image.mimeType};base64,${image.data}`;

/** A picture that the user sent: small, and larger on request. */
export function Picture(props: { image: ImageBlock }) {
  const large = createToggle();
  return (
    <button
      type="button"
      class="picture"
      aria-pressed={large()}
      aria-label={large() ? 'Picture; show it smaller' : 'Picture; show it larger'}
      data-large={large() ? '' : undefined}
      onClick={large.flip}
    >
      <img src={sourceOf(props.image)} alt="" decoding="async" />
    </button>
  );
}
