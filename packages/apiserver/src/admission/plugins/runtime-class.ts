// RuntimeClass: a pod that names a runtime class gets what the class says about it.
//
// - The class must exist.
// - overhead.podFixed becomes `spec.overhead`. A pod may give the same overhead itself, but not
//   another one, and none when the class has none.
// - scheduling.nodeSelector joins the pod's; the same key with another value is a conflict.
//   scheduling.tolerations follow the pod's own.
// Creation only; a pod never changes its runtime class. The overhead is checked again after all
// mutation.

import { listsEqual, readResourceList } from '@keelson/apimachinery';
import type { Pod, PodSpec } from '@keelson/apimachinery/types/core.v1';
import type { RuntimeClass, Scheduling } from '@keelson/apimachinery/types/node.k8s.io.v1';
import type { ObjectSource } from '../../object-source.ts';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import { asKind, handling, podOf } from '../request-match.ts';
import { mergeTolerations } from '../tolerations.ts';

export function createRuntimeClass(runtimeClasses: ObjectSource): AdmissionPlugin {
  const classOf = (attributes: AdmissionAttributes, pod: Pod): RuntimeClass | undefined => {
    const name = pod.spec.runtimeClassName;
    if (name === undefined) return undefined;
    const found = runtimeClasses.get('', name);
    if (found === undefined)
      throw refuse(attributes, `RuntimeClass ${JSON.stringify(name)} not found`);
    return asKind<RuntimeClass>(found);
  };
  return {
    name: 'RuntimeClass',
    handles: handling('CREATE'),
    mutate(attributes) {
      const pod = podOf(attributes);
      if (pod === undefined) return;
      const runtimeClass = classOf(attributes, pod);
      if (runtimeClass?.overhead !== undefined) {
        const { podFixed = {} } = runtimeClass.overhead;
        if (pod.spec.overhead !== undefined) checkOverhead(attributes, pod.spec, podFixed);
        pod.spec.overhead = { ...podFixed };
      }
      if (runtimeClass?.scheduling !== undefined)
        mergeScheduling(attributes, pod.spec, runtimeClass.scheduling);
    },
    validate(attributes) {
      const pod = podOf(attributes);
      if (pod === undefined) return;
      const runtimeClass = classOf(attributes, pod);
      if (runtimeClass?.overhead !== undefined)
        checkOverhead(attributes, pod.spec, runtimeClass.overhead.podFixed ?? {});
      else if (pod.spec.overhead !== undefined)
        throw refuse(
          attributes,
          'Pod Overhead set without corresponding RuntimeClass defined Overhead',
        );
    },
  };
}

function checkOverhead(
  attributes: AdmissionAttributes,
  spec: PodSpec,
  podFixed: Record<string, string>,
): void {
  if (listsEqual(readResourceList(spec.overhead), readResourceList(podFixed))) return;
  throw refuse(attributes, "Pod's Overhead doesn't match RuntimeClass's defined Overhead");
}

function mergeScheduling(
  attributes: AdmissionAttributes,
  spec: PodSpec,
  scheduling: Scheduling,
): void {
  const own = spec.nodeSelector ?? {};
  const wanted = Object.entries(scheduling.nodeSelector ?? {});
  for (const [key, value] of wanted) {
    const given = Object.hasOwn(own, key) ? own[key] : value;
    if (given !== value)
      throw admissionForbidden(
        attributes,
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; ` +
          `pod.spec.nodeSelector[${key}] = ${given}`,
      );
  }
  if (wanted.length > 0)
    spec.nodeSelector = Object.fromEntries([...Object.entries(own), ...wanted]);
  const tolerations = mergeTolerations(spec.tolerations ?? [], scheduling.tolerations ?? []);
  if (tolerations.length > 0) spec.tolerations = tolerations;
}

function refuse(attributes: AdmissionAttributes, why: string) {
  return admissionForbidden(attributes, `pod rejected: ${why}`);
}
