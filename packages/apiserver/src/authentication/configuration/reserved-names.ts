// Which authenticators could make users or groups whose names begin with `system:`, which mean
// something to Kubernetes. That is allowed, for some providers are meant to; it should not happen
// by oversight, so whoever reads the log is told.

import type {
  JwtAuthenticatorConfiguration,
  PrefixedClaimOrExpression,
} from './authentication-configuration.ts';

const reserved = 'system:';

/** `username`, `groups` or both; none when a rule about such names is there. */
export function reservedNamesFrom(configuration: JwtAuthenticatorConfiguration): string[] {
  const { claimMappings, userValidationRules } = configuration;
  if (userValidationRules.some(({ expression }) => expression.includes(reserved))) return [];
  const { username, groups } = claimMappings;
  return Object.entries({ username, groups })
    .filter(([, mapping]) => mayBeReserved(mapping))
    .map(([name]) => name);
}

/** A prefix decides how names begin, unless it is itself a beginning of reserved ones. */
function mayBeReserved({ claim, prefix = '', expression }: PrefixedClaimOrExpression): boolean {
  if (expression !== '') return true;
  return claim !== '' && (reserved.startsWith(prefix) || prefix.startsWith(reserved));
}
