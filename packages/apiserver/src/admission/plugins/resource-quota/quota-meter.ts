// What the objects of a namespace use of a quota, counted anew: for the controller that corrects
// what admission has charged. The same evaluators that admission asks, so that both count alike.

import {
  addLists,
  maskList,
  writeResourceList,
  zeroQuantity,
  type GroupResource,
  type KubeObject,
  type ResourceList,
} from '@keelson/apimachinery';
import type { ResourceQuota } from '@keelson/apimachinery/types/core.v1';
import type { QuotaEvaluator } from './evaluator.ts';
import { createQuotaEvaluators, type QuotaEvaluatorOptions } from './evaluators.ts';
import { scopesOf } from './scopes.ts';

/** What there is in the quota's namespace; undefined for resources that nobody serves. */
export type ObjectsOf = (resource: GroupResource) => readonly KubeObject[] | undefined;

export interface QuotaMeter {
  /** The resources that the quota is about. */
  resourcesOf(quota: ResourceQuota): readonly GroupResource[];
  /** By name of the quota's limits; names that nothing counts are left out. */
  used(quota: ResourceQuota, objectsOf: ObjectsOf): Record<string, string>;
  /** Whether metadata is all that has to be known of the objects. */
  countsOnly(resource: GroupResource): boolean;
  /** Whether the object uses another amount of anything now. */
  usesOtherwise(resource: GroupResource, object: KubeObject, before: KubeObject): boolean;
}

const countPrefix = 'count/';

export function createQuotaMeter(options: QuotaEvaluatorOptions): QuotaMeter {
  const evaluators = createQuotaEvaluators(options);
  const metered = (quota: ResourceQuota) => {
    const names = Object.keys(quota.spec?.hard ?? {});
    const resources = [...evaluators.known(), ...names.flatMap(countedResource)];
    const byKey = new Map(resources.map((r) => [`${r.group}/${r.resource}`, r]));
    return [...byKey.values()].flatMap((resource) => {
      const evaluator = evaluators.evaluatorOf(resource);
      const matching = evaluator?.matchingNames(names) ?? [];
      return evaluator === undefined || matching.length === 0
        ? []
        : [{ resource, evaluator, names: matching }];
    });
  };
  return {
    resourcesOf: (quota) => metered(quota).map(({ resource }) => resource),
    used(quota, objectsOf) {
      let used: ResourceList = new Map();
      for (const { resource, evaluator, names } of metered(quota)) {
        const objects = objectsOf(resource);
        if (objects === undefined) continue;
        const sum = usageOf(quota, evaluator, objects);
        const none = names.map((name) => [name, zeroQuantity] as const);
        used = addLists(used, addLists(new Map(none), maskList(sum, names)));
      }
      return writeResourceList(used);
    },
    countsOnly: (resource) => evaluators.evaluatorOf(resource)?.countsOnly === true,
    usesOtherwise(resource, object, before) {
      const evaluator = evaluators.evaluatorOf(resource);
      if (evaluator === undefined) return false;
      const text = (o: KubeObject) => JSON.stringify(writeResourceList(evaluator.usage(o)));
      return text(object) !== text(before);
    },
  };
}

function usageOf(
  quota: ResourceQuota,
  evaluator: QuotaEvaluator,
  objects: readonly KubeObject[],
): ResourceList {
  const scopes = scopesOf(quota);
  let sum: ResourceList = new Map();
  for (const object of objects) {
    if (scopes.every((scope) => evaluator.matchesScope(scope, object)))
      sum = addLists(sum, evaluator.usage(object));
  }
  return sum;
}

/** `count/deployments.apps` is about deployments of the group apps. */
function countedResource(name: string): GroupResource[] {
  if (!name.startsWith(countPrefix)) return [];
  const [resource = '', ...group] = name.slice(countPrefix.length).split('.');
  return [{ group: group.join('.'), resource }];
}
