import { copyText } from '../lib/clipboard.ts';

const shownMs = 1500;

/** One listener for every code block of a thread: the buttons are part of the Markdown and have none of their own. */
export async function copyCode(event: MouseEvent): Promise<void> {
  const button = (event.target as Element).closest<HTMLButtonElement>('button[data-copy]');
  if (!button) return;
  const code = button.closest('figure')?.querySelector('code')?.textContent ?? '';
  const said = (await copyText(code)) ? 'Copied' : 'Not copied';
  button.dataset.said = said;
  button.setAttribute('aria-label', said);
  setTimeout(() => {
    delete button.dataset.said;
    button.removeAttribute('aria-label');
  }, shownMs);
}
