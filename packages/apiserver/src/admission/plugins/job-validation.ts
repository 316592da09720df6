// JobValidation (gates GenericWorkload and WorkloadWithJob): the parallelism of a job does not change
// while its pods are scheduled as a gang, for the gang was promised a number of pods. The group is
// the one that the pod template names, or the one that the job controls.

import type { KubeObject } from '@keelson/apimachinery';
import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { PodGroup } from '@keelson/apimachinery/types/scheduling.k8s.io.v1alpha2';
import type { Features } from '../../features/features.ts';
import type { ObjectSource } from '../../object-source.ts';
import { admissionForbidden, type AdmissionPlugin } from '../admission.ts';
import { asKind, isMainResource } from '../request-match.ts';

export function createJobValidation(podGroups: ObjectSource, features: Features): AdmissionPlugin {
  const isOn = features.enabled('GenericWorkload') && features.enabled('WorkloadWithJob');
  return {
    name: 'JobValidation',
    handles: (operation) => isOn && operation === 'UPDATE',
    validate(attributes) {
      const { object, oldObject } = attributes;
      if (object === undefined || oldObject === undefined) return;
      if (!isMainResource(attributes, 'batch', 'jobs')) return;
      if (parallelismOf(object) === parallelismOf(oldObject)) return;
      const gang = groupsOf(object, podGroups, attributes.namespace).find(isGang);
      if (gang === undefined) return;
      const name = JSON.stringify(gang.metadata.name ?? '');
      throw admissionForbidden(
        attributes,
        `cannot change parallelism for a Job referencing gang-scheduled PodGroup ${name}`,
      );
    },
  };
}

function parallelismOf(job: KubeObject): number | undefined {
  return asKind<Job>(job).spec?.parallelism;
}

function groupsOf(job: KubeObject, podGroups: ObjectSource, namespace: string): KubeObject[] {
  const named = asKind<Job>(job).spec?.template.spec?.schedulingGroup?.podGroupName;
  if (named !== undefined) {
    const group = podGroups.get(namespace, named);
    return group === undefined ? [] : [group];
  }
  const { uid } = job.metadata;
  return [...podGroups.list(namespace)].filter((group) =>
    group.metadata.ownerReferences?.some((owner) => owner.controller === true && owner.uid === uid),
  );
}

function isGang(group: KubeObject): boolean {
  return Boolean(asKind<PodGroup>(group).spec?.schedulingPolicy?.gang);
}
