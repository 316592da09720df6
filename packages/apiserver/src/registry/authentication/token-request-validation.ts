// How long a token may be asked for.

import { fieldError, type KubeObject } from '@keelson/apimachinery';
import type { TokenRequestSpec } from '@keelson/apimachinery/types/authentication.k8s.io.v1';
import type { Errors } from '../validation/checks.ts';

const expirationSecondsMin = 10 * 60;
const expirationSecondsMax = 2 ** 32;

/** Runs on the defaulted request: an absent duration passes. */
export function validateTokenRequest(request: KubeObject): Errors {
  const spec = (request['spec'] ?? {}) as Partial<TokenRequestSpec>;
  const seconds = spec.expirationSeconds;
  if (seconds === undefined || seconds === null) return [];
  const refuse = (why: string) => [
    fieldError.invalid('spec.expirationSeconds', seconds, `may not specify a duration ${why}`),
  ];
  if (seconds < expirationSecondsMin) return refuse('less than 10 minutes');
  if (seconds > expirationSecondsMax) return refuse('larger than 2^32 seconds');
  return [];
}
