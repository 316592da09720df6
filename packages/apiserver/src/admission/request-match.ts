// What plugins ask about a request before they look at its object: the operation, the resource, the
// subresource. Decoding by schema has made sure that an object of a resource has that resource's
// shape, so here, and only here, an object becomes one of the built-in types.

import type { KubeObject } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { AdmissionAttributes, AdmissionOperation } from './admission.ts';

/** The `handles` of a plugin that looks at these operations. */
export function handling(
  ...operations: AdmissionOperation[]
): (operation: AdmissionOperation) => boolean {
  return (operation) => operations.includes(operation);
}

/** True for requests on the resource or its subresources, in whichever version. */
export function isAbout(attributes: AdmissionAttributes, group: string, resource: string): boolean {
  return attributes.gvr.resource === resource && attributes.gvr.group === group;
}

/** The same for the resource itself, without subresources. */
export function isMainResource(
  attributes: AdmissionAttributes,
  group: string,
  resource: string,
): boolean {
  return attributes.subresource === '' && isAbout(attributes, group, resource);
}

/**
 * The object as the type of its resource; the caller has checked the resource, or knows its source.
 */
export function asKind<T>(object: KubeObject): T {
  return object as unknown as T;
}

/**
 * The pod of a request on pods themselves; undefined for every other request. It has a `spec`:
 * mutating plugins run before validation asks for one, so an absent one is filled in.
 */
export function podOf(attributes: AdmissionAttributes): Pod | undefined {
  if (attributes.object === undefined || !isMainResource(attributes, '', 'pods')) return undefined;
  const pod = asKind<Pod>(attributes.object);
  pod.spec ??= { containers: null };
  return pod;
}
