// Who watches what, so that a write can be charged for the events that it will cause. A write to an
// object interests the watches of its resource, of its namespace, and of itself. Watches that select one
// value of an indexed field see few of the writes; the largest such crowd stands for all of them.

import type { RequestInfo } from '../../request-context.ts';

export interface WatchCounts {
  /** Counts a watch until the function that it returns is called. */
  register(info: RequestInfo): () => void;
  /** How many watches may get an event from this write. */
  interestedIn(info: RequestInfo): number;
}

/** COMPAT: the fields that kube-apiserver's watch cache has an index for, by `group/resource`. */
const indexedFields: Readonly<Record<string, string>> = {
  '/secrets': 'metadata.name',
  '/configmaps': 'metadata.name',
  '/pods': 'spec.nodeName',
};

export function createWatchCounts(): WatchCounts {
  const counts = new Map<string, number>();
  /** By resource, then by the value of its indexed field. */
  const indexed = new Map<string, Map<string, number>>();
  return {
    register(info) {
      const resource = resourceOf(info);
      const value = indexedValue(info, resource);
      if (value === undefined) return countIn(counts, keyOf(resource, info.namespace, info.name));
      const values = indexed.get(resource) ?? new Map<string, number>();
      indexed.set(resource, values);
      return countIn(values, value);
    },
    interestedIn(info) {
      const resource = resourceOf(info);
      const { namespace, name } = info;
      let total = counts.get(keyOf(resource, '', '')) ?? 0;
      if (namespace !== '') total += counts.get(keyOf(resource, namespace, '')) ?? 0;
      if (name !== '') total += counts.get(keyOf(resource, namespace, name)) ?? 0;
      let crowd = 0;
      for (const count of indexed.get(resource)?.values() ?? []) crowd = Math.max(crowd, count);
      return total + crowd;
    },
  };
}

function countIn(counts: Map<string, number>, key: string): () => void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
  let counted = true;
  return () => {
    if (!counted) return;
    counted = false;
    const left = (counts.get(key) ?? 0) - 1;
    if (left > 0) counts.set(key, left);
    else counts.delete(key);
  };
}

const resourceOf = ({ group, resource }: RequestInfo) => `${group}/${resource}`;
const keyOf = (resource: string, namespace: string, name: string) =>
  `${resource} ${namespace} ${name}`;

/** What the watch's field selector asks of the indexed field to be equal to. */
function indexedValue({ query }: RequestInfo, resource: string): string | undefined {
  const field = indexedFields[resource];
  const selector = query.get('fieldSelector');
  if (field === undefined || selector === null) return undefined;
  for (const term of selector.split(',')) {
    const [name = '', ...rest] = term.split(/==?/);
    if (name.trim() === field && rest.length === 1) return rest[0]?.trim();
  }
  return undefined;
}
