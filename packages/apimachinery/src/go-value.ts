// How Go's fmt package prints a decoded JSON value with %v, for the texts in which Kubernetes shows
// one: `map[a:1 b:[x y]]`. Keys are sorted.

import { compareGoStrings } from './go-string.ts';
import type { JsonValue } from './json.ts';
import { quoteGo } from './status/field-error.ts';

/** Kinds of decoded JSON as Go's reflection names them. */
export type GoKind = 'map' | 'slice' | 'string' | 'bool' | 'int64' | 'float64' | 'nil';

export function goKind(value: JsonValue | undefined): GoKind {
  if (value === undefined || value === null) return 'nil';
  if (Array.isArray(value)) return 'slice';
  switch (typeof value) {
    case 'object':
      return 'map';
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? 'int64' : 'float64';
    default:
      return Number.isInteger(value) ? 'int64' : 'float64';
  }
}

/** The type as `%T` prints it: `map[string]interface {}`, `int64`, `<nil>`. */
export function goTypeName(value: JsonValue | undefined): string {
  const kind = goKind(value);
  switch (kind) {
    case 'map':
      return 'map[string]interface {}';
    case 'slice':
      return '[]interface {}';
    case 'nil':
      return '<nil>';
    default:
      return kind;
  }
}

/** The value as `%v` prints it. */
export function formatGoValue(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(formatGoValue).join(' ')}]`;
  if (typeof value === 'object') {
    const keys = Object.keys(value).sort(compareGoStrings);
    return `map[${keys.map((key) => `${key}:${formatGoValue(value[key])}`).join(' ')}]`;
  }
  if (typeof value === 'number' && !Number.isInteger(value)) return formatGoFloat(value);
  return String(value);
}

/** The shortest form, with at least two digits of exponent, which begins below 1e-4 and at 1e21. */
export function formatGoFloat(value: number): string {
  const small = value !== 0 && Math.abs(value) < 1e-4;
  const text = small ? value.toExponential() : String(value);
  return text.replace(/e([+-])([0-9])$/, 'e$10$2');
}

/** The value as `%#v` prints it: `"a"`, `5`, `map[string]interface {}{"a":1}`. */
export function formatGoLiteral(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return 'interface {}(nil)';
  if (typeof value === 'string') return quoteGo(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(formatGoLiteral).join(', ')}}`;
  if (typeof value !== 'object') return formatGoValue(value);
  const keys = Object.keys(value).sort(compareGoStrings);
  const members = keys.map((key) => `${quoteGo(key)}:${formatGoLiteral(value[key])}`);
  return `map[string]interface {}{${members.join(', ')}}`;
}
