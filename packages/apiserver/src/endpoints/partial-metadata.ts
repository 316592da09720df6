// `PartialObjectMetadata`: any object cut down to its metadata.

import { statusErrors, type KubeObject } from '@keelson/apimachinery';
import { goTypeOfAnswer } from './internal-object.ts';
import type { OutputFormat } from './negotiation.ts';
import type { ResourceRequest } from './resource-request.ts';

export function partialObject(object: KubeObject, version: string): KubeObject {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${version || 'v1'}`,
    metadata: object.metadata,
  };
}

/** A list has no metadata of a single object, nor an object that of a list. Throws 406. */
export function assertShape(request: ResourceRequest, format: OutputFormat, isList: boolean): void {
  if (format.as !== (isList ? 'PartialObjectMetadata' : 'PartialObjectMetadataList')) return;
  const type = goTypeOfAnswer(request.endpoint, request.subresource, isList);
  throw statusErrors.notAcceptable(
    `you requested ${format.as}, but the requested object is ${isList ? 'a' : 'not a'} list (${type})`,
  );
}
