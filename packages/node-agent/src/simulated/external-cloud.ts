// What a kubelet with `--cloud-provider=external` and `--node-ip` does otherwise: nothing is placed
// on its node before a cloud-controller-manager has completed it, which finds the machine by the
// address in an annotation, and leaves that address first of its kind. The kubelet's own addresses
// stand until others are written, and are not written again then. `spec.providerID`, zones and the
// end of the taint are the cloud-controller-manager's.

import type { NodeStatus, Taint } from '@keelson/apimachinery/types/core.v1';
import type { NodeIdentity, NodeShape } from './node-object.ts';

const uninitialized: Taint = {
  key: 'node.cloudprovider.kubernetes.io/uninitialized',
  value: 'true',
  effect: 'NoSchedule',
};

type Cloud = Pick<NodeShape, 'cloudProvider'>;
const isExternal = ({ cloudProvider }: Cloud): boolean => cloudProvider === 'external';

export const cloudTaints = (shape: Cloud): readonly Taint[] =>
  isExternal(shape) ? [uninitialized] : [];

export const cloudAnnotations = ({ shape, address }: NodeIdentity): Record<string, string> =>
  isExternal(shape) ? { 'alpha.kubernetes.io/provided-node-ip': address } : {};

/** Those that are there are somebody else's. */
export const keepsAddresses = (shape: Cloud, before: NodeStatus | undefined): boolean =>
  isExternal(shape) && (before?.addresses ?? []).length > 0;
