// From apiVersion and kind, which references carry, to the resource that requests need. Kinds come
// and go with their definitions, so an unknown one is looked for anew before it is given up.

import { formatApiVersion } from '@keelson/apimachinery';
import type { DiscoveredApi, DiscoveredResource, Discovery } from '@keelson/client';

/** Nobody serves the kind, now: it may come. */
export class UnknownKindError extends Error {
  constructor(apiVersion: string, kind: string) {
    super(`unable to get REST mapping for ${apiVersion}/${kind}`);
    this.name = 'UnknownKindError';
  }
}

export interface ResourceMapping {
  /** Throws UnknownKindError. */
  resourceOf(
    reference: { readonly apiVersion: string; readonly kind: string },
    signal: AbortSignal,
  ): Promise<DiscoveredResource>;
  /** What is known has turned out wrong. */
  forget(): void;
}

export function createResourceMapping(discovery: Discovery): ResourceMapping {
  let last: DiscoveredApi | undefined;
  let byKind = new Map<string, DiscoveredResource>();
  const refresh = async (signal: AbortSignal) => {
    const api = await discovery.fetch(signal);
    if (api === last) return;
    last = api;
    byKind = new Map();
    for (const resource of api.resources) {
      const key = `${formatApiVersion(resource)}/${resource.kind}`;
      // Kinds that several resources have (Scale, Eviction) belong to the one that can be read.
      if (!byKind.has(key) && resource.verbs.includes('get')) byKind.set(key, resource);
    }
  };
  return {
    async resourceOf({ apiVersion, kind }, signal) {
      const key = `${apiVersion}/${kind}`;
      const known = byKind.get(key);
      if (known !== undefined) return known;
      await refresh(signal);
      const found = byKind.get(key);
      if (found === undefined) throw new UnknownKindError(apiVersion, kind);
      return found;
    },
    forget() {
      last = undefined;
      byKind.clear();
    },
  };
}
