// Claims read as the types that mappings need. COMPAT: as Go's JSON does it, null is an empty
// value, and texts name Go's types.

import { getOwn, type JsonObject, type JsonValue } from '@keelson/apimachinery';

/** A claim that cannot be used as it is asked for. */
export class ClaimError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ClaimError';
  }
}

export function textClaim(claims: JsonObject, name: string): string {
  const value = presentClaim(claims, name);
  if (value === null) return '';
  if (typeof value !== 'string') throw wrongType(value, 'string');
  return value;
}

export function boolClaim(claims: JsonObject, name: string): boolean {
  const value = presentClaim(claims, name);
  if (value === null) return false;
  if (typeof value !== 'boolean') throw wrongType(value, 'bool');
  return value;
}

/** A text counts as a list of one. */
export function textsClaim(claims: JsonObject, name: string): string[] {
  const value = presentClaim(claims, name);
  if (value === null) return [];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) throw wrongType(value, 'string');
  return value.map((item) => {
    if (item === null) return '';
    if (typeof item !== 'string') throw wrongType(value, 'string');
    return item;
  });
}

function presentClaim(claims: JsonObject, name: string): JsonValue {
  const value = getOwn(claims, name);
  if (value === undefined) throw new ClaimError('claim not present');
  return value;
}

function wrongType(value: JsonValue, wanted: string): ClaimError {
  return new ClaimError(
    `json: cannot unmarshal ${jsonType(value)} into Go value of type ${wanted}`,
  );
}

function jsonType(value: JsonValue): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'bigint' ? 'number' : typeof value;
}
