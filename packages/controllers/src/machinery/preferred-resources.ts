// Of every resource the server has, the version that it prefers: the first in discovery's order.

import type { DiscoveredApi, DiscoveredResource } from '@keelson/client';

/** Only resources that have all the verbs. */
export function preferredResources(
  api: DiscoveredApi,
  verbs: readonly string[],
): DiscoveredResource[] {
  const byName = new Map<string, DiscoveredResource>();
  for (const resource of api.resources) {
    const name = `${resource.resource}.${resource.group}`;
    if (!byName.has(name)) byName.set(name, resource);
  }
  return [...byName.values()].filter((r) => verbs.every((verb) => r.verbs.includes(verb)));
}
