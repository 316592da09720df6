// Who a token says that its bearer is: user name, groups, uid and extra values from its claims, in
// this order, then whether claims and user are what the rules ask for. COMPAT: order and texts are
// kube-apiserver's.
//
// SECURITY: an empty name is no user, whichever way it was mapped, and empty groups are none. An
// expression that fails is a refusal; it never leaves a part of the user out.

import { isList, kindOf, type CelValue } from '@keelson/cel';
import type { JsonObject } from '@keelson/apimachinery';
import type { UserInfo } from '../authenticator.ts';
import { credentialIdKey } from '../credential-id.ts';
import type { ClaimsExpression } from '../configuration/expressions.ts';
import type { CompiledJwtAuthenticator } from '../configuration/validate-configuration.ts';
import { boolClaim, ClaimError, textClaim, textsClaim } from './read-claims.ts';
import type { TokenProblem } from './verify-token.ts';

export interface MappingOptions {
  /** Whether the token's `jti` becomes the credential id of the user. */
  readonly credentialId: boolean;
}

export function mapClaims(
  claims: JsonObject,
  authenticator: CompiledJwtAuthenticator,
  options: MappingOptions,
): { readonly user: UserInfo } | TokenProblem {
  const mapped = attempt('mapping', () => {
    const mapping = { claims, authenticator };
    const name = userNameOf(mapping);
    const groups = groupsOf(mapping);
    const uid = uidOf(mapping);
    return { name, groups, uid, extra: extraOf(mapping, options) };
  });
  if ('problem' in mapped) return mapped;
  const user = mapped.value;
  const checked = attempt('claim-validation', () => checkClaims({ claims, authenticator }));
  if ('problem' in checked) return checked;
  const accepted = attempt('user-validation', () => checkUser(user, authenticator));
  return 'problem' in accepted ? accepted : { user };
}

interface Mapping {
  readonly claims: JsonObject;
  readonly authenticator: CompiledJwtAuthenticator;
}

/** What a step has found out; a ClaimError is what is wrong with the token. */
function attempt<T>(check: string, step: () => T): { readonly value: T } | TokenProblem {
  try {
    return { value: step() };
  } catch (error) {
    if (error instanceof ClaimError) return { check, problem: error.message };
    throw error;
  }
}

/** A ClaimError of `read` with what was being read in front. */
function about<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ClaimError) throw new ClaimError(`oidc: ${what}: ${error.message}`);
    throw error;
  }
}

function userNameOf({ claims, authenticator }: Mapping): string {
  const { mappings, configuration } = authenticator;
  if (mappings.username !== undefined) {
    const { username } = mappings;
    const name = about('error evaluating username claim expression', () =>
      textResult(evaluate(username, claims), 'username'),
    );
    if (name === '') throw new ClaimError('oidc: empty username via CEL expression is not allowed');
    return name;
  }
  const { claim, prefix = '' } = configuration.claimMappings.username;
  const name = about(`parse username claims ${JSON.stringify(claim)}`, () =>
    textClaim(claims, claim),
  );
  if (claim === 'email' && Object.hasOwn(claims, 'email_verified')) {
    const isVerified = about("parse 'email_verified' claim", () =>
      boolClaim(claims, 'email_verified'),
    );
    if (!isVerified) throw new ClaimError('oidc: email not verified');
  }
  if (name === '') throw new ClaimError(`oidc: username claim ${JSON.stringify(claim)} is empty`);
  return prefix + name;
}

function groupsOf({ claims, authenticator }: Mapping): readonly string[] {
  const { mappings, configuration } = authenticator;
  const { claim, prefix = '' } = configuration.claimMappings.groups;
  if (claim !== '' && Object.hasOwn(claims, claim)) {
    const groups = about(`parse groups claim ${JSON.stringify(claim)}`, () =>
      textsClaim(claims, claim),
    );
    return groups.filter((group) => group !== '').map((group) => prefix + group);
  }
  const { groups } = mappings;
  if (groups === undefined) return [];
  return about('error evaluating group claim expression', () =>
    textsResult(evaluate(groups, claims)),
  );
}

function uidOf({ claims, authenticator }: Mapping): string {
  const { claim } = authenticator.configuration.claimMappings.uid;
  if (claim !== '')
    return about(`parse uid claim ${JSON.stringify(claim)}`, () => textClaim(claims, claim));
  const { uid } = authenticator.mappings;
  if (uid === undefined) return '';
  return about('error evaluating uid claim expression', () =>
    textResult(evaluate(uid, claims), 'uid'),
  );
}

function extraOf({ claims, authenticator }: Mapping, options: MappingOptions) {
  const extra: Record<string, readonly string[]> = {};
  const id = claims['jti'];
  if (options.credentialId && typeof id === 'string' && id !== '')
    extra[credentialIdKey] = [`JTI=${id}`];
  for (const { key, value } of authenticator.mappings.extra) {
    const texts = about(`error evaluating extra claim expression: ${value.expression}`, () =>
      textsResult(evaluate(value, claims)),
    );
    if (texts.length > 0) extra[key] = texts;
  }
  return extra;
}

function checkClaims({ claims, authenticator }: Mapping): void {
  for (const { claim, requiredValue } of authenticator.configuration.claimValidationRules) {
    if (claim === '') continue;
    if (!Object.hasOwn(claims, claim))
      throw new ClaimError(`oidc: required claim ${claim} not present in ID token`);
    const value = about(`parse claim ${claim}`, () => textClaim(claims, claim));
    if (value !== requiredValue)
      throw new ClaimError(
        `oidc: required claim ${claim} value does not match. Got = ${value}, want = ${requiredValue}`,
      );
  }
  about('error evaluating claim validation expression', () => {
    for (const { check, message } of authenticator.claimConditions)
      assertTrue(evaluate(check, claims), check.expression, message);
  });
}

function checkUser(user: UserInfo, { userConditions }: CompiledJwtAuthenticator): void {
  about('error evaluating user info validation rule', () => {
    for (const { check, message } of userConditions)
      assertTrue(valueOf(check.evaluate(user), check.expression), check.expression, message);
  });
}

function assertTrue(value: CelValue, expression: string, message: string): void {
  if (typeof value !== 'boolean')
    throw new ClaimError('validation expression must return a boolean');
  if (!value) throw new ClaimError(`validation expression '${expression}' failed: ${message}`);
}

function evaluate(expression: ClaimsExpression, claims: JsonObject): CelValue {
  return valueOf(expression.evaluate(claims), expression.expression);
}

function valueOf(result: ReturnType<ClaimsExpression['evaluate']>, expression: string): CelValue {
  if ('problem' in result)
    throw new ClaimError(`expression '${expression}' resulted in error: ${result.problem}`);
  return result.value;
}

function textResult(value: CelValue, what: string): string {
  if (typeof value !== 'string')
    throw new ClaimError(`${what} claim expression must return a string`);
  return value;
}

/** A text or a list of texts; what is empty is not there. */
function textsResult(value: CelValue): string[] {
  if (value === null || value === '') return [];
  if (typeof value === 'string') return [value];
  const wrong = () => new ClaimError('expression must return a string or a list of strings');
  if (!isList(value)) throw wrong();
  const texts: string[] = [];
  for (let i = 0; i < value.size; i++) {
    const item = value.get(i);
    if (kindOf(item) !== 'string') throw wrong();
    if (item !== '') texts.push(String(item));
  }
  return texts;
}
