// What a quota evaluator is: it knows one resource, which names of quota it is counted under, and
// how much of each an object uses. Evaluators know nothing of quotas being exceeded, nor of
// storage. Law: k8s.io/apiserver/pkg/quota/v1.

import { type ResourceList, type KubeObject } from '@keelson/apimachinery';
import type { ScopedResourceSelectorRequirement } from '@keelson/apimachinery/types/core.v1';
import type { AdmissionAttributes } from '../../admission.ts';

export type QuotaScope = ScopedResourceSelectorRequirement;

export interface QuotaEvaluator {
  /** True when the request may change what the resource uses. */
  handles(attributes: AdmissionAttributes): boolean;
  /** Those of the names that count this resource. */
  matchingNames(names: readonly string[]): string[];
  /** True when the object is in the scope; always false for resources that no scope is about. */
  matchesScope(scope: QuotaScope, object: KubeObject): boolean;
  /**
   * Why an object may not be counted under these names, because it says too little; else undefined.
   */
  missing?(names: readonly string[], object: KubeObject): string | undefined;
  usage(object: KubeObject): ResourceList;
  /** What an object uses does not depend on what is in it. */
  readonly countsOnly?: boolean;
}

/** `count/pods`, `count/deployments.apps`: the name that counts the objects of any resource. */
export function objectCountName(group: string, resource: string): string {
  return group === '' ? `count/${resource}` : `count/${resource}.${group}`;
}

export function noScope(): boolean {
  return false;
}
