// The object of a request in another version. Plugins see the stored version; webhooks and policies
// are written for a version, and are shown that one. Subresources of another kind (Scale) are
// projections of what is stored, and are shown as what the client sees.

import {
  asJson,
  asKubeObject,
  decodeValue,
  formatApiVersion,
  typeForKind,
  type GroupVersionKind,
  type GroupVersionResource,
  type JsonObject,
  type KubeObject,
} from '@keelson/apimachinery';
import type { Features } from '../features/features.ts';
import type { ResourceEndpoint, ResourceIndex } from '../registry/resource-endpoint.ts';
import type { AdmissionAttributes } from './admission.ts';

export interface VersionedObjects {
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
}

export interface RequestVersions {
  /** All versions, of whichever group, in which the objects of the resource are served. */
  equivalents(gvr: GroupVersionResource): readonly GroupVersionResource[];
  /** Undefined for what is not served. */
  kindOf(gvr: GroupVersionResource, subresource: string): GroupVersionKind | undefined;
  /** Both objects of a request as they look in that version. */
  show(attributes: AdmissionAttributes, gvr: GroupVersionResource): Promise<VersionedObjects>;
  /**
   * A changed object of that version, decoded, defaulted and as plugins see it. Throws DecodeError.
   */
  take(
    attributes: AdmissionAttributes,
    gvr: GroupVersionResource,
    changed: JsonObject,
  ): Promise<KubeObject>;
}

export function createRequestVersions(
  index: () => ResourceIndex,
  features: Features,
): RequestVersions {
  const endpointOf = (gvr: GroupVersionResource): ResourceEndpoint => {
    const endpoint = index().find(gvr);
    if (endpoint !== undefined) return endpoint;
    throw new Error(`unable to convert to ${gvr.group}/${gvr.version}, Resource=${gvr.resource}`);
  };
  return {
    equivalents(gvr) {
      const prefix = index().find(gvr)?.scope?.keyPrefix;
      if (prefix === undefined) return [gvr];
      const same = index()
        .list()
        .filter((endpoint) => endpoint.scope?.keyPrefix === prefix);
      return same.map((endpoint) => endpoint.definition);
    },
    kindOf(gvr, subresource) {
      const definition = index().find(gvr)?.definition;
      if (definition === undefined || subresource === '') return definition;
      return definition.subresources.find((sub) => sub.name === subresource)?.gvk;
    },
    async show(attributes, gvr) {
      const endpoint = endpointOf(gvr);
      const show = (object: KubeObject | undefined) =>
        object === undefined || isOwnKind(endpoint, attributes)
          ? object
          : showObject(endpoint, attributes.subresource, object);
      const { object, oldObject } = attributes;
      return { object: await show(object), oldObject: await show(oldObject) };
    },
    async take(attributes, gvr, changed) {
      const endpoint = endpointOf(gvr);
      const { definition, conversion } = endpoint;
      const projection = endpoint.projections.get(attributes.subresource);
      const sub = definition.subresources.find((one) => one.name === attributes.subresource);
      if (isOwnKind(endpoint, attributes) || projection !== undefined) {
        const kind = sub?.gvk ?? definition;
        const type = typeForKind(kind);
        if (type === undefined) throw new Error(`no schema for ${kind.kind}`);
        const object = asKubeObject(decodeValue(changed, type).value);
        if (projection === undefined || attributes.object === undefined) return object;
        const parent = (await conversion?.fromStored(attributes.object)) ?? attributes.object;
        const merged = projection.merge(object, parent);
        return (await conversion?.toStored(merged)) ?? merged;
      }
      const object =
        endpoint.customDecode?.(asKubeObject(changed)).object ??
        asKubeObject(decodeValue(changed, definition.type).value);
      object.metadata ??= {};
      endpoint.versionDefaults?.(object);
      endpoint.strategy.applyDefaults?.(object, features);
      return (await conversion?.toStored(object)) ?? object;
    },
  };
}

/** Bodies that are not stored (bindings, reviews, options of connections) have one version only. */
function isOwnKind(endpoint: ResourceEndpoint, { subresource, operation }: AdmissionAttributes) {
  return (
    operation === 'CONNECT' ||
    endpoint.scope === undefined ||
    (endpoint.subresourceCreates.has(subresource) && operation === 'CREATE')
  );
}

async function showObject(
  endpoint: ResourceEndpoint,
  subresource: string,
  object: KubeObject,
): Promise<KubeObject> {
  const { definition, conversion } = endpoint;
  const served = (await conversion?.fromStored(object)) ?? object;
  const projection = endpoint.projections.get(subresource);
  if (projection !== undefined) return projection.project(served);
  const { kind } = definition;
  return {
    ...(asJson(served) as object),
    kind,
    apiVersion: formatApiVersion(definition),
  } as KubeObject;
}
