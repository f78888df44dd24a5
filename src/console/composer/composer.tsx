import { createMemo, type JSX, Show } from 'solid-js';
import type { Command } from '../../wire/content.ts';
import { ArrowUp, ImagePlus, Square } from '../icons.ts';
import { keyName, onShortcut } from '../lib/shortcuts.ts';
import { createField, createToggle, draftOf } from '../lib/ui.ts';
import { Attachments } from './attachments.tsx';
import { autosize, focusFree } from './autosize.ts';
import { matching } from './commands.match.ts';
import { CommandMenu, optionId } from './commands.tsx';
import { filesOf, type ImageBlock, imagesOf, imageTypes, readImages } from './images.ts';
import { SendMenu } from './send-menu.tsx';

export type Delivery = 'queue' | 'steer' | 'background';

export interface ComposerProps {
  /** Whose draft this is. */
  readonly session: string;
  /** A turn is open: what is sent now waits, and there is something to stop. */
  readonly busy: boolean;
  readonly stopping: boolean;
  readonly commands: readonly Command[];
  /** Why nothing can be sent. */
  readonly blocked?: string | undefined;
  /** What else stands beside the buttons: what the agent can be set to. */
  readonly tools?: JSX.Element;
  readonly onSend: (text: string, delivery: Delivery, images: readonly ImageBlock[]) => void;
  readonly onStop: () => void;
}

let ids = 0;

export function Composer(props: ComposerProps) {
  const menu = `commands-${++ids}`;
  const draft = () => draftOf(props.session);
  const chosen = createField(0);
  const dismissed = createField('');
  const commands = createMemo(() => (dismissed() === draft()() ? [] : matching(draft()(), props.commands)));
  const images = () => imagesOf(props.session);
  const refused = createField<readonly string[]>([]);
  const reading = createToggle();
  const dragging = createToggle();
  const ready = () =>
    props.blocked === undefined && !reading() && (draft()().trim() !== '' || images()().length > 0);
  let area!: HTMLTextAreaElement;
  let picker!: HTMLInputElement;

  const attach = async (files: readonly File[]) => {
    const into = images();
    reading.set(true);
    const read = await readImages(files, into());
    reading.set(false);
    into.set([...into(), ...read.images]);
    refused.set(read.refused);
    area.focus();
  };
  /** Files that were pasted or dropped; false when it was text, which the browser puts in its place. */
  const takeFiles = (event: Event, data: DataTransfer | null): void => {
    const files = filesOf(data);
    if (files.length === 0 || props.blocked !== undefined) return;
    event.preventDefault();
    void attach(files);
  };

  const send = (delivery: Delivery) => {
    if (!ready()) return;
    const [text, pictures] = [draft()(), images()()];
    draft().set('');
    images().set([]);
    refused.set([]);
    props.onSend(text, delivery, pictures);
    area.focus();
  };
  const complete = (command: Command) => {
    draft().set(`/${command.name} `);
    area.focus();
  };
  const move = (by: number) => chosen.set((chosen() + by + commands().length) % commands().length);

  /** Keys of the open menu of commands; true when the key was one of them. */
  const menuKey = (event: KeyboardEvent): boolean => {
    if (commands().length === 0) return false;
    if (event.key === 'ArrowDown') move(1);
    else if (event.key === 'ArrowUp') move(-1);
    else if (event.key === 'Escape') dismissed.set(draft()());
    else if (
      (event.key === 'Enter' || event.key === 'Tab') &&
      !event.shiftKey &&
      !event.ctrlKey &&
      !event.metaKey
    ) {
      const command = commands()[chosen()] ?? commands()[0];
      if (!command || draft()() === `/${command.name}`) return false;
      complete(command);
    } else return false;
    return true;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // Enter that ends the composition of a character is not meant for us.
    if (event.isComposing) return;
    if (menuKey(event)) event.preventDefault();
    else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      send(event.ctrlKey || event.metaKey ? 'background' : 'queue');
    } else if (event.key === 'Escape' && props.busy) {
      event.preventDefault();
      props.onStop();
    }
  };

  onShortcut('compose', () => area.focus());
  onShortcut('stop', () => {
    if (props.busy && !props.stopping) props.onStop();
  });

  return (
    <form
      class="composer"
      data-dragging={dragging() ? '' : undefined}
      onDragOver={(event) => {
        if (!event.dataTransfer?.types.includes('Files')) return;
        event.preventDefault();
        dragging.set(true);
      }}
      onDragLeave={(event) => {
        const to = event.relatedTarget;
        if (!(to instanceof Node && event.currentTarget.contains(to))) dragging.set(false);
      }}
      onDrop={(event) => {
        dragging.set(false);
        takeFiles(event, event.dataTransfer);
      }}
      onSubmit={(event) => {
        event.preventDefault();
        send('queue');
      }}
    >
      <Show when={commands().length > 0}>
        <CommandMenu id={menu} commands={commands()} chosen={chosen()} onChoose={complete} />
      </Show>
      <Attachments
        images={images()()}
        refused={refused()}
        onRemove={(image) => images().set(images()().filter((one) => one !== image))}
        onDismiss={() => refused.set([])}
      />
      <textarea
        ref={(element) => {
          area = element;
          autosize(element);
          // On a screen without a keyboard this would open one over the conversation.
          if (matchMedia('(hover: hover)').matches) requestAnimationFrame(() => focusFree(element));
        }}
        class="composer-text"
        rows={1}
        placeholder={props.busy ? 'Write the next message; it waits for its turn' : 'Write a message'}
        aria-label="Message"
        aria-keyshortcuts="Enter Control+Enter Escape"
        aria-autocomplete="list"
        aria-controls={commands().length > 0 ? menu : undefined}
        aria-activedescendant={commands().length > 0 ? optionId(menu, chosen()) : undefined}
        value={draft()()}
        onInput={(event) => {
          draft().set(event.currentTarget.value);
          chosen.set(0);
          dismissed.set('');
        }}
        onKeyDown={onKeyDown}
        onPaste={(event) => takeFiles(event, event.clipboardData)}
      />
      <div class="composer-bar">
        <input
          ref={picker}
          type="file"
          hidden
          multiple
          aria-label="Pictures"
          accept={imageTypes.join(',')}
          onChange={(event) => {
            const files = [...(event.currentTarget.files ?? [])];
            event.currentTarget.value = '';
            void attach(files);
          }}
        />
        <button
          type="button"
          class="icon-button composer-attach"
          aria-label="Add pictures"
          title="Add pictures; they can be pasted or dropped here, too"
          disabled={props.blocked !== undefined || reading()}
          onClick={() => picker.click()}
        >
          <ImagePlus size={16} />
        </button>
        {props.tools}
        <p class="composer-hint">
          <Show
            when={props.blocked === undefined}
            fallback={<span class="composer-blocked">{props.blocked}</span>}
          >
            <kbd>Enter</kbd> {props.busy ? 'queues' : 'sends'}
            <span class="composer-more">
              <kbd>{keyName('Mod')} Enter</kbd> in background
              <Show when={props.busy}>
                <kbd>Esc</kbd> stops
              </Show>
            </span>
          </Show>
        </p>
        <Show when={props.busy}>
          <button type="button" class="button stop" disabled={props.stopping} onClick={props.onStop}>
            <Square class="filled" size={11} />
            {props.stopping ? 'Stopping…' : 'Stop'}
          </button>
        </Show>
        <div class="split">
          <button type="submit" class="button primary" disabled={!ready()}>
            <ArrowUp size={15} />
            {props.busy ? 'Queue' : 'Send'}
          </button>
          <SendMenu busy={props.busy} disabled={!ready()} onSend={send} />
        </div>
      </div>
    </form>
  );
}
