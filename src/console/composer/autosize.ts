/** Takes the focus, unless something else has it. */
export function focusFree(element: HTMLElement): void {
  if (document.activeElement === null || document.activeElement === document.body) element.focus();
}

/** Lets a text area grow with its text where CSS alone cannot. */
export function autosize(area: HTMLTextAreaElement): void {
  if (CSS.supports('field-sizing', 'content')) return;
  const fit = () => {
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight}px`;
  };
  area.addEventListener('input', fit);
  requestAnimationFrame(fit);
}
