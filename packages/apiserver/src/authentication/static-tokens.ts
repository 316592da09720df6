// Tokens that are known when the server starts: those of `--token-auth-file`, and the server's own
// token for its clients in other processes. The file is CSV: token, user name, uid,
// "group1,group2".
//
// SECURITY: tokens are kept and looked up as keyed digests, so neither the time that a lookup takes
// nor a look at the table tells a token.

import type { TokenAuthenticator, UserInfo } from './authenticator.ts';
import { createTokenDigest } from './token-digest.ts';
import { recordAuthentication } from './union.ts';

export interface StaticToken {
  readonly token: string;
  readonly user: UserInfo;
}

/** Knows exactly `tokens`; the last of several equal ones counts. */
export function createStaticTokenAuthenticator(
  name: string,
  tokens: readonly StaticToken[],
): TokenAuthenticator {
  const digest = createTokenDigest();
  const users = new Map(tokens.map(({ token, user }) => [digest(token), user]));
  return {
    name,
    async authenticateToken(token, _audiences, trace) {
      const user = users.size === 0 ? undefined : users.get(digest(token));
      const result =
        user === undefined
          ? ({ outcome: 'no-credential', reason: 'the token is none of those listed' } as const)
          : ({ outcome: 'authenticated', user } as const);
      if (trace.enabled) recordAuthentication(trace, name, result);
      return result;
    },
  };
}

/** A token file could not be read. */
export class TokenFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TokenFileError';
  }
}

/**
 * Reads the text of a token file. `path` appears in messages; tokens never do. Throws
 * TokenFileError.
 */
export function parseTokenFile(
  text: string,
  path: string,
): { tokens: StaticToken[]; warnings: string[] } {
  const tokens: StaticToken[] = [];
  const warnings: string[] = [];
  const seen = new Set<string>();
  for (const [index, record] of parseCsv(text).entries()) {
    if (record.length < 3)
      throw new TokenFileError(
        `token file '${path}' must have at least 3 columns (token, user name, user uid), found ${record.length}`,
      );
    const [token = '', name = '', uid = '', groups] = record;
    const about = `has been found in token file '${path}', record number '${index + 1}'`;
    if (token === '') {
      warnings.push(`empty token ${about}`);
      continue;
    }
    if (seen.has(token)) warnings.push(`duplicate token ${about}`);
    seen.add(token);
    const user = { name, uid, groups: groupsOf(groups), extra: {} };
    tokens.push({ token, user });
  }
  return { tokens, warnings };
}

/** SECURITY: an empty column is no group of an empty name. */
function groupsOf(column: string | undefined): string[] {
  return (column ?? '').split(',').filter((group) => group !== '');
}

// RFC 4180 as Go reads it: fields may be quoted, `""` is a quote, empty lines are skipped.
function parseCsv(text: string): string[][] {
  const source = text.replaceAll('\r\n', '\n');
  const field = /"((?:[^"]|"")*)"(?=[,\n]|$)|([^",\n]*)(?=[,\n]|$)/y;
  const records: string[][] = [];
  let record: string[] = [];
  for (let at = 0, line = 1; at < source.length || record.length > 0;) {
    if (record.length === 0 && source[at] === '\n') {
      at++;
      line++;
      continue;
    }
    field.lastIndex = at;
    const match = field.exec(source);
    if (match === null) throw new TokenFileError(`parse error on line ${line}: misplaced quote`);
    record.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    at = field.lastIndex + 1;
    if (source[field.lastIndex] === ',') continue;
    records.push(record);
    record = [];
    line++;
  }
  return records;
}
