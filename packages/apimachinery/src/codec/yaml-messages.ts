// Says in the words of Go's YAML library what js-yaml found wrong.
//
// COMPAT: the library is a port of libyaml. Its scanner reports the line counted from one, its
// parser the line before, and neither names the first line.

import type { YAMLException } from 'js-yaml';

/** The text up to the end of the first document; later documents are not looked at. */
export function firstDocument(text: string): string {
  const start = /^(?:[ \t]*(?:#.*)?(?:\r?\n|$)|%.*\r?\n)*(?:---(?=[ \t\r\n]|$))?/.exec(text);
  const from = start?.[0].length ?? 0;
  const next = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/m;
  const rest = text.slice(from);
  const end = next.exec(rest.replace(/^[^\n]*/, (line) => ' '.repeat(line.length)));
  return end === null ? text : text.slice(0, from + end.index);
}

/** The line of a position, counted from one. */
export function lineOf(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < position; at = text.indexOf('\n', at + 1)) {
    line++;
  }
  return line;
}

export function yamlSyntaxMessage(text: string, error: YAMLException): string {
  const position = error.mark?.position ?? 0;
  const line = lineOf(text, position);
  const message = (words: string, shown: number): string =>
    shown > 0 ? `yaml: line ${shown}: ${words}` : `yaml: ${words}`;
  const scanner = (words: string): string => message(words, line > 1 ? line : 0);
  const parser = (words: string): string => message(words, line - 1);
  const character = text.charAt(position);
  switch (error.reason) {
    case 'unexpected end of the stream within a flow collection':
      return message(`did not find expected ',' or '${unclosed(text)}'`, streamEndLine(text));
    case 'missed comma between flow collection entries':
      return parser(`did not find expected ',' or '${unclosed(text.slice(0, position))}'`);
    case 'unexpected end of the stream within a double quoted scalar':
    case 'unexpected end of the stream within a single quoted scalar':
    case 'deficient indentation':
      return message(
        'found unexpected end of stream',
        text.includes('\n') ? streamEndLine(text) + 1 : 0,
      );
    case 'unknown escape sequence':
      return scanner('found unknown escape character');
    case 'tab characters must not be used in indentation':
      return scanner('found character that cannot start any token');
    case 'bad indentation of a sequence entry':
      return parser("did not find expected '-' indicator");
    case 'bad indentation of a mapping entry':
      if (/[@`%]/.test(character)) return scanner('found character that cannot start any token');
      if (/^[^#\n]*?:(?:[ \t\r]|$)/m.test(restOfLine(text, position))) {
        return scanner('mapping values are not allowed in this context');
      }
      return parser('did not find expected key');
    case 'end of the stream or a document separator is expected':
      return parser(
        /^\s*-[ \t\n]/.test(text)
          ? "did not find expected '-' indicator"
          : 'did not find expected key',
      );
    case 'the stream contains non-printable characters':
    case 'null byte is not allowed in input':
      return 'yaml: control characters are not allowed';
    default:
      return scanner(error.reason);
  }
}

function restOfLine(text: string, position: number): string {
  const end = text.indexOf('\n', position);
  return text.slice(position, end < 0 ? text.length : end);
}

/** The bracket that would close the innermost open flow collection. */
function unclosed(text: string): ']' | '}' {
  const open: (']' | '}')[] = [];
  for (const character of text) {
    if (character === '[') open.push(']');
    else if (character === '{') open.push('}');
    else if (character === open.at(-1)) open.pop();
  }
  return open.at(-1) ?? ']';
}

/** Lines before the end of the stream, which stands on a line of its own. */
function streamEndLine(text: string): number {
  return lineOf(text, text.length) - (text.endsWith('\n') ? 1 : 0);
}
