/**
 * `regex.replace`, `regex.extract` and `regex.extractAll`: what a pattern finds. In a replacement,
 * `\1` to `\9` stand for groups and `\\` for a backslash. A pattern to extract has at most one
 * group; with one, the group is what is extracted.
 */

import { celTypes, listType, optionalType } from '../../types/type.ts';
import { celError } from '../../values/error.ts';
import { celList } from '../../values/list.ts';
import { optionalNone, optionalOf } from '../../values/scalars.ts';
import type { CelError, CelResult, CelValue } from '../../values/value.ts';
import { declareFunction, globalOverload } from '../library.ts';
import type { Library } from '../library.ts';
import { compileRegex } from '../regex.ts';
import type { Regex } from '../regex.ts';

const { int, string } = celTypes;

/** Functions over regular expressions. Extraction gives optional values. */
export const regexLibrary: Library = {
  name: 'cel.ext.regex',
  functions: [
    declareFunction(
      'regex.replace',
      globalOverload(
        'regex_replaceAll_string_string_string',
        [[string, string, string], string],
        (text: string, pattern: string, to: string) => replace(text, [pattern, to], -1n),
      ),
      globalOverload(
        'regex_replaceCount_string_string_string_int',
        [[string, string, string, int], string],
        (text: string, ...[pattern, to, count]: [string, string, bigint]) =>
          replace(text, [pattern, to], count),
      ),
    ),
    declareFunction(
      'regex.extract',
      globalOverload(
        'regex_extract_string_string',
        [[string, string], optionalType(string)],
        extract,
      ),
    ),
    declareFunction(
      'regex.extractAll',
      globalOverload(
        'regex_extractAll_string_string',
        [[string, string], listType(string)],
        extractAll,
      ),
    ),
  ],
};

function compile(pattern: string): Regex | CelError {
  const regex = compileRegex(pattern);
  return typeof regex === 'string' ? celError(`given regex is invalid: ${regex}`) : regex;
}

function compileExtraction(pattern: string): Regex | CelError {
  const regex = compile(pattern);
  if ('message' in regex || regex.groupCount() <= 1) return regex;
  return celError(`regular expression has more than one capturing group: "${pattern}"`);
}

function* findMatches(regex: Regex, text: string): Iterable<ReturnType<Regex['matcher']>> {
  const matcher = regex.matcher(text);
  while (matcher.find()) yield matcher;
}

function replace(text: string, [pattern, to]: readonly [string, string], count: bigint): CelResult {
  const regex = compile(pattern);
  if ('message' in regex) return regex;
  const parts = parseReplacement(to, regex.groupCount());
  if (!Array.isArray(parts)) return celError(parts.message);
  let result = '';
  let end = 0;
  let left = count;
  for (const match of findMatches(regex, text)) {
    if (left-- === 0n) break;
    result += text.slice(end, match.start());
    for (const part of parts) result += typeof part === 'string' ? part : (match.group(part) ?? '');
    end = match.end();
  }
  return result + text.slice(end);
}

function parseReplacement(
  text: string,
  groupCount: number,
): (string | number)[] | { readonly message: string } {
  const parts: (string | number)[] = [];
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? '';
    if (character !== '\\') {
      parts.push(character);
      continue;
    }
    const next = text[++index];
    if (next === '\\') parts.push('\\');
    else if (next !== undefined && next >= '0' && next <= '9') {
      const group = Number(next);
      if (group > groupCount) {
        const counts = `string references group ${group} but regex has only ${groupCount} group(s)`;
        return { message: `replacement ${counts}` };
      }
      parts.push(group);
    } else return { message: 'invalid replacement string: \\ must be followed by a digit or \\' };
  }
  return parts;
}

function extract(text: string, pattern: string): CelResult {
  const regex = compileExtraction(pattern);
  if ('message' in regex) return regex;
  for (const match of findMatches(regex, text)) {
    const found = match.group(regex.groupCount());
    return typeof found === 'string' ? optionalOf(found) : optionalNone;
  }
  return optionalNone;
}

function extractAll(text: string, pattern: string): CelResult {
  const regex = compileExtraction(pattern);
  if ('message' in regex) return regex;
  const found: CelValue[] = [];
  for (const match of findMatches(regex, text)) {
    const group = match.group(regex.groupCount());
    if (typeof group === 'string') found.push(group);
  }
  return celList(found);
}
