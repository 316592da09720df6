// The text of a token before anybody believes it: three parts in base64url, JSON objects in the
// first two. Members that stand twice are refused, for two readers could read two tokens.

import { getOwn, isJsonObject, parseJsonObject, type JsonObject } from '@keelson/apimachinery';

export interface UnverifiedJwt {
  readonly algorithm: string;
  readonly keyId: string;
  readonly claims: JsonObject;
}

// As long as all headers of a request together. SECURITY: a review may bring a longer one.
const tokenLengthMax = 64 * 1024;
const compact = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*$/;

/** The issuer that a token says it has; undefined for what is no compact token. */
export function issuerOf(token: string): string | undefined {
  if (token.length > tokenLengthMax) return undefined;
  const claims = decodeObject(compact.exec(token)?.[1]);
  const issuer = claims === undefined ? undefined : getOwn(claims.value, 'iss');
  if (typeof issuer !== 'string') return undefined;
  // COMPAT: OpenID Connect lets Google leave out the scheme.
  return issuer === googleWithoutScheme ? `https://${googleWithoutScheme}` : issuer;
}

export const googleWithoutScheme = 'accounts.google.com';

/** The parts of a token, or what is wrong with them. */
export function readJwt(token: string): UnverifiedJwt | string {
  if (token.length > tokenLengthMax) return `it is longer than ${tokenLengthMax} characters`;
  if (!compact.test(token)) return 'it is not in compact form';
  const [head, body] = token.split('.');
  const header = decodeObject(head);
  const claims = decodeObject(body);
  if (header === undefined || claims === undefined) return 'its parts are no JSON objects';
  const [twice] = [...header.strictErrors, ...claims.strictErrors];
  if (twice !== undefined) return twice;
  const { alg, kid = '' } = header.value;
  if (typeof alg !== 'string') return 'its header names no algorithm';
  if (typeof kid !== 'string') return 'its key id is no text';
  // SECURITY: they may change what the payload is (RFC 7797), and none is understood here.
  if (Object.hasOwn(header.value, 'crit')) return 'its header has critical extensions';
  return { algorithm: alg, keyId: kid, claims: claims.value };
}

function decodeObject(part: string | undefined) {
  if (part === undefined) return undefined;
  try {
    const text = Buffer.from(part, 'base64url').toString('utf8');
    if (!text.trimStart().startsWith('{')) return undefined;
    const decoded = parseJsonObject(text, { strict: true });
    return isJsonObject(decoded.value) ? decoded : undefined;
  } catch {
    return undefined;
  }
}
