// `AuthenticationConfiguration` of apiserver.config.k8s.io (KEP-3331, KEP-4633), as it stands in
// the file. Names are those of the file. Optional texts that are absent are empty; only a prefix
// is told apart from an empty one, because it must be given.

export interface AuthenticationConfiguration {
  readonly jwt: readonly JwtAuthenticatorConfiguration[];
  /** Absent: the flag `--anonymous-auth` decides. */
  readonly anonymous?: AnonymousConfiguration;
}

export interface AnonymousConfiguration {
  readonly enabled: boolean;
  /** Exact paths; none: every path. */
  readonly conditions: readonly { readonly path: string }[];
}

export interface JwtAuthenticatorConfiguration {
  readonly issuer: IssuerConfiguration;
  readonly claimValidationRules: readonly ClaimValidationRule[];
  readonly claimMappings: ClaimMappings;
  readonly userValidationRules: readonly UserValidationRule[];
}

export interface IssuerConfiguration {
  readonly url: string;
  /** Where the discovery document is, when not below `url`. */
  readonly discoveryURL: string;
  /** PEM; empty: the authorities of the system. */
  readonly certificateAuthority: string;
  readonly audiences: readonly string[];
  readonly audienceMatchPolicy: string;
  readonly egressSelectorType: string;
}

/** Either `claim` equals `requiredValue`, or `expression` is true. */
export interface ClaimValidationRule {
  readonly claim: string;
  readonly requiredValue: string;
  readonly expression: string;
  readonly message: string;
}

export interface ClaimMappings {
  readonly username: PrefixedClaimOrExpression;
  readonly groups: PrefixedClaimOrExpression;
  readonly uid: { readonly claim: string; readonly expression: string };
  readonly extra: readonly { readonly key: string; readonly valueExpression: string }[];
}

export interface PrefixedClaimOrExpression {
  readonly claim: string;
  readonly prefix?: string;
  readonly expression: string;
}

export interface UserValidationRule {
  readonly expression: string;
  readonly message: string;
}

/** Why a configuration is not used; the message is kube-apiserver's. */
export class AuthenticationConfigurationError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AuthenticationConfigurationError';
  }
}
