// Which authorizers are asked, in which order, as the file of `--authorization-config` or the older
// flags say it (KEP-3221). What is here has been checked; `validate.ts` says what is refused.

import type { RequestExpression } from '../webhook/match-conditions.ts';

/** In the order in which messages list them. */
export const authorizerTypes = [
  'ABAC',
  'AlwaysAllow',
  'AlwaysDeny',
  'Node',
  'RBAC',
  'Webhook',
] as const;
export type AuthorizerType = (typeof authorizerTypes)[number];
export type AuthorizationMode = AuthorizerType;

/** All that there may be one of. */
export type BuiltinType = Exclude<AuthorizerType, 'Webhook'>;

export interface AuthorizationConfiguration {
  /** In the order in which they are asked. */
  readonly authorizers: readonly AuthorizerEntry[];
}

export type AuthorizerEntry =
  | { readonly type: BuiltinType; readonly name: string }
  | { readonly type: 'Webhook'; readonly name: string; readonly webhook: WebhookConfiguration };

export type SubjectAccessReviewVersion = 'v1' | 'v1beta1';

export interface WebhookConfiguration {
  /** File that says where the webhook is and who to be there. */
  readonly kubeConfigFile: string;
  readonly subjectAccessReviewVersion: SubjectAccessReviewVersion;
  /** Of one call. */
  readonly timeoutMs: number;
  /** How long answers are kept; 0 keeps none. */
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  /** What a webhook that cannot be asked means. */
  readonly failurePolicy: 'NoOpinion' | 'Deny';
  /** The webhook is asked when all of them hold. */
  readonly matchConditions: readonly RequestExpression[];
}

/** Why a configuration cannot be used. The message is Kubernetes'. */
export class AuthorizationConfigurationError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AuthorizationConfigurationError';
  }
}

/** The name that an authorizer other than a webhook must have. */
export function nameOfType(type: BuiltinType): string {
  return type.toLowerCase();
}
