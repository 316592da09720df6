// One resource of one version as it is served: its definition, its strategy, where it is stored and
// how the served version and the stored one turn into each other. The index finds it by URL; it
// changes while the server runs, when CustomResourceDefinitions come and go.

import type {
  FieldManager,
  GroupVersionResource,
  JsonObject,
  KubeObject,
  ResourceDefinition,
} from '@keelson/apimachinery';
import type { ConnectHandler, CreateHandler, ProjectionHandler, ReadHandler } from './handlers.ts';
import type { StoreScope } from './store-types.ts';
import type { Strategy } from './strategy.ts';

/**
 * Conversion between the served and the stored version; functions return new objects or the same
 * one.
 */
export interface VersionConversion {
  toStored(object: KubeObject): KubeObject | Promise<KubeObject>;
  fromStored(object: KubeObject): KubeObject | Promise<KubeObject>;
  /** What the served version does differently from the stored one's strategy. */
  strategy?(stored: Strategy): Partial<Strategy>;
}

export interface ResourceEndpoint {
  readonly definition: ResourceDefinition;
  /** Strategy of the stored version. */
  readonly strategy: Strategy;
  /** Defaults of the served version where they differ from the stored one's. */
  readonly versionDefaults?: (object: KubeObject) => void;
  /** Absent for resources that are answered, never stored. */
  readonly scope?: StoreScope;
  /** Absent when the served version is the stored one. */
  readonly conversion?: VersionConversion;
  readonly fieldManager?: FieldManager;
  /** Sent as a warning with every answer. */
  readonly deprecationWarning?: string;
  /** A custom resource: unstructured, no protobuf, no strategic merge patch. */
  readonly custom: boolean;
  /** What lists of a custom resource are called. */
  readonly listKind?: string;
  /** Which definition in which state a custom resource comes from; equal for equal endpoints. */
  readonly origin?: string;
  /** By definition name: what OpenAPI documents say of a custom resource and its list. */
  readonly publishedSchemas?: (openApi: 2 | 3) => Readonly<Record<string, JsonObject>>;
  readonly createHandler?: CreateHandler;
  readonly readHandler?: ReadHandler;
  /** By subresource name. */
  readonly subresourceCreates: ReadonlyMap<string, CreateHandler>;
  readonly projections: ReadonlyMap<string, ProjectionHandler>;
  readonly connects: ReadonlyMap<string, ConnectHandler>;
  /** Decodes a body of this kind when it is not a built-in one. */
  readonly customDecode?: CustomDecode;
}

/** Prunes, defaults and checks an unstructured object against the schema of its definition. */
export type CustomDecode = (object: KubeObject) => {
  readonly object: KubeObject;
  readonly unknownFields: readonly string[];
};

export interface ResourceIndex {
  find(gvr: GroupVersionResource): ResourceEndpoint | undefined;
  /** All endpoints, in discovery order. */
  list(): readonly ResourceEndpoint[];
  /** Those of one group, in the order in which they came. */
  inGroup(group: string): readonly ResourceEndpoint[];
  /** Groups that have endpoints: built-in ones in the order of their tables, then others by name. */
  groups(): readonly string[];
  /** Adds or replaces. */
  put(endpoint: ResourceEndpoint): void;
  remove(gvr: GroupVersionResource): void;
  /** Grows with every change; discovery and OpenAPI caches depend on it. */
  readonly generation: number;
  /** That of the last change in the group, so that what is made of a group can be kept. */
  generationOf(group: string): number;
}

interface IndexedGroup {
  readonly endpoints: Map<string, ResourceEndpoint>;
  readonly isBuiltin: boolean;
  generation: number;
  listed: readonly ResourceEndpoint[] | undefined;
}

/** The store of a built-in resource. Throws when nothing is stored for it. */
export function scopeIn(index: ResourceIndex, group: string, resource: string): StoreScope {
  const endpoint = index.inGroup(group).find(({ definition }) => definition.resource === resource);
  if (endpoint?.scope === undefined) throw new Error(`no store for ${resource}.${group}`);
  return endpoint.scope;
}

export function createResourceIndex(): ResourceIndex {
  const groups = new Map<string, IndexedGroup>();
  let generation = 0;
  let all: readonly ResourceEndpoint[] | undefined;
  let names: readonly string[] | undefined;
  const idOf = (gvr: GroupVersionResource) => `${gvr.version}/${gvr.resource}`;
  const changed = (group: IndexedGroup) => {
    group.generation = ++generation;
    group.listed = undefined;
    all = undefined;
  };
  const listed = (group: IndexedGroup) => (group.listed ??= [...group.endpoints.values()]);
  const groupNames = () => {
    if (names !== undefined) return names;
    const builtin = [...groups].filter(([, group]) => group.isBuiltin);
    const others = [...groups].filter(([, group]) => !group.isBuiltin);
    const nameOf = ([name]: [string, IndexedGroup]) => name;
    return (names = [...builtin.map(nameOf), ...others.map(nameOf).toSorted()]);
  };
  return {
    find: (gvr) => groups.get(gvr.group)?.endpoints.get(idOf(gvr)),
    list: () => (all ??= [...groups.values()].flatMap(listed)),
    inGroup(name) {
      const group = groups.get(name);
      return group === undefined ? [] : listed(group);
    },
    groups: groupNames,
    put(endpoint) {
      const name = endpoint.definition.group;
      let group = groups.get(name);
      if (group === undefined) {
        const isBuiltin = !endpoint.custom;
        group = { endpoints: new Map(), isBuiltin, generation: 0, listed: undefined };
        groups.set(name, group);
        names = undefined;
      }
      group.endpoints.set(idOf(endpoint.definition), endpoint);
      changed(group);
    },
    remove(gvr) {
      const group = groups.get(gvr.group);
      if (group === undefined || !group.endpoints.delete(idOf(gvr))) return;
      changed(group);
      if (group.endpoints.size > 0) return;
      groups.delete(gvr.group);
      names = undefined;
    },
    get generation() {
      return generation;
    },
    generationOf: (name) => groups.get(name)?.generation ?? 0,
  };
}
