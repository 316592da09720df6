// Objects that stand for the node itself: its lease, its CSINode, its resource slices. On create
// the authorizer did not know the name yet.

import type { ResourceSlice } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { asKind } from '../../request-match.ts';
import { nameOf, type NodeRequest } from './request.ts';

export function admitOwnObject(request: NodeRequest): void {
  const { nodeName, attributes, refuse } = request;
  switch (attributes.gvr.resource) {
    case 'leases':
      if (attributes.namespace !== 'kube-node-lease')
        throw refuse('can only access leases in the "kube-node-lease" system namespace');
      if (nameOf(attributes) !== nodeName)
        throw refuse('can only access node lease with the same name as the requesting node');
      return;
    case 'csinodes':
      if (nameOf(attributes) !== nodeName)
        throw refuse('can only access CSINode with the same name as the requesting node');
      return;
    default:
      admitResourceSlice(request);
  }
}

/** The node of a slice never changes, so updates need no check. */
function admitResourceSlice({ nodeName, attributes, refuse }: NodeRequest): void {
  const { operation, object, oldObject } = attributes;
  const isOwn = (slice: typeof object) =>
    slice !== undefined && asKind<ResourceSlice>(slice).spec?.nodeName === nodeName;
  if (operation === 'CREATE' && !isOwn(object))
    throw refuse('can only create ResourceSlice with the same NodeName as the requesting node');
  if (operation === 'DELETE' && !isOwn(oldObject))
    throw refuse('can only delete ResourceSlice with the same NodeName as the requesting node');
}
