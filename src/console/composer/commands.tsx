import { For } from 'solid-js';
import type { Command } from '../../wire/content.ts';
import { afterwards } from '../lib/live.ts';

export const optionId = (menu: string, index: number) => `${menu}-${index}`;

export function CommandMenu(props: {
  id: string;
  commands: readonly Command[];
  chosen: number;
  onChoose: (command: Command) => void;
}) {
  let menu!: HTMLDivElement;
  afterwards(
    () => props.chosen,
    (index) => menu.children[index]?.scrollIntoView({ block: 'nearest' }),
  );
  return (
    <div class="commands" ref={menu} role="listbox" id={props.id} aria-label="Commands">
      <For each={props.commands}>
        {(command, index) => (
          // Focus stays in the text area, whose keys move through the list.
          <div
            class="command"
            role="option"
            tabIndex={-1}
            id={optionId(props.id, index())}
            aria-selected={index() === props.chosen}
            onMouseDown={(event) => {
              event.preventDefault();
              props.onChoose(command);
            }}
          >
            <span class="command-name">/{command.name}</span>
            <span class="command-about">{command.description}</span>
          </div>
        )}
      </For>
    </div>
  );
}
