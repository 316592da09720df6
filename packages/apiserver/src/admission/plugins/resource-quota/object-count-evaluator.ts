// Counts objects: `count/<resource>.<group>` for any resource, custom ones included, and the old
// plain names of a few (`configmaps`, `secrets` …). Creations only.

import { oneQuantity as one } from '@keelson/apimachinery';
import { noScope, objectCountName, type QuotaEvaluator } from './evaluator.ts';

/** `alias` is the plain name, for the few resources that have one. */
export function createObjectCountEvaluator(
  group: string,
  resource: string,
  alias?: string,
): QuotaEvaluator {
  const names = [objectCountName(group, resource), ...(alias === undefined ? [] : [alias])];
  const usage = new Map(names.map((name) => [name, one]));
  return {
    handles: ({ operation, subresource }) => operation === 'CREATE' && subresource === '',
    matchingNames: (wanted) => wanted.filter((name) => usage.has(name)),
    matchesScope: noScope,
    usage: () => usage,
    countsOnly: true,
  };
}
