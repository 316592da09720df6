// From apiVersion and kind, which references carry, to the resource that requests need. Kinds come
// and go with their definitions, so an unknown one is looked for anew before it is given up.

import { formatApiVersion, type GroupKind } from '@keelson/apimachinery';
import type { DiscoveredApi, DiscoveredResource, Discovery } from '@keelson/client';

/** Nobody serves the kind, now: it may come. */
export class UnknownKindError extends Error {
  /** COMPAT: users read the message in events; `where` is what was searched. */
  constructor(kind: string, where: { readonly version: string } | { readonly group: string }) {
    const [[what, name] = []] = Object.entries(where);
    super(`no matches for kind ${JSON.stringify(kind)} in ${what} ${JSON.stringify(name)}`);
    this.name = 'UnknownKindError';
  }
}

export interface ResourceMapping {
  /** Throws UnknownKindError. */
  resourceOf(
    reference: { readonly apiVersion: string; readonly kind: string },
    signal: AbortSignal,
  ): Promise<DiscoveredResource>;
  /** In the best version that is served. Throws UnknownKindError. */
  resourceOfKind(kind: GroupKind, signal: AbortSignal): Promise<DiscoveredResource>;
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
      // Kinds that several resources have (Scale, Eviction) belong to the one that can be read.
      if (!resource.verbs.includes('get')) continue;
      for (const key of [inVersion(formatApiVersion(resource), resource.kind), inGroup(resource)])
        if (!byKind.has(key)) byKind.set(key, resource);
    }
  };
  const find = async (key: string, signal: AbortSignal) => {
    const known = byKind.get(key);
    if (known !== undefined) return known;
    await refresh(signal);
    return byKind.get(key);
  };
  return {
    async resourceOf({ apiVersion, kind }, signal) {
      const found = await find(inVersion(apiVersion, kind), signal);
      if (found === undefined) throw new UnknownKindError(kind, { version: apiVersion });
      return found;
    },
    async resourceOfKind({ group, kind }, signal) {
      const found = await find(inGroup({ group, kind }), signal);
      if (found === undefined) throw new UnknownKindError(kind, { group });
      return found;
    },
    forget() {
      last = undefined;
      byKind.clear();
    },
  };
}

const inVersion = (apiVersion: string, kind: string) => `${apiVersion}/${kind}`;
const inGroup = ({ group, kind }: GroupKind) => `${group} ${kind}`;
