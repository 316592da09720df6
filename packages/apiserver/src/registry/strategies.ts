// The strategies of all groups under the keys of `BuiltinParts`: `group/resource`.

import type { Strategy } from './strategy.ts';

/** `{ deployments: … }` of group `apps` becomes `{ 'apps/deployments': … }`. */
export function withGroup(group: string, strategies: Readonly<Record<string, Strategy>>): Record<string, Strategy> {
  return Object.fromEntries(Object.entries(strategies).map(([resource, strategy]) => [`${group}/${resource}`, strategy]));
}
