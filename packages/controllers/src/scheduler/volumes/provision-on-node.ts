// Whether the storage class of a claim can make a volume for a node: it has a provisioner, the
// topology is allowed, and where the driver reports capacity, there is enough.

import { compareQuantities, compileLabelSelector, parseQuantity } from '@keelson/apimachinery';
import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type {
  CSIStorageCapacity,
  StorageClass,
} from '@keelson/apimachinery/types/storage.k8s.io.v1';
import { classOf } from '../../persistent-volume-binder/match-volume.ts';
import type { ObjectLookup } from '../object-lookup.ts';
import type { NodeState } from '../snapshot/node-state.ts';

const noProvisioner = 'kubernetes.io/no-provisioner';

export function canProvision(
  lookup: Pick<ObjectLookup, 'storageClass' | 'csiDriver' | 'storageCapacities'>,
  claim: PersistentVolumeClaim,
  node: NodeState,
): 'yes' | 'no' | 'no-space' {
  const storageClass = lookup.storageClass(classOf(claim));
  const { provisioner = '' } = storageClass ?? {};
  if (storageClass === undefined || provisioner === '' || provisioner === noProvisioner)
    return 'no';
  if (!isAllowed(storageClass, node)) return 'no';
  if (lookup.csiDriver(provisioner)?.spec.storageCapacity !== true) return 'yes';
  const wanted = parseQuantity(claim.spec?.resources?.requests?.['storage'] ?? '0');
  const { name = '' } = storageClass.metadata;
  const hasRoom = lookup.storageCapacities(name).some((capacity) => {
    const size = capacity.maximumVolumeSize ?? capacity.capacity;
    if (size === undefined || compareQuantities(parseQuantity(size), wanted) < 0) return false;
    return isNear(capacity, node);
  });
  return hasRoom ? 'yes' : 'no-space';
}

function isAllowed({ allowedTopologies }: StorageClass, { labels }: NodeState): boolean {
  if (allowedTopologies === undefined || allowedTopologies.length === 0) return true;
  return allowedTopologies.some(({ matchLabelExpressions = [] }) => {
    const values = matchLabelExpressions.map(({ key, values: allowed }) => ({ key, allowed }));
    return (
      values.length > 0 &&
      values.every(({ key, allowed }) => (allowed ?? []).includes(labels[key] ?? ''))
    );
  });
}

function isNear({ nodeTopology }: CSIStorageCapacity, { labels }: NodeState): boolean {
  return nodeTopology !== undefined && compileLabelSelector(nodeTopology).matches(labels);
}
