// What a Secret of type bootstrap.kubernetes.io/token says
// (https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/).

import type { Secret } from '@keelson/apimachinery/types/core.v1';

export const bootstrapTokenType = 'bootstrap.kubernetes.io/token';
export const bootstrapTokenNamespace = 'kube-system';
const namePrefix = 'bootstrap-token-';
const idPattern = /^[a-z0-9]{6}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** The text under a key of the data; empty when there is none. */
function textOf({ data = {} }: Secret, key: string): string {
  const value = Object.hasOwn(data, key) ? data[key] : undefined;
  return Buffer.from(value ?? '', 'base64').toString('utf8');
}

/** When the token ends: never is infinite, and what cannot be read has ended. */
export function expiryOf(secret: Secret): number {
  const text = textOf(secret, 'expiration');
  if (text === '') return Number.POSITIVE_INFINITY;
  return time.test(text) ? Date.parse(text) : Number.NEGATIVE_INFINITY;
}

export interface SigningToken {
  readonly id: string;
  readonly secret: string;
}

/** The token, when it may sign the cluster's information now. */
export function signingTokenOf(secret: Secret, nowMs: number): SigningToken | undefined {
  const { name = '', deletionTimestamp } = secret.metadata;
  const id = textOf(secret, 'token-id');
  const tokenSecret = textOf(secret, 'token-secret');
  const isUsable =
    deletionTimestamp === undefined &&
    secret.type === bootstrapTokenType &&
    idPattern.test(id) &&
    name === namePrefix + id &&
    tokenSecret !== '' &&
    expiryOf(secret) > nowMs &&
    textOf(secret, 'usage-bootstrap-signing') === 'true';
  return isUsable ? { id, secret: tokenSecret } : undefined;
}
