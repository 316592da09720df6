// `PartialObjectMetadata`: any object cut down to its metadata.

import type { KubeObject } from '@keelson/apimachinery';

export function partialObject(object: KubeObject, version: string): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version || 'v1'}`, metadata: object.metadata };
}
/** An item of a PartialObjectMetadataList: typed lists carry no kind in their items. */
export function partialItem(object: KubeObject): { metadata: KubeObject['metadata'] } {
  return { metadata: object.metadata };
}
