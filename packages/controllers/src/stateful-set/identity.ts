// Who a pod of a StatefulSet is: its ordinal, and everything that follows from it. A pod keeps that
// identity wherever and however often it is created.
// https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-identity

import { compileLabelSelector, type LabelMatcher } from '@keelson/apimachinery';
import type { StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type {
  PersistentVolumeClaim,
  Pod,
  PodTemplateSpec,
  Volume,
} from '@keelson/apimachinery/types/core.v1';
import type { OwnerKind } from '../machinery/ownership.ts';
import { statefulSetsResource } from '../machinery/resources.ts';
import { podFromTemplate } from '../pods/pod-control.ts';

export const statefulSetKind: OwnerKind = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  resource: statefulSetsResource,
};
const podNameLabel = 'statefulset.kubernetes.io/pod-name';
const podIndexLabel = 'apps.kubernetes.io/pod-index';
const revisionLabel = 'controller-revision-hash';

/** Throws SelectorError. */
export function selectorOf({ spec }: StatefulSet): LabelMatcher {
  return compileLabelSelector(spec.selector);
}

/** Undefined for a pod that is not named after the set. */
export function ordinalOf(set: StatefulSet, { metadata }: Pod): number | undefined {
  const [, parent, digits] = /^(.*)-(\d{1,10})$/.exec(metadata.name ?? '') ?? [];
  if (parent !== set.metadata.name || digits === undefined) return undefined;
  const ordinal = Number(digits);
  return String(ordinal) === digits ? ordinal : undefined;
}
export function startOf({ spec }: StatefulSet): number {
  return spec.ordinals?.start ?? 0;
}
export function replicasOf({ spec }: StatefulSet): number {
  return spec.replicas ?? 1;
}
export function isInRange(set: StatefulSet, ordinal: number): boolean {
  return ordinal >= startOf(set) && ordinal < startOf(set) + replicasOf(set);
}
export function revisionOf({ metadata }: Pod): string {
  return metadata.labels?.[revisionLabel] ?? '';
}

export interface Incarnation {
  readonly ordinal: number;
  readonly template: PodTemplateSpec;
  /** Name of the revision that the template is of. */
  readonly revision: string;
}
/** What its name, labels and volumes must say of a pod. */
export interface IdentityOf {
  readonly ordinal: number;
  /** The gate PodIndexLabel: pods have a label with their ordinal. */
  readonly labelsIndex: boolean;
}

export function newPod(
  set: StatefulSet,
  { ordinal, labelsIndex, template, revision }: Incarnation & IdentityOf,
): Pod {
  const pod = podFromTemplate(template, statefulSetKind, set);
  const { name = '' } = set.metadata;
  const named = { ...pod, metadata: { ...pod.metadata, name: `${name}-${ordinal}` } };
  const { metadata, spec } = withIdentity(set, named, { ordinal, labelsIndex });
  const { serviceName } = set.spec;
  return {
    ...named,
    metadata: { ...metadata, labels: { ...metadata.labels, [revisionLabel]: revision } },
    spec: {
      ...spec,
      hostname: metadata.name ?? '',
      ...(serviceName !== undefined && { subdomain: serviceName }),
    },
  };
}

export function hasIdentity(
  set: StatefulSet,
  pod: Pod,
  { ordinal, labelsIndex }: IdentityOf,
): boolean {
  const { name = '', labels = {} } = pod.metadata;
  const isNumbered = !labelsIndex || (labels[podIndexLabel] ?? '') !== '';
  return (
    labels[podNameLabel] === name &&
    isNumbered &&
    claimVolumes(set, ordinal).every((volume) => hasVolume(pod, volume))
  );
}
export function withIdentity(
  set: StatefulSet,
  pod: Pod,
  { ordinal, labelsIndex }: IdentityOf,
): Pod {
  const { metadata, spec } = pod;
  const own = {
    [podNameLabel]: metadata.name ?? '',
    ...(labelsIndex && { [podIndexLabel]: String(ordinal) }),
  };
  const claimed = claimVolumes(set, ordinal);
  const others = (spec.volumes ?? []).filter(
    ({ name }) => !claimed.some((volume) => volume.name === name),
  );
  const volumes = [...claimed, ...others];
  return {
    ...pod,
    metadata: { ...metadata, labels: { ...metadata.labels, ...own } },
    spec: { ...spec, ...(volumes.length > 0 && { volumes }) },
  };
}

function claimVolumes(set: StatefulSet, ordinal: number): Volume[] {
  return (set.spec.volumeClaimTemplates ?? []).map((template) => ({
    name: template.metadata.name ?? '',
    persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
  }));
}
function hasVolume({ spec }: Pod, { name, persistentVolumeClaim }: Volume): boolean {
  return (spec.volumes ?? []).some(
    (volume) =>
      volume.name === name &&
      volume.persistentVolumeClaim?.claimName === persistentVolumeClaim?.claimName,
  );
}

function claimName(set: StatefulSet, template: PersistentVolumeClaim, ordinal: number): string {
  return `${template.metadata.name ?? ''}-${set.metadata.name ?? ''}-${ordinal}`;
}

/** The claims of a pod, as they are to be created. */
export function claimsOf(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  const { namespace = '' } = set.metadata;
  return (set.spec.volumeClaimTemplates ?? []).map((template) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: claimName(set, template, ordinal),
      namespace,
      labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
      annotations: { ...template.metadata.annotations },
    },
    spec: structuredClone(template.spec),
  })) as PersistentVolumeClaim[];
}
