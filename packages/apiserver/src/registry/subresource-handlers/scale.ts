// `scale`: replicas and selector of Deployments, ReplicaSets, StatefulSets and
// ReplicationControllers as `autoscaling/v1 Scale`.

import {
  fieldError,
  formatLabelSelector,
  statusErrors,
  type KubeObject,
  copyJson,
} from '@keelson/apimachinery';
import type { Scale } from '@keelson/apimachinery/types/autoscaling.v1';
import type { ProjectionHandler } from '../handlers.ts';

interface Scalable extends KubeObject {
  spec?: { replicas?: number; selector?: unknown };
  status?: { replicas?: number };
}

const scalable = [
  { group: 'apps', resource: 'deployments' },
  { group: 'apps', resource: 'replicasets' },
  { group: 'apps', resource: 'statefulsets' },
  { group: '', resource: 'replicationcontrollers' },
];

export const scaleHandlers: readonly ProjectionHandler[] = scalable.map((resource) => ({
  resource,
  subresource: 'scale',
  project: (parent) =>
    toScale(parent, resource.resource === 'replicationcontrollers') as unknown as KubeObject,
  merge: (projection, parent) => fromScale(projection as unknown as Scale, parent),
}));

function toScale(parent: Scalable, plainSelector: boolean): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = parent.metadata;
  const selector = plainSelector
    ? { matchLabels: parent.spec?.selector as Record<string, string> | undefined }
    : parent.spec?.selector;
  const text = formatLabelSelector((selector ?? {}) as Parameters<typeof formatLabelSelector>[0]);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: parent.spec?.replicas ? { replicas: parent.spec.replicas } : {},
    status: { replicas: parent.status?.replicas ?? 0, ...(text === '' ? {} : { selector: text }) },
  } as Scale;
}

function fromScale(scale: Scale, parent: KubeObject): KubeObject {
  const replicas = scale.spec?.replicas ?? 0;
  if (replicas < 0)
    throw statusErrors.invalid({ group: 'autoscaling', kind: 'Scale' }, scale.metadata.name ?? '', [
      fieldError.invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  const changed = copyJson(parent) as Scalable;
  changed.spec = { ...changed.spec, replicas };
  // The scale's resourceVersion and uid are preconditions on the object behind it.
  if (scale.metadata.resourceVersion)
    changed.metadata.resourceVersion = scale.metadata.resourceVersion;
  else delete changed.metadata.resourceVersion;
  return changed;
}
