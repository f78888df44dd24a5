import { DropdownMenu } from '@kobalte/core/dropdown-menu';
import { Show } from 'solid-js';
import { ChevronDown } from '../icons.ts';
import type { Delivery } from './composer.tsx';

/** The other ways to send what is typed. */
export function SendMenu(props: { busy: boolean; disabled: boolean; onSend: (delivery: Delivery) => void }) {
  return (
    <DropdownMenu placement="top-end" gutter={6}>
      <DropdownMenu.Trigger
        class="button primary split-more"
        disabled={props.disabled}
        aria-label="Other ways to send"
      >
        <ChevronDown size={14} />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content class="menu">
          <Show when={props.busy}>
            <DropdownMenu.Item class="menu-item" onSelect={() => props.onSend('steer')}>
              <span>Steer</span>
              <small>Give it to the running turn now</small>
            </DropdownMenu.Item>
          </Show>
          <DropdownMenu.Item class="menu-item" onSelect={() => props.onSend('queue')}>
            <span>{props.busy ? 'Queue' : 'Send'}</span>
            <small>{props.busy ? 'Runs when this turn has ended' : 'Starts a turn'}</small>
          </DropdownMenu.Item>
          <DropdownMenu.Item class="menu-item" onSelect={() => props.onSend('background')}>
            <span>Run in background</span>
            <small>As a job; the conversation stays free</small>
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu>
  );
}
