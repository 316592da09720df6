/**
 * Types as text. COMPAT: errors print these, in cel-go's two ways.
 */

import type { CelType } from './type.ts';

/** A type as messages of the checker print it: `map(string, int)`, `timestamp`, `wrapper(int)`. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'any':
      return 'any';
    case 'duration':
      return 'duration';
    case 'timestamp':
      return 'timestamp';
    case 'error':
      return '!error!';
    case 'null':
      return 'null';
    case 'wrapper':
      return `wrapper(${type.name})`;
    default:
      return withParameters(type.name, type.parameters.map(formatType));
  }
}

/**
 * A type by its declared name, as `must evaluate to bool but got …` prints it:
 * `google.protobuf.Timestamp`.
 */
export function typeToString(type: CelType): string {
  if (type.kind === 'wrapper') return `wrapper(${type.name})`;
  return withParameters(type.name, type.parameters.map(typeToString));
}

/** `(int, string)`, or `list(int).(string)` for a receiver. */
export function formatArguments(types: readonly CelType[], isMember: boolean): string {
  const [receiver, ...rest] = types.map(formatType);
  if (isMember && receiver !== undefined) return `${receiver}.(${rest.join(', ')})`;
  return `(${types.map(formatType).join(', ')})`;
}

function withParameters(name: string, parameters: readonly string[]): string {
  return parameters.length === 0 ? name : `${name}(${parameters.join(', ')})`;
}
