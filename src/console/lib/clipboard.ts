/** True when it was copied. Pages that came over plain HTTP from another machine have no clipboard. */
export function copyText(text: string): Promise<boolean> {
  return Promise.resolve(navigator.clipboard)
    .then((clipboard) => clipboard.writeText(text))
    .then(
      () => true,
      () => false,
    );
}
