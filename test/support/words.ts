/** The words of a command line: white space parts them, unless it stands in quotes or behind a backslash. */
export function wordsOf(line: string): string[] {
  const words = line.match(/(?:\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'\\])+/gs) ?? [];
  return words.map((word) =>
    word.replace(
      /\\(.)|"((?:\\.|[^"\\])*)"|'([^']*)'/gs,
      (_, bare, double, single) => bare ?? single ?? String(double).replace(/\\(["\\$`])/g, '$1'),
    ),
  );
}
