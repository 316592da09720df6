// `text.find(pattern)` and `text.findAll(pattern)`, in RE2's syntax and linear time.

import { declareFunction, memberOverload, type Library } from '../../library/library.ts';
import { compileRegex, type Regex } from '../../library/regex.ts';
import { celTypes, listType } from '../../types/type.ts';
import { celError } from '../../values/error.ts';
import { celList } from '../../values/list.ts';
import type { CelResult } from '../../values/value.ts';

const { int, string } = celTypes;

function withRegex(pattern: string, use: (regex: Regex) => CelResult): CelResult {
  const regex = compileRegex(pattern);
  return typeof regex === 'string' ? celError(`Illegal regex: ${regex}`) : use(regex);
}

function find(text: string, pattern: string): CelResult {
  return withRegex(pattern, (regex) => {
    const matcher = regex.matcher(text);
    return matcher.find() ? (matcher.group() ?? '') : '';
  });
}

/** At most `limit` matches; all of them when it is negative. */
function findAll(text: string, pattern: string, limit = -1n): CelResult {
  return withRegex(pattern, (regex) => {
    const matcher = regex.matcher(text);
    const found: string[] = [];
    while ((limit < 0n || BigInt(found.length) < limit) && matcher.find()) {
      found.push(matcher.group() ?? '');
    }
    return celList(found);
  });
}

export const regexLibrary: Library = {
  name: 'kubernetes.regex',
  functions: [
    declareFunction('find', memberOverload('string_find_string', [[string, string], string], find)),
    declareFunction(
      'findAll',
      memberOverload(
        'string_find_all_string',
        [[string, string], listType(string)],
        (text: string, pattern: string) => findAll(text, pattern),
      ),
      memberOverload(
        'string_find_all_string_int',
        [[string, string, int], listType(string)],
        findAll,
      ),
    ),
  ],
};
