const shownMs = 1500;

/** One listener for every code block of a thread: the buttons are part of the Markdown and have none of their own. */
export async function copyCode(event: MouseEvent): Promise<void> {
  const button = (event.target as Element).closest<HTMLButtonElement>('button[data-copy]');
  if (!button) return;
  const code = button.closest('figure')?.querySelector('code')?.textContent ?? '';
  // Pages that came over plain HTTP from another machine have no clipboard.
  const said = await Promise.resolve(navigator.clipboard)
    .then((clipboard) => clipboard.writeText(code))
    .then(
      () => 'Copied',
      () => 'Not copied',
    );
  button.dataset.said = said;
  button.setAttribute('aria-label', said);
  setTimeout(() => {
    delete button.dataset.said;
    button.removeAttribute('aria-label');
  }, shownMs);
}
