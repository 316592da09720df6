// Continue tokens of paginated lists: base64url JSON with the revision and the last key, as
// k8s.io/apiserver/pkg/storage/continue.go writes them. A token is opaque to clients but not
// secret; it is checked as input.

import { isJsonObject, statusErrors } from '@keelson/apimachinery';

export interface ContinueToken {
  /**
   * Revision of the first page; -1 in a token that was given out after that revision was compacted.
   */
  readonly revision: number;
  /** The last key delivered, relative to the list's prefix. */
  readonly start: string;
}

const version = 'meta.k8s.io/v1';

export function encodeContinueToken(token: ContinueToken): string {
  return Buffer.from(
    JSON.stringify({ v: version, rv: token.revision, start: `${token.start}\u0000` }),
  ).toString('base64url');
}

/** Throws the 400 that Kubernetes gives for a malformed token. */
export function decodeContinueToken(text: string): ContinueToken {
  const bytes = Buffer.from(text, 'base64url');
  const value = parseToken(bytes);
  if (value.v !== version)
    throw invalidToken(`server does not recognize this encoded version ${String(value.v ?? '')}`);
  const { rv, start } = value;
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0)
    throw invalidToken(`incorrect encoded start resourceVersion (version ${version})`);
  if (typeof start !== 'string' || start === '')
    throw invalidToken(`empty encoded start key (version ${version})`);
  if (start.split('/').includes('..')) throw invalidToken(start);
  return { revision: rv, start: start.replace(/\u0000$/, '') };
}

/** COMPAT: null is a token without members, as Go decodes it; other JSON is none. */
function parseToken(bytes: Buffer): { v?: unknown; rv?: unknown; start?: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw invalidToken(jsonProblem(bytes.toString('latin1')));
  }
  if (value === null) return {};
  if (isJsonObject(value)) return value;
  const goKind = Array.isArray(value)
    ? 'array'
    : typeof value === 'boolean'
      ? 'bool'
      : typeof value;
  throw invalidToken(
    `json: cannot unmarshal ${goKind} into Go value of type storage.continueToken`,
  );
}

function invalidToken(why: string) {
  return statusErrors.badRequest(`invalid continue token: continue key is not valid: ${why}`);
}

/**
 * Go's text for JSON that does not parse; tokens are ours, so only the first problem's kind
 * matters.
 */
function jsonProblem(text: string): string {
  const first = text.trimStart()[0];
  if (first === undefined || first === '{' || first === '[' || first === '"')
    return 'unexpected end of JSON input';
  return `invalid character '${first}' looking for beginning of value`;
}
