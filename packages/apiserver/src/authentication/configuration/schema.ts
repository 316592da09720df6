// The fields of `AuthenticationConfiguration`, as data for the strict decoder: what is not listed
// is an unknown field. Fields that came later are unknown to earlier releases.

import { configurationList as list, configurationStruct as struct } from '@keelson/apimachinery';
import type { StructType, TypeRef } from '@keelson/apimachinery';

const kind = 'AuthenticationConfiguration';
const string: TypeRef = { kind: 'string' };
const bool: TypeRef = { kind: 'bool' };

/** `minor`: of the emulated release. */
export function authenticationConfigurationType(minor: number): StructType {
  const issuer = struct('Issuer', {
    url: string,
    discoveryURL: string,
    certificateAuthority: string,
    audiences: list(string),
    audienceMatchPolicy: string,
    ...(minor >= 34 ? { egressSelectorType: string } : {}),
  });
  const prefixed = struct('PrefixedClaimOrExpression', {
    claim: string,
    prefix: string,
    expression: string,
  });
  const claimRule = struct('ClaimValidationRule', {
    claim: string,
    requiredValue: string,
    expression: string,
    message: string,
  });
  const mappings = struct('ClaimMappings', {
    username: prefixed,
    groups: prefixed,
    uid: struct('ClaimOrExpression', { claim: string, expression: string }),
    extra: list(struct('ExtraMapping', { key: string, valueExpression: string })),
  });
  const authenticator = struct('JWTAuthenticator', {
    issuer,
    claimValidationRules: list(claimRule),
    claimMappings: mappings,
    userValidationRules: list(
      struct('UserValidationRule', { expression: string, message: string }),
    ),
  });
  const anonymous = struct('AnonymousAuthConfig', {
    enabled: bool,
    conditions: list(struct('AnonymousAuthCondition', { path: string })),
  });
  const { type } = struct(kind, {
    apiVersion: string,
    kind: string,
    jwt: list(authenticator),
    ...(minor >= 31 ? { anonymous } : {}),
  });
  return type;
}
