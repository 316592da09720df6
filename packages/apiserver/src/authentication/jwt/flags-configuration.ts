// The flags `--oidc-*` as one entry of an AuthenticationConfiguration: the way to say it before the
// file existed.

import type { JwtAuthenticatorConfiguration } from '../configuration/authentication-configuration.ts';

export interface OidcFlags {
  readonly issuerUrl: string;
  readonly clientId: string;
  /** PEM of `--oidc-ca-file`; empty: the authorities of the system. */
  readonly certificateAuthority: string;
  readonly usernameClaim: string;
  /** Empty: the issuer and `#`, except for `email`; `-`: none. */
  readonly usernamePrefix: string;
  readonly groupsClaim: string;
  readonly groupsPrefix: string;
  readonly requiredClaims: ReadonlyMap<string, string>;
}

export function configurationOfFlags(flags: OidcFlags): JwtAuthenticatorConfiguration {
  return {
    issuer: {
      url: flags.issuerUrl,
      discoveryURL: '',
      certificateAuthority: flags.certificateAuthority,
      audiences: [flags.clientId],
      audienceMatchPolicy: '',
      egressSelectorType: '',
    },
    claimValidationRules: [...flags.requiredClaims].map(([claim, requiredValue]) => ({
      claim,
      requiredValue,
      expression: '',
      message: '',
    })),
    claimMappings: {
      username: { claim: flags.usernameClaim, prefix: usernamePrefix(flags), expression: '' },
      groups:
        flags.groupsClaim === ''
          ? { claim: '', expression: '' }
          : { claim: flags.groupsClaim, prefix: flags.groupsPrefix, expression: '' },
      uid: { claim: '', expression: '' },
      extra: [],
    },
    userValidationRules: [],
  };
}

function usernamePrefix({ usernamePrefix: given, usernameClaim, issuerUrl }: OidcFlags): string {
  if (given === '-') return '';
  if (given !== '') return given;
  return usernameClaim === 'email' ? '' : `${issuerUrl}#`;
}
