import { DropdownMenu } from '@kobalte/core/dropdown-menu';
import { Show } from 'solid-js';
import { Copy, Ellipsis, Pencil, Trash, Workflow } from '../icons.ts';

/** What can be done with a conversation as a whole. A job is named and deleted with its conversation. */
export function SessionMenu(props: {
  onRename?: (() => void) | undefined;
  onDelete?: (() => void) | undefined;
  onCopyId: () => void;
  inspectHref: string;
}) {
  // What a choice opens takes the focus, which the closing menu would give back to its button.
  let opens: (() => void) | undefined;
  const later = (run: () => void) => () => {
    opens = run;
  };
  return (
    <DropdownMenu placement="bottom-end" gutter={4}>
      <DropdownMenu.Trigger class="icon-button" aria-label="More" title="More">
        <Ellipsis size={17} />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          class="menu menu-icons"
          onCloseAutoFocus={(event) => {
            if (!opens) return;
            event.preventDefault();
            opens();
            opens = undefined;
          }}
        >
          <Show when={props.onRename}>
            {(rename) => (
              <DropdownMenu.Item class="menu-item" onSelect={later(rename())}>
                <Pencil size={14} />
                Rename
              </DropdownMenu.Item>
            )}
          </Show>
          <DropdownMenu.Item class="menu-item" onSelect={props.onCopyId}>
            <Copy size={14} />
            Copy id
          </DropdownMenu.Item>
          <DropdownMenu.Item class="menu-item" as="a" href={props.inspectHref} target="_blank" rel="noopener">
            <Workflow size={14} />
            Open in the inspector
          </DropdownMenu.Item>
          <Show when={props.onDelete}>
            {(remove) => (
              <>
                <DropdownMenu.Separator class="menu-line" />
                <DropdownMenu.Item class="menu-item" data-danger="" onSelect={later(remove())}>
                  <Trash size={14} />
                  Delete…
                </DropdownMenu.Item>
              </>
            )}
          </Show>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu>
  );
}
