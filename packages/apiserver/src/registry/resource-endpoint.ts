// One resource of one version as it is served: its definition, its strategy, where it is stored and
// how the served version and the stored one turn into each other. The index finds it by URL; it
// changes while the server runs, when CustomResourceDefinitions come and go.

import type {
  FieldManager,
  GroupVersionResource,
  KubeObject,
  ResourceDefinition,
} from '@keelson/apimachinery';
import type { ConnectHandler, CreateHandler, ProjectionHandler } from './handlers.ts';
import type { StoreScope } from './store-types.ts';
import type { Strategy } from './strategy.ts';

/**
 * Conversion between the served and the stored version; functions return new objects or the same
 * one.
 */
export interface VersionConversion {
  toStored(object: KubeObject): KubeObject | Promise<KubeObject>;
  fromStored(object: KubeObject): KubeObject | Promise<KubeObject>;
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
  readonly createHandler?: CreateHandler;
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
  /** Adds or replaces. */
  put(endpoint: ResourceEndpoint): void;
  remove(gvr: GroupVersionResource): void;
  /** Grows with every change; discovery and OpenAPI caches depend on it. */
  readonly generation: number;
}

export function createResourceIndex(): ResourceIndex {
  const byGvr = new Map<string, ResourceEndpoint>();
  let generation = 0;
  let sorted: readonly ResourceEndpoint[] | undefined;
  const idOf = (gvr: GroupVersionResource) => `${gvr.group}/${gvr.version}/${gvr.resource}`;
  const changed = () => {
    generation++;
    sorted = undefined;
  };
  return {
    find: (gvr) => byGvr.get(idOf(gvr)),
    list: () => (sorted ??= [...byGvr.values()]),
    put(endpoint) {
      byGvr.set(idOf(endpoint.definition), endpoint);
      changed();
    },
    remove(gvr) {
      if (byGvr.delete(idOf(gvr))) changed();
    },
    get generation() {
      return generation;
    },
  };
}
