// The bound policies of the cluster, in the order in which they are asked, with what can be said of
// them before any request: their bindings, and which resources their rules can be about. It is made
// anew when a policy or a binding changes, not for each request.

import type { MatchResources } from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import type { ObjectSource } from '../../object-source.ts';
import type { AnyBinding, AnyPolicy, PolicySet } from './policy-requests.ts';

export interface BoundPolicy<P, B> {
  readonly policy: P;
  readonly bindings: readonly B[];
  /** Names of resources that its rules name; undefined where they may be about any. */
  readonly resources: ReadonlySet<string> | undefined;
}

export interface PolicyTable<P, B> {
  /**
   * Policies that have bindings; both by name: without a fixed order the answer would depend on
   * chance.
   */
  bound(): readonly BoundPolicy<P, B>[];
}

/** Policies that are objects of the API, and those that are not. */
export interface PolicyTables<P, B> {
  readonly own: PolicyTable<P, B>;
  readonly manifests: PolicyTable<P, B> | undefined;
}

export function createPolicyTables<P extends AnyPolicy, B extends AnyBinding>(
  own: PolicySet,
  manifests: PolicySet | undefined,
): PolicyTables<P, B> {
  return {
    own: createPolicyTable(own.policies, own.bindings),
    manifests: manifests && createPolicyTable(manifests.policies, manifests.bindings),
  };
}

/** It follows both sources for as long as they live. */
export function createPolicyTable<P extends AnyPolicy, B extends AnyBinding>(
  policies: ObjectSource,
  bindings: ObjectSource,
): PolicyTable<P, B> {
  let table: readonly BoundPolicy<P, B>[] | undefined;
  const forget = () => (table = undefined);
  policies.subscribe(forget);
  bindings.subscribe(forget);
  return {
    bound: () =>
      (table ??= bind(
        policies.list() as unknown as readonly P[],
        bindings.list() as unknown as readonly B[],
      )),
  };
}

function bind<P extends AnyPolicy, B extends AnyBinding>(
  policies: readonly P[],
  bindings: readonly B[],
): BoundPolicy<P, B>[] {
  const byPolicy = Map.groupBy(bindings, ({ spec }) => spec.policyName ?? '');
  return policies.toSorted(byName).flatMap((policy) => {
    const own = byPolicy.get(policy.metadata.name ?? '');
    if (own === undefined) return [];
    const resources = namedResources(policy.spec.matchConstraints ?? {});
    return [{ policy, bindings: own.toSorted(byName), resources }];
  });
}

function byName(a: AnyBinding | AnyPolicy, b: AnyBinding | AnyPolicy): number {
  const [x, y] = [a.metadata.name ?? '', b.metadata.name ?? ''];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** COMPAT: without rules everything is matched. */
function namedResources({ resourceRules = [] }: MatchResources): Set<string> | undefined {
  if (resourceRules.length === 0) return undefined;
  const names = resourceRules.flatMap(({ resources = [] }) =>
    resources.map((pattern) => pattern.split('/', 1)[0] ?? pattern),
  );
  return names.includes('*') ? undefined : new Set(names);
}
