// The discovery documents, legacy and aggregated (KEP-3352), made from the resource index. They are
// made anew when the index has changed and kept as bytes until then.

import { encodeJson, type KubeObject } from '@keelson/apimachinery';
import type { ResourceEndpoint, ResourceIndex } from '../../registry/resource-endpoint.ts';

interface GroupDocument {
  readonly name: string;
  /** Best first. */
  readonly versions: readonly string[];
}

export interface DiscoveryDocuments {
  apiVersions(): Uint8Array;
  groupList(): Uint8Array;
  group(name: string): Uint8Array | undefined;
  resourceList(group: string, version: string): Uint8Array | undefined;
  aggregated(prefix: 'api' | 'apis'): Uint8Array;
  /** Every served `group/version`, for the root path list. */
  groupVersions(): readonly { group: string; version: string }[];
}

export function createDiscoveryDocuments(
  index: ResourceIndex,
  serverAddress: () => string,
): DiscoveryDocuments {
  let generation = -1;
  let cache = new Map<string, Uint8Array | undefined>();
  let groups: readonly GroupDocument[] = [];
  const cached = (key: string, make: () => unknown): Uint8Array | undefined => {
    refresh();
    if (!cache.has(key)) {
      const value = make();
      cache.set(key, value === undefined ? undefined : encodeJson(value as KubeObject));
    }
    return cache.get(key);
  };
  const refresh = () => {
    if (generation === index.generation) return;
    generation = index.generation;
    cache = new Map();
    groups = collectGroups(index.list());
  };
  const required = (bytes: Uint8Array | undefined): Uint8Array => bytes ?? new Uint8Array();
  return {
    apiVersions: () => required(cached('api', () => apiVersions(groups, serverAddress()))),
    groupList: () =>
      required(
        cached('apis', () => ({
          kind: 'APIGroupList',
          apiVersion: 'v1',
          groups: groups.filter((g) => g.name !== '').map(apiGroup),
        })),
      ),
    group: (name) =>
      cached(`group:${name}`, () => {
        const group = groups.find((g) => g.name === name && name !== '');
        return group === undefined
          ? undefined
          : { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) };
      }),
    resourceList: (group, version) =>
      cached(`gv:${group}/${version}`, () => apiResourceList(index, group, version)),
    aggregated: (prefix) =>
      required(
        cached(`aggregated:${prefix}`, () => ({
          kind: 'APIGroupDiscoveryList',
          apiVersion: 'apidiscovery.k8s.io/v2',
          metadata: {},
          items: groups
            .filter((g) => (prefix === 'api') === (g.name === ''))
            .map((g) => aggregatedGroup(index, g)),
        })),
      ),
    groupVersions() {
      refresh();
      return groups.flatMap((g) => g.versions.map((version) => ({ group: g.name, version })));
    },
  };
}

function apiVersions(groups: readonly GroupDocument[], serverAddress: string) {
  return {
    kind: 'APIVersions',
    versions: groups.find((g) => g.name === '')?.versions ?? ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

function apiResourceList(index: ResourceIndex, group: string, version: string) {
  const members = endpointsOf(index, group, version);
  if (members.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    // COMPAT: the legacy group's list has no apiVersion.
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: members.flatMap(apiResources),
  };
}

function collectGroups(endpoints: readonly ResourceEndpoint[]): GroupDocument[] {
  const versions = new Map<string, Set<string>>();
  const custom = new Set<string>();
  for (const { definition, custom: isCustom } of endpoints) {
    let set = versions.get(definition.group);
    if (set === undefined) {
      versions.set(definition.group, (set = new Set()));
      if (isCustom) custom.add(definition.group);
    }
    set.add(definition.version);
  }
  // Built-in groups keep the order of their tables; groups of custom resources come last, by name.
  const builtin = [...versions.keys()].filter((g) => !custom.has(g));
  const extra = [...versions.keys()].filter((g) => custom.has(g)).toSorted();
  return [...builtin, ...extra].map((name) => ({
    name,
    versions: [...(versions.get(name) ?? [])].toSorted(compareVersions),
  }));
}

/**
 * Kubernetes' version order: GA before beta before alpha, higher first, anything else last by name.
 */
export function compareVersions(a: string, b: string): number {
  const rank = (v: string) => {
    const m = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(v);
    if (m === null) return undefined;
    return {
      stage: m[2] === undefined ? 2 : m[2] === 'beta' ? 1 : 0,
      major: Number(m[1]),
      minor: Number(m[3] ?? 0),
    };
  };
  const ra = rank(a);
  const rb = rank(b);
  if (ra === undefined || rb === undefined)
    return ra === rb ? (a < b ? -1 : 1) : ra === undefined ? 1 : -1;
  return rb.stage - ra.stage || rb.major - ra.major || rb.minor - ra.minor;
}

function apiGroup(group: GroupDocument) {
  const versions = group.versions.map((version) => ({
    groupVersion: `${group.name}/${version}`,
    version,
  }));
  return { name: group.name, versions, preferredVersion: versions[0] };
}

function endpointsOf(index: ResourceIndex, group: string, version: string): ResourceEndpoint[] {
  return index
    .list()
    .filter((e) => e.definition.group === group && e.definition.version === version)
    .toSorted((a, b) => (a.definition.resource < b.definition.resource ? -1 : 1));
}

function apiResources({ definition }: ResourceEndpoint) {
  const own = {
    name: definition.resource,
    singularName: definition.singular,
    namespaced: definition.namespaced,
    kind: definition.kind,
    verbs: definition.verbs,
    ...(definition.shortNames.length > 0 ? { shortNames: definition.shortNames } : {}),
    ...(definition.categories.length > 0 ? { categories: definition.categories } : {}),
    ...(definition.storageVersionHash === undefined
      ? {}
      : { storageVersionHash: definition.storageVersionHash }),
  };
  const subresources = definition.subresources.map((s) => ({
    name: `${definition.resource}/${s.name}`,
    singularName: '',
    namespaced: definition.namespaced,
    ...foreignKind(definition, s.gvk),
    kind: s.gvk.kind,
    verbs: s.verbs,
  }));
  return [own, ...subresources];
}

/** Group and version are named only where they are not those of the list. */
function foreignKind(
  own: { group: string; version: string },
  gvk: { group: string; version: string },
) {
  return gvk.group === own.group && gvk.version === own.version
    ? {}
    : {
        ...(gvk.group === '' ? {} : { group: gvk.group }),
        ...(gvk.version === '' ? {} : { version: gvk.version }),
      };
}

function aggregatedGroup(index: ResourceIndex, group: GroupDocument) {
  return {
    metadata: group.name === '' ? {} : { name: group.name },
    versions: group.versions.map((version) => ({
      version,
      resources: endpointsOf(index, group.name, version).map(aggregatedResource),
      freshness: 'Current',
    })),
  };
}

function aggregatedResource({ definition, custom }: ResourceEndpoint) {
  const responseKind = (gvk: { group: string; version: string; kind: string }) => {
    const foreign = custom ? gvk : { ...foreignKindOrEmpty(definition, gvk), kind: gvk.kind };
    return { group: foreign.group, version: foreign.version, kind: foreign.kind };
  };
  return {
    resource: definition.resource,
    responseKind: responseKind(definition),
    scope: definition.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: definition.singular,
    verbs: definition.verbs,
    ...(definition.shortNames.length > 0 ? { shortNames: definition.shortNames } : {}),
    ...(definition.categories.length > 0 ? { categories: definition.categories } : {}),
    ...(definition.subresources.length > 0
      ? {
          subresources: definition.subresources.map((s) => ({
            subresource: s.name,
            responseKind: responseKind(s.gvk),
            verbs: s.verbs,
          })),
        }
      : {}),
  };
}

// COMPAT: built-in kinds of the list's own version are answered with empty group and version.
function foreignKindOrEmpty(
  own: { group: string; version: string },
  gvk: { group: string; version: string },
) {
  return gvk.group === own.group && gvk.version === own.version
    ? { group: '', version: '' }
    : { group: gvk.group, version: gvk.version };
}
