/** Escape sequences of terminals: CSI (colours, cursor), OSC (titles, links), and the two- and three-byte ones. */
const escapes = new RegExp(
  [
    '\\u001b\\[[0-?]*[ -/]*[@-~]',
    '\\u001b\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)',
    '\\u001b[PX^_][^\\u001b]*\\u001b\\\\',
    '\\u001b[ -/]*[0-OQ-WYZ\\\\`-~]',
    '\\u009b[0-?]*[ -/]*[@-~]',
  ].join('|'),
  'g',
);
const unfinished = /\u001b(?:\[[0-?]*[ -/]*|\][^\u0007\u001b]*\u001b?|[PX^_][^\u001b]*\u001b?|[ -/]*)?$/;
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

/** One line as a terminal would leave it: after a carriage return the new text lies over the old. */
function overwrite(line: string): string {
  if (!line.includes('\r')) return line;
  return line.split('\r').reduce((shown, next) => next + shown.slice(next.length), '');
}

/** Terminal output as plain text. An escape sequence that has only begun is not shown. */
export function plainOutput(text: string): string {
  const stripped = text.replace(escapes, '').replace(unfinished, '').replace(/\r+\n/g, '\n');
  return stripped.split('\n').map(overwrite).join('\n').replace(controls, '');
}
