// Reads the parts of our documents that tests compare with the code: tables and links.

/** The cells of the first table after a heading, without its head. Throws when there is none. */
export function tableUnder(text: string, heading: string): string[][] {
  const section = sectionUnder(text, heading);
  const lines = section.split('\n');
  const start = lines.findIndex((line) => /^\|\s*:?-/.test(line));
  if (start < 0) throw new Error(`no table under ${JSON.stringify(heading)}`);
  const rows: string[][] = [];
  for (const line of lines.slice(start + 1)) {
    if (!line.startsWith('|')) break;
    rows.push(
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

/** The text from a heading to the next one of its level or above. Throws when there is none. */
export function sectionUnder(text: string, heading: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex(
    (line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading,
  );
  if (start < 0) throw new Error(`no heading ${JSON.stringify(heading)}`);
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 1;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => (/^#+(?= )/.exec(line)?.[0].length ?? 9) <= level);
  return (end < 0 ? rest : rest.slice(0, end)).join('\n');
}

/** Targets of `[text](target)`, without anchors; addresses of the web are left out. */
export function localLinks(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => (match[1] ?? '').replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}
