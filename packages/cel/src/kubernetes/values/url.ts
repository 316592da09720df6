// URLs as Go's net/url reads them: absolute URIs (`https://host:8443/a?x=1`, `mailto:a@b`) and
// absolute paths (`/a?x=1`). Not `new URL()`, which accepts and repairs other texts.
// COMPAT: texts of errors are Go's.

import { quoteText } from './quote-text.ts';

export interface ParsedUrl {
  readonly scheme: string;
  /** What follows the scheme when that is no path: `a@b` of `mailto:a@b`. */
  readonly opaque: string;
  readonly user: string;
  /** With port, and brackets around IPv6. */
  readonly host: string;
  readonly escapedPath: string;
  readonly rawQuery: string;
  readonly fragment: string;
}

interface Failure {
  readonly error: string;
}

/** The URL, or the text of the error. A relative reference is an error. */
export function parseUrl(text: string): ParsedUrl | Failure {
  const strict = parseParts(text, true);
  if ('error' in strict) return failed(text, strict);
  // Requests have no fragments; with the strict rules one would become part of path or query.
  const hash = text.indexOf('#');
  const whole = hash < 0 ? text : text.slice(0, hash);
  const parsed = parseParts(whole, false);
  if ('error' in parsed) return failed(whole, parsed);
  const fragment = unescapeText(hash < 0 ? '' : text.slice(hash + 1), 'fragment');
  if (typeof fragment !== 'string') return failed(text, fragment);
  return { ...parsed, fragment };
}

/** Why the text is no URI that a request can be sent to; undefined when it is one. */
export function requestUriProblem(text: string): string | undefined {
  const parsed = parseParts(text, true);
  return 'error' in parsed ? failed(text, parsed).error : undefined;
}

function failed(text: string, { error }: Failure): Failure {
  return { error: `parse ${quoteText(text)}: ${error}` };
}

/** Host without port and brackets. */
export function hostnameOf({ host }: ParsedUrl): string {
  const name = splitPort(host)[0];
  return name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
}

/** The port as text; empty without. */
export function portOf({ host }: ParsedUrl): string {
  return splitPort(host)[1];
}

/** Values by key, unescaped. Pairs that cannot be read are left out. */
export function queryOf({ rawQuery }: ParsedUrl): ReadonlyMap<string, readonly string[]> {
  const query = new Map<string, string[]>();
  for (const pair of rawQuery.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const equals = pair.indexOf('=');
    const key = unescapeText(equals < 0 ? pair : pair.slice(0, equals), 'query');
    const value = unescapeText(equals < 0 ? '' : pair.slice(equals + 1), 'query');
    if (typeof key !== 'string' || typeof value !== 'string') continue;
    const values = query.get(key);
    if (values === undefined) query.set(key, [value]);
    else values.push(value);
  }
  return query;
}

export function isSameUrl(a: ParsedUrl, b: ParsedUrl): boolean {
  return (Object.keys(a) as (keyof ParsedUrl)[]).every((part) => a[part] === b[part]);
}

function splitPort(host: string): [name: string, port: string] {
  const colon = host.lastIndexOf(':');
  if (colon < 0 || !isOptionalPort(host.slice(colon))) return [host, ''];
  return [host.slice(0, colon), host.slice(colon + 1)];
}

function isOptionalPort(text: string): boolean {
  return /^(:[0-9]*)?$/.test(text);
}

function parseParts(text: string, isRequest: boolean): ParsedUrl | Failure {
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    return { error: 'net/url: invalid control character in URL' };
  }
  if (text === '' && isRequest) return { error: 'empty url' };
  if (text.startsWith(':')) return { error: 'missing protocol scheme' };
  const given = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)?.[1];
  const scheme = given?.toLowerCase() ?? '';
  const afterScheme = given === undefined ? text : text.slice(given.length + 1);
  const mark = afterScheme.indexOf('?');
  const rest = mark < 0 ? afterScheme : afterScheme.slice(0, mark);
  const rawQuery = mark < 0 ? '' : afterScheme.slice(mark + 1);
  const parts = { scheme, opaque: '', user: '', host: '', escapedPath: '', rawQuery, fragment: '' };
  if (text === '*') return { ...parts, escapedPath: '*' };
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...parts, opaque: rest };
    if (isRequest) return { error: 'invalid URI for request' };
    if (rest.split('/')[0]?.includes(':')) {
      return { error: 'first path segment in URL cannot contain colon' };
    }
  }
  const mayHaveHost = scheme !== '' || (!isRequest && !rest.startsWith('///'));
  if (!mayHaveHost || !rest.startsWith('//')) return withPath(parts, rest);
  const slash = rest.indexOf('/', 2);
  const authority = parseAuthority(slash < 0 ? rest.slice(2) : rest.slice(2, slash));
  if ('error' in authority) return authority;
  return withPath({ ...parts, ...authority }, slash < 0 ? '' : rest.slice(slash));
}

function withPath(parts: ParsedUrl, given: string): ParsedUrl | Failure {
  const path = unescapeBytes(given, 'path');
  if ('error' in path) return path;
  if (/^[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]/%]*$/.test(given)) return { ...parts, escapedPath: given };
  return { ...parts, escapedPath: escapePath(path) };
}

function escapePath(path: Uint8Array): string {
  return [...path]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (/[A-Za-z0-9\-_.~$&+,/:;=@]/.test(character)) return character;
      return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

function parseAuthority(authority: string): { user: string; host: string } | Failure {
  const at = authority.lastIndexOf('@');
  const host = parseHost(authority.slice(at + 1));
  if (typeof host !== 'string') return host;
  const user = at < 0 ? '' : authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user)) {
    return { error: 'net/url: invalid userinfo' };
  }
  const unescaped = unescapeText(user, 'user');
  return typeof unescaped === 'string' ? { user: unescaped, host } : unescaped;
}

function parseHost(host: string): string | Failure {
  if (!host.startsWith('[')) {
    const colon = host.lastIndexOf(':');
    const port = colon < 0 ? '' : host.slice(colon);
    if (!isOptionalPort(port)) return { error: `invalid port ${quoteText(port)} after host` };
    return unescapeText(host, 'host');
  }
  const end = host.lastIndexOf(']');
  if (end < 0) return { error: "missing ']' in host" };
  const port = host.slice(end + 1);
  if (!isOptionalPort(port)) return { error: `invalid port ${quoteText(port)} after host` };
  const zone = host.slice(0, end).indexOf('%25');
  if (zone < 0) return unescapeText(host, 'host');
  let joined = '';
  for (const [part, mode] of [
    [host.slice(0, zone), 'host'],
    [host.slice(zone, end), 'zone'],
    [host.slice(end), 'host'],
  ] as const) {
    const unescaped = unescapeText(part, mode);
    if (typeof unescaped !== 'string') return unescaped;
    joined += unescaped;
  }
  return joined;
}

type Part = 'path' | 'query' | 'fragment' | 'user' | 'host' | 'zone';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const hostCharacter = /[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"]/;

function unescapeText(text: string, part: Part): string | Failure {
  const bytes = unescapeBytes(text, part);
  return 'error' in bytes ? bytes : decoder.decode(bytes);
}

function unescapeBytes(text: string, part: Part): Uint8Array | Failure {
  const inHost = part === 'host' || part === 'zone';
  if (!inHost && !/[%+]/.test(text)) return encoder.encode(text);
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = String.fromCodePoint(text.codePointAt(i) ?? 0);
    if (character === '%') {
      const escape = text.slice(i, i + 3);
      const byte = /^%[0-9a-fA-F]{2}$/.test(escape) ? Number.parseInt(escape.slice(1), 16) : -1;
      if (byte < 0 || !mayEscape(byte, part)) {
        return { error: `invalid URL escape ${quoteText(escape)}` };
      }
      bytes.push(byte);
      i += 2;
    } else if (character === '+' && part === 'query') bytes.push(0x20);
    else if (inHost && character < '\u0080' && !hostCharacter.test(character)) {
      return { error: `invalid character ${quoteText(character)} in host name` };
    } else {
      bytes.push(...encoder.encode(character));
      i += character.length - 1;
    }
  }
  return Uint8Array.from(bytes);
}

/** In hosts only what is not ASCII may be escaped, and the percent sign before a zone. */
function mayEscape(byte: number, part: Part): boolean {
  if (byte === 0x25) return true;
  if (part === 'host') return byte >= 0x80;
  if (part !== 'zone') return true;
  return byte === 0x20 || hostCharacter.test(String.fromCharCode(byte));
}
