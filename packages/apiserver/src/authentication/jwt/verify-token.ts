// Is a token what its issuer wrote, for us, and now? In go-oidc's order: form, issuer, audience,
// expiry, not-before, algorithm, signature. What is cheap comes before what makes others work.
// COMPAT: texts are go-oidc's; TokenReview shows them.

import {
  getOwn,
  quoteGo,
  type Clock,
  type JsonObject,
  type JsonValue,
} from '@keelson/apimachinery';
import { googleWithoutScheme, readJwt } from './compact-token.ts';
import type { KeySet } from './key-set.ts';

export interface TokenVerifierOptions {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  readonly keySet: KeySet;
  readonly clock: Clock;
}

/** `check` names what failed, for the decision trace. */
export interface TokenProblem {
  readonly check: string;
  readonly problem: string;
}

export type VerifiedToken = { readonly claims: JsonObject } | TokenProblem;

export interface TokenVerifier {
  verify(token: string): Promise<VerifiedToken>;
}

/** Asymmetric ones only; `none` and HMAC are not among them. */
export const signingAlgorithms: readonly string[] = [
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
];

// Clocks of issuers may be ahead by this much; there is none for the expiry.
const notBeforeLeewayMs = 60_000;

export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  return {
    async verify(token) {
      const jwt = readJwt(token);
      if (typeof jwt === 'string') return problem('form', `oidc: malformed jwt: ${jwt}`);
      const { claims, algorithm } = jwt;
      const refusal =
        typeProblem(claims) ??
        issuerProblem(claims, options.issuer) ??
        audienceProblem(claims, options.audiences) ??
        timeProblem(claims, options.clock.now()) ??
        algorithmProblem(algorithm, options.algorithms);
      if (refusal !== undefined) return refusal;
      const unsigned = await options.keySet.signatureProblem(token, jwt);
      return unsigned === undefined
        ? { claims }
        : problem('signature', `failed to verify signature: ${unsigned}`);
    },
  };
}

function problem(check: string, text: string): TokenProblem {
  return { check, problem: text };
}

/** Registered claims have one type each, where they are given. */
function typeProblem(claims: JsonObject): TokenProblem | undefined {
  const isText = (value: JsonValue | undefined) => typeof value === 'string';
  const isTime = (value: JsonValue | undefined) =>
    typeof value === 'number' || typeof value === 'bigint';
  const isAudience = (value: JsonValue | undefined) =>
    isText(value) || (Array.isArray(value) && value.every(isText));
  const types = {
    iss: isText,
    sub: isText,
    aud: isAudience,
    exp: isTime,
    iat: isTime,
    nbf: isTime,
  };
  for (const [name, isValid] of Object.entries(types)) {
    const value = getOwn(claims, name);
    if (value !== undefined && value !== null && !isValid(value))
      return problem('form', `oidc: failed to unmarshal claims: ${quoteGo(name)} has a wrong type`);
  }
  return undefined;
}

function issuerProblem(claims: JsonObject, issuer: string): TokenProblem | undefined {
  const named = getOwn(claims, 'iss');
  if (named === issuer) return undefined;
  if (named === googleWithoutScheme && issuer === `https://${googleWithoutScheme}`)
    return undefined;
  const got = quoteGo(typeof named === 'string' ? named : '');
  return problem(
    'issuer',
    `oidc: id token issued by a different provider, expected ${quoteGo(issuer)} got ${got}`,
  );
}

function audienceProblem(claims: JsonObject, wanted: readonly string[]): TokenProblem | undefined {
  const aud = getOwn(claims, 'aud');
  const named = (Array.isArray(aud) ? aud : [aud]).filter((item) => typeof item === 'string');
  if (wanted.some((audience) => named.includes(audience))) return undefined;
  const list = (texts: readonly string[]) => `[${texts.map(quoteGo).join(' ')}]`;
  const expected =
    wanted.length === 1 ? quoteGo(wanted[0] ?? '') : `in ${list([...wanted].sort())}`;
  return problem('audience', `oidc: expected audience ${expected} got ${list(named)}`);
}

function timeProblem(claims: JsonObject, nowMs: number): TokenProblem | undefined {
  const expiresMs = timeOf(claims, 'exp') ?? Number.NEGATIVE_INFINITY;
  if (!(expiresMs >= nowMs))
    return problem('expiry', `oidc: token is expired (Token Expiry: ${goTime(expiresMs)})`);
  const notBeforeMs = timeOf(claims, 'nbf');
  if (notBeforeMs === undefined || nowMs + notBeforeLeewayMs >= notBeforeMs) return undefined;
  return problem(
    'not-before',
    `oidc: current time ${goTime(nowMs)} before the nbf (not before) time: ${goTime(notBeforeMs)}`,
  );
}

/** Milliseconds; fractions of seconds do not count. */
function timeOf(claims: JsonObject, name: string): number | undefined {
  const value = getOwn(claims, name);
  return typeof value === 'number' || typeof value === 'bigint'
    ? Math.trunc(Number(value)) * 1000
    : undefined;
}

/** `2026-01-15 00:00:00 +0000 UTC`. */
function goTime(ms: number): string {
  const date = new Date(ms);
  const text = Number.isNaN(date.getTime()) ? '0001-01-01T00:00:00.000Z' : date.toISOString();
  return `${text.slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

function algorithmProblem(
  algorithm: string,
  supported: readonly string[],
): TokenProblem | undefined {
  if (supported.includes(algorithm)) return undefined;
  const expected = `[${supported.map(quoteGo).join(' ')}]`;
  return problem(
    'algorithm',
    `oidc: id token signed with unsupported algorithm, expected ${expected} got ${quoteGo(algorithm)}`,
  );
}
