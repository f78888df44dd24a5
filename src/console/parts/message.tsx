import { Index, Match, Show, Switch } from 'solid-js';
import type { ContentBlock, Message } from '../../wire/content.ts';
import { CornerDownRight, FileText } from '../icons.ts';
import { canShow, Picture } from './image.tsx';

/** The words of a message; what is not text is named. */
export function textOf(content: readonly ContentBlock[]): string {
  return content
    .map((block) => (block.type === 'text' ? block.text : `[${wordsOf(block)}]`))
    .join('\n')
    .trim();
}

/** The words alone. */
export function saidOf(content: readonly ContentBlock[]): string {
  return content
    .flatMap((block) => (block.type === 'text' ? [block.text] : []))
    .join('\n')
    .trim();
}

/** What a block says; one that is not text is named. */
export function wordsOf(block: ContentBlock): string {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'resource_link':
      return block.title ?? block.name;
    case 'resource':
      return block.resource.uri;
    default:
      return block.type === 'image' ? 'Picture' : 'Sound';
  }
}

const picture = (block: ContentBlock) => (canShow(block) ? block : undefined);

function Blocks(props: { content: readonly ContentBlock[] }) {
  return (
    <Index each={props.content}>
      {(block) => (
        <Switch
          fallback={
            <p class="message-attachment">
              <FileText size={14} />
              {wordsOf(block())}
            </p>
          }
        >
          <Match when={block().type === 'text'}>
            <p>{wordsOf(block())}</p>
          </Match>
          <Match when={picture(block())}>{(image) => <Picture image={image()} />}</Match>
        </Switch>
      )}
    </Index>
  );
}

export function UserMessage(props: { message: Message; retry: boolean }) {
  return (
    <div class="message">
      <span class="visually-hidden">You:</span>
      <Show when={props.retry}>
        <span class="message-kicker">Sent again</span>
      </Show>
      <Blocks content={props.message.content} />
    </div>
  );
}

/** Guidance that was given to a running turn. */
export function Steer(props: { message: Message; confirmed: boolean }) {
  return (
    <div class="steer">
      <p class="steer-kicker">
        <CornerDownRight size={14} />
        {props.confirmed ? 'You steered the agent' : 'You steered the agent; it has not confirmed this'}
      </p>
      <Blocks content={props.message.content} />
    </div>
  );
}
