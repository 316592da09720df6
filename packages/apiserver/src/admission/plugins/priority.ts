// Priority: the priority of a pod is that of its priority class, never one of its own choice.
//
// - A new pod without a class gets the class with globalDefault (of several the one with the lowest
//   value); without any, the priority 0 and the policy PreemptLowerPriority.
// - A named class must exist; the two system classes are objects like the others.
// - A pod may give `priority` and `preemptionPolicy` itself when they are what its class says.
// - An update that leaves them out keeps what the pod had; validation refuses other changes.
// - A class may be made the global default only while no other is.
// Subresources pass.

import type { KubeObject } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { PriorityClass } from '@keelson/apimachinery/types/scheduling.k8s.io.v1';
import type { ObjectSource } from '../../object-source.ts';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import { asKind, handling, isMainResource, podOf } from '../request-match.ts';

const noClass: Pick<PriorityClass, 'value' | 'preemptionPolicy'> = {
  value: 0,
  preemptionPolicy: 'PreemptLowerPriority',
};

export function createPriority(priorityClasses: ObjectSource): AdmissionPlugin {
  return {
    name: 'Priority',
    handles: handling('CREATE', 'UPDATE'),
    mutate(attributes) {
      const pod = podOf(attributes);
      if (pod === undefined) return;
      if (attributes.operation === 'UPDATE') return keepPriority(pod, attributes.oldObject);
      setPriority(attributes, pod, priorityClasses);
    },
    validate(attributes) {
      if (attributes.object === undefined) return;
      if (!isMainResource(attributes, 'scheduling.k8s.io', 'priorityclasses')) return;
      const candidate = asKind<PriorityClass>(attributes.object);
      if (candidate.globalDefault !== true) return;
      const present = globalDefaultOf(priorityClasses);
      if (present === undefined) return;
      const isItself =
        attributes.operation === 'UPDATE' && present.metadata.name === candidate.metadata.name;
      if (!isItself)
        throw admissionForbidden(
          attributes,
          `PriorityClass ${present.metadata.name} is already marked as default. ` +
            'Only one default can exist',
        );
    },
  };
}

function setPriority(
  attributes: AdmissionAttributes,
  pod: Pod,
  priorityClasses: ObjectSource,
): void {
  const { spec } = pod;
  const { value = 0, preemptionPolicy } = classOf(attributes, pod, priorityClasses);
  if (spec.priority !== undefined && spec.priority !== value)
    throw admissionForbidden(
      attributes,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; ` +
        `priority admission controller computed ${value} from the given PriorityClass name`,
    );
  spec.priority = value;
  if (preemptionPolicy === undefined) return;
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy)
    throw admissionForbidden(
      attributes,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in ` +
        `pod spec; priority admission controller computed ${preemptionPolicy} from the given ` +
        'PriorityClass name',
    );
  spec.preemptionPolicy = preemptionPolicy;
}

/** The class of a new pod; a default class is written into the pod by name. */
function classOf(attributes: AdmissionAttributes, { spec }: Pod, priorityClasses: ObjectSource) {
  const { priorityClassName: name = '' } = spec;
  if (name === '') {
    const byDefault = globalDefaultOf(priorityClasses);
    if (byDefault === undefined) return noClass;
    spec.priorityClassName = byDefault.metadata.name ?? '';
    return byDefault;
  }
  const named = priorityClasses.get('', name);
  if (named === undefined)
    throw admissionForbidden(attributes, `no PriorityClass with name ${name} was found`);
  return asKind<PriorityClass>(named);
}

function globalDefaultOf(priorityClasses: ObjectSource): PriorityClass | undefined {
  let lowest: PriorityClass | undefined;
  for (const object of priorityClasses.list()) {
    const candidate = asKind<PriorityClass>(object);
    if (candidate.globalDefault !== true) continue;
    if (lowest === undefined || (candidate.value ?? 0) < (lowest.value ?? 0)) lowest = candidate;
  }
  return lowest;
}

function keepPriority({ spec }: Pod, oldObject: KubeObject | undefined): void {
  if (oldObject === undefined) return;
  const old = asKind<Pod>(oldObject).spec;
  if (spec.priority === undefined && old.priority !== undefined) spec.priority = old.priority;
  if (spec.preemptionPolicy === undefined && old.preemptionPolicy !== undefined)
    spec.preemptionPolicy = old.preemptionPolicy;
}
