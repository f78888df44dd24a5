import * as AlertDialog from '@kobalte/core/alert-dialog';
import { Show } from 'solid-js';
import { createField, createToggle, type Toggle } from '../lib/ui.ts';
import { Spinner } from '../parts/spinner.tsx';
import { DialogError } from './dialog-error.tsx';

/** Asks before a conversation is deleted, and says what goes with it. */
export function DeleteDialog(props: {
  open: Toggle;
  title: string;
  /** `12 turns, 2 queued messages`. */
  contents: string;
  cwd: string;
  /** Rejects with why it was not deleted. */
  onDelete: () => Promise<void>;
}) {
  const error = createField<string | undefined>(undefined);
  const deleting = createToggle();
  const remove = async () => {
    deleting.set(true);
    error.set(undefined);
    try {
      await props.onDelete();
      props.open.set(false);
    } catch (reason) {
      error.set(reason instanceof Error ? reason.message : String(reason));
    } finally {
      deleting.set(false);
    }
  };
  return (
    <AlertDialog.Root
      open={props.open()}
      onOpenChange={(open) => {
        error.set(undefined);
        props.open.set(open);
      }}
    >
      <AlertDialog.Portal>
        <AlertDialog.Overlay class="dialog-overlay" />
        <div class="dialog-place">
          <AlertDialog.Content class="dialog">
            <header class="dialog-head">
              <AlertDialog.Title class="dialog-title">Delete “{props.title}”?</AlertDialog.Title>
            </header>
            <div class="dialog-body">
              <AlertDialog.Description class="dialog-note">
                {props.contents} will be deleted for good. Files in {props.cwd} stay as they are.
              </AlertDialog.Description>
              <DialogError reason={error()} />
              <div class="dialog-actions">
                <AlertDialog.CloseButton class="button" aria-label="Keep it">
                  Keep it
                </AlertDialog.CloseButton>
                <button type="button" class="button danger" disabled={deleting()} onClick={remove}>
                  <Show when={deleting()}>
                    <Spinner />
                  </Show>
                  Delete
                </button>
              </div>
            </div>
          </AlertDialog.Content>
        </div>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
