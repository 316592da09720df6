/**
 * What is wrong with an expression, and where. `formatIssues` prints issues as cel-go does, with
 * the line and a caret; Kubernetes shows that text to users.
 */

/** One thing wrong with an expression. */
export interface Issue {
  readonly message: string;
  /** From 1. */
  readonly line: number;
  /** From 0, in code points; -1 with line -1 when there is no place. */
  readonly column: number;
}

/**
 * All issues, one per paragraph, each with its line of the source. COMPAT: the format is cel-go's.
 */
export function formatIssues(source: string, issues: readonly Issue[], name = '<input>'): string {
  const lines = source.split('\n');
  return issues.map((issue) => formatIssue(lines, issue, name)).join('\n');
}

function formatIssue(lines: readonly string[], issue: Issue, name: string): string {
  // COMPAT: in an empty source there is no place to show.
  if (lines.length === 1 && lines[0] === '') {
    return `ERROR: ${name}:${issue.line}:${issue.column}: ${issue.message}`;
  }
  const title = `ERROR: ${name}:${issue.line}:${issue.column + 1}: ${issue.message}`;
  const line = lines[issue.line - 1];
  if (line === undefined) return title;
  return `${title}\n | ${line.replaceAll('\t', ' ')}\n | ${caretLine(line, issue.column)}`;
}

// Wide characters get wide dots, so that the caret stands under what it means.
function caretLine(line: string, column: number): string {
  let dots = '';
  let count = 0;
  for (const character of line) {
    if (count++ >= column) break;
    dots += isWide(character) ? '．' : '.';
  }
  const at = [...line][column];
  return dots + (at !== undefined && isWide(at) ? '＾' : '^');
}

// COMPAT: cel-go calls everything wide that takes more than one byte in UTF-8.
function isWide(character: string): boolean {
  return (character.codePointAt(0) ?? 0) >= 0x80;
}
