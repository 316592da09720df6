// May the caller do this? Authorizers are asked in order (`union.ts`): the first allow or deny
// decides; no opinion at the end of the chain is a denial. An authorizer that throws is a denial
// and a 500. Attributes follow `authorizer.Attributes` of Kubernetes.

import type { DecisionTrace } from '@keelson/apimachinery';
import type { UserInfo } from '../authentication/authenticator.ts';

/**
 * One requirement of a selector, in the form of `FieldSelectorRequirement` and
 * `LabelSelectorRequirement`.
 */
export interface SelectorRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values: readonly string[];
}

export interface ResourceAttributes {
  readonly isResource: true;
  readonly verb: string;
  readonly namespace: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** Selectors of list, watch and deletecollection (KEP-4601); absent when none or unparsable. */
  readonly fieldSelector?: readonly SelectorRequirement[];
  readonly labelSelector?: readonly SelectorRequirement[];
}
export interface NonResourceAttributes {
  readonly isResource: false;
  readonly verb: string;
  readonly path: string;
}
export type RequestAttributes = ResourceAttributes | NonResourceAttributes;

export type Decision = 'allow' | 'deny' | 'no-opinion';
export interface AuthorizationResult {
  readonly decision: Decision;
  /** Shown in access reviews, audit annotations and 403 messages. May be empty. */
  readonly reason: string;
  /** A failure while deciding; shown in `status.evaluationError` of reviews. */
  readonly evaluationError?: string;
}

export interface Authorizer {
  readonly name: string;
  authorize(
    user: UserInfo,
    attributes: RequestAttributes,
    trace: DecisionTrace,
  ): AuthorizationResult | Promise<AuthorizationResult>;
}

export interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}
export interface NonResourceRule {
  readonly verbs: readonly string[];
  readonly nonResourceURLs: readonly string[];
}
/** Lists what a user may do in a namespace, for SelfSubjectRulesReview. */
export interface RuleResolver {
  rulesFor(
    user: UserInfo,
    namespace: string,
  ): Promise<{
    readonly resourceRules: readonly ResourceRule[];
    readonly nonResourceRules: readonly NonResourceRule[];
    readonly incomplete: boolean;
    readonly evaluationError: string;
  }>;
}
