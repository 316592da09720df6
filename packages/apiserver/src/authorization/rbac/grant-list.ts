// All that bindings grant to one user or group, cluster-wide or in one namespace, in the order of
// the bindings' names. Lists live as long as they have grants, and are changed in place: a group
// with a hundred thousand bindings must not be copied for each of them.

import { compareGoStrings, type KubeObject } from '@keelson/apimachinery';
import type { RoleRef, Subject } from './policy-rule.ts';

/** One binding as one of its subjects sees it. */
export interface Grant {
  readonly binding: KubeObject;
  readonly roleRef: RoleRef;
  /** Namespace of a RoleBinding, empty for a ClusterRoleBinding. */
  readonly namespace: string;
  readonly subject: Subject;
}

/** Is told of the changes of one list. */
export interface GrantObserver {
  added(grant: Grant): void;
  removed(grant: Grant): void;
}

export interface GrantList {
  readonly namespace: string;
  readonly grants: readonly Grant[];
  /** What a reader made of the list, and keeps with it. */
  observer: GrantObserver | undefined;
  add(grant: Grant): void;
  /** Removes the grant of the binding with this name. */
  remove(bindingName: string): void;
}

export function createGrantList(namespace: string): GrantList {
  const grants: Grant[] = [];
  const list: GrantList = {
    namespace,
    grants,
    observer: undefined,
    add(grant) {
      grants.splice(placeOf(grants, nameOfBinding(grant)), 0, grant);
      list.observer?.added(grant);
    },
    remove(bindingName) {
      const at = placeOf(grants, bindingName);
      const grant = grants[at];
      if (grant === undefined || nameOfBinding(grant) !== bindingName) return;
      grants.splice(at, 1);
      list.observer?.removed(grant);
    },
  };
  return list;
}

export function nameOfBinding({ binding }: Grant): string {
  return binding.metadata.name ?? '';
}

/** Where the binding of this name is, or belongs, in grants that are sorted by name. */
export function placeOf(grants: readonly Grant[], bindingName: string): number {
  let [low, high] = [0, grants.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const grant = grants[middle];
    if (grant !== undefined && compareGoStrings(nameOfBinding(grant), bindingName) < 0)
      low = middle + 1;
    else high = middle;
  }
  return low;
}
