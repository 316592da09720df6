// The discovery documents, legacy and aggregated (KEP-3352), made from the resource index. What they
// say of a group is made anew when the group has changed and kept as bytes until then, so that one
// more resource among thousands costs what its group costs. Which groups and versions are shown, and
// in which order, APIServices say, if there are any.

import { encodeJson } from '@keelson/apimachinery';
import type { ResourceEndpoint, ResourceIndex } from '../../registry/resource-endpoint.ts';
import type { RegisteredVersion, Registrations } from './registrations.ts';
import { compareVersions } from './version-order.ts';

interface GroupDocument {
  readonly name: string;
  /** Best first. */
  readonly versions: readonly RegisteredVersion[];
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
  registrations?: Registrations,
): DiscoveryDocuments {
  const group = createGroupParts(index, registrations);
  const names = () =>
    registrations === undefined ? index.groups() : shownGroups(index, registrations);
  const groups = () => names().map(group);
  const others = () =>
    names()
      .filter((name) => name !== '')
      .map(group);
  // Whole documents are put together from the parts of the groups, which others left as they were.
  let generation = -1;
  let whole = new Map<string, Uint8Array>();
  const kept = (name: string, make: () => Uint8Array): Uint8Array => {
    // Both only grow.
    const now = index.generation + (registrations?.generation ?? 0);
    if (generation !== now) {
      generation = now;
      whole = new Map();
    }
    let bytes = whole.get(name);
    if (bytes === undefined) whole.set(name, (bytes = make()));
    return bytes;
  };
  return {
    apiVersions: () =>
      kept('api', () => encodeJson(apiVersions(group('').document, serverAddress()))),
    groupList: () =>
      kept('apis', () =>
        joined(
          groupListHead,
          others().map((g) => g.item()),
          listEnd,
        ),
      ),
    group: (name) =>
      name === '' || group(name).document.versions.length === 0 ? undefined : group(name).whole(),
    resourceList: (name, version) => group(name).resourceList(version),
    aggregated: (prefix) =>
      kept(`aggregated:${prefix}`, () => {
        const shown = prefix === 'api' ? [group('')] : others();
        return joined(
          aggregatedHead,
          shown.map((g) => g.aggregated()),
          listEnd,
        );
      }),
    groupVersions: () =>
      groups().flatMap(({ document: { name, versions } }) =>
        versions.map(({ version }) => ({ group: name, version })),
      ),
  };
}

const groupListHead = Buffer.from('{"kind":"APIGroupList","apiVersion":"v1","groups":[');
const aggregatedHead = Buffer.from(
  '{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[',
);
const listEnd = Buffer.from(']}');
const comma = Buffer.from(',');

function joined(head: Uint8Array, items: readonly Uint8Array[], end: Uint8Array): Uint8Array {
  const between = items.flatMap((item, i) => (i === 0 ? [item] : [comma, item]));
  return Buffer.concat([head, ...between, end]);
}

/** What documents say of one group, each part made when it is first asked for. */
interface GroupParts {
  readonly document: GroupDocument;
  item(): Uint8Array;
  whole(): Uint8Array;
  resourceList(version: string): Uint8Array | undefined;
  aggregated(): Uint8Array;
}

/** COMPAT: the group of APIServices themselves comes first, and has none. */
const registrationGroup = 'apiregistration.k8s.io';

/** The groups as APIServices order them; custom resources do not wait for theirs. */
function shownGroups(index: ResourceIndex, registrations: Registrations): string[] {
  const registered = registrations.groups().filter((name) => name !== registrationGroup);
  const known = new Set(registered);
  const waiting = index
    .groups()
    .filter((name) => !known.has(name) && index.inGroup(name)[0]?.custom === true);
  return [registrationGroup, ...registered, ...waiting];
}

/** The versions as APIServices order them; of a group without any, all that are served. */
function shownVersions(
  endpoints: readonly ResourceEndpoint[],
  registered: readonly RegisteredVersion[],
): readonly RegisteredVersion[] {
  const names = new Set(registered.map(({ version }) => version));
  const others = endpoints.filter((e) => names.size === 0 || e.custom);
  const unregistered = new Set(others.map((e) => e.definition.version)).difference(names);
  return [
    ...registered,
    ...[...unregistered].toSorted(compareVersions).map((version) => ({ version })),
  ];
}

/** Parts are kept until something of their group changes. */
function createGroupParts(
  index: ResourceIndex,
  registrations: Registrations | undefined,
): (name: string) => GroupParts {
  const kept = new Map<string, { readonly state: string; readonly parts: GroupParts }>();
  return (name) => {
    const registered = registrations?.versionsOf(name) ?? [];
    const versions = registered.map(({ version }) => version).join();
    const state = `${index.generationOf(name)} ${versions}`;
    const known = kept.get(name);
    if (known?.state === state) return known.parts;
    const endpoints = index.inGroup(name);
    const document = { name, versions: shownVersions(endpoints, registered) };
    const parts = makeGroupParts(document, endpoints);
    // What others serve changes by itself, and what nobody serves clients may make up.
    if (endpoints.length === 0 || registered.some((v) => v.remote !== undefined)) kept.delete(name);
    else kept.set(name, { state, parts });
    return parts;
  };
}

function makeGroupParts(
  document: GroupDocument,
  endpoints: readonly ResourceEndpoint[],
): GroupParts {
  const { name } = document;
  const versions = new Set(endpoints.map((e) => e.definition.version));
  const lists = new Map<string, Uint8Array | undefined>();
  let item: Uint8Array | undefined;
  let aggregated: Uint8Array | undefined;
  return {
    document,
    item: () => (item ??= encodeJson(apiGroup(document))),
    whole: () => encodeJson({ kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(document) }),
    resourceList(version) {
      if (!versions.has(version)) return undefined;
      let list = lists.get(version);
      if (list === undefined)
        lists.set(version, (list = encodeJson(apiResourceList(endpoints, name, version))));
      return list;
    },
    aggregated: () => (aggregated ??= encodeJson(aggregatedGroup(endpoints, document))),
  };
}

function apiVersions({ versions }: GroupDocument, serverAddress: string) {
  return {
    kind: 'APIVersions',
    versions: versions.length > 0 ? versions.map(({ version }) => version) : ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

function apiResourceList(endpoints: readonly ResourceEndpoint[], group: string, version: string) {
  return {
    kind: 'APIResourceList',
    // COMPAT: the legacy group's list has no apiVersion.
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: ofVersion(endpoints, version).flatMap(apiResources),
  };
}

function apiGroup(group: GroupDocument) {
  const versions = group.versions.map(({ version }) => ({
    groupVersion: `${group.name}/${version}`,
    version,
  }));
  return { name: group.name, versions, preferredVersion: versions[0] };
}

function ofVersion(endpoints: readonly ResourceEndpoint[], version: string): ResourceEndpoint[] {
  return endpoints
    .filter((e) => e.definition.version === version)
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

function aggregatedGroup(endpoints: readonly ResourceEndpoint[], group: GroupDocument) {
  return {
    metadata: group.name === '' ? {} : { name: group.name },
    versions: group.versions.map(({ version, remote }) => {
      if (remote !== undefined) return { version, ...remote };
      const resources = ofVersion(endpoints, version).map(aggregatedResource);
      return resources.length === 0
        ? { version, freshness: 'Current' }
        : { version, resources, freshness: 'Current' };
    }),
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
