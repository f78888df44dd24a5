import type { PromptCapabilities } from '@agentclientprotocol/sdk';
import type { ContentBlock } from '../../wire/content.ts';
import { textOf } from '../earlier.ts';

/** The message in the kinds of content that the agent takes; `lost` names what it does not. */
export function promptBlocks(
  content: readonly ContentBlock[],
  can: PromptCapabilities | undefined,
): { blocks: ContentBlock[]; lost: string[] } {
  const lost = new Set<string>();
  const blocks = content.flatMap((block): ContentBlock[] => {
    if (block.type === 'image' && !can?.image) lost.add('images');
    else if (block.type === 'audio' && !can?.audio) lost.add('sound');
    else if (block.type !== 'resource' || can?.embeddedContext) return [block];
    else if (block.resource.text !== undefined) return [{ type: 'text', text: textOf(block) }];
    else lost.add('attached files that are not text');
    return [];
  });
  return { blocks, lost: [...lost] };
}
