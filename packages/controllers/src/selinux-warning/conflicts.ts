// Pods that use one volume and want it labelled differently: on one node, only one of them could.

import { parseKey } from '../machinery/controller.ts';
import { labelsConflict, type VolumeLabelling } from './pod-volumes.ts';

export interface Conflict {
  readonly property: 'SELinuxLabel' | 'SELinuxChangePolicy';
  /** Keys of pods: the one that is told, and the other. */
  readonly pod: string;
  readonly value: string;
  readonly other: string;
  readonly otherValue: string;
}

/** Of one pod with those that use the volume, by the pods' keys. */
export function conflictsOf(
  pod: string,
  users: ReadonlyMap<string, VolumeLabelling>,
): readonly Conflict[] {
  const own = users.get(pod);
  if (own === undefined) return [];
  return [...users].flatMap(([other, { label, policy }]): Conflict[] => {
    if (other === pod) return [];
    const whose = { pod, other };
    return [
      ...(policy === own.policy
        ? []
        : [
            {
              property: 'SELinuxChangePolicy' as const,
              ...whose,
              value: own.policy,
              otherValue: policy,
            },
          ]),
      ...(labelsConflict(label, own.label)
        ? [{ property: 'SELinuxLabel' as const, ...whose, value: own.label, otherValue: label }]
        : []),
    ];
  });
}

/** The other pod is told the same about this one. */
export function reversed({ property, pod, value, other, otherValue }: Conflict): Conflict {
  return { property, pod: other, value: otherValue, other: pod, otherValue: value };
}

const consequence = 'If both pods land on the same node, only one of them may access the volume.';

/**
 * SECURITY: nothing of a pod of another namespace but that it is there. COMPAT: no blank before the
 * value then, as in Kubernetes.
 */
export function describeConflict({ property, pod, value, other, otherValue }: Conflict): string {
  const { namespace, name } = parseKey(other);
  const own = JSON.stringify(value);
  return parseKey(pod).namespace === namespace
    ? `${property} ${own} conflicts with pod ${name} that uses the same volume as this pod with ${property} ${JSON.stringify(otherValue)}. ${consequence}`
    : `${property}${own} conflicts with another pod that uses the same volume as this pod with a different ${property}. ${consequence}`;
}
