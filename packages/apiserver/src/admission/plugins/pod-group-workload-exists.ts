// PodGroupWorkloadExists (gate GenericWorkload): a pod group that names the template it was made
// from is only taken while the workload with that template is there.

import type { KubeObject } from '@keelson/apimachinery';
import type { PodGroup, Workload } from '@keelson/apimachinery/types/scheduling.k8s.io.v1alpha2';
import type { Features } from '../../features/features.ts';
import type { ObjectSource } from '../../object-source.ts';
import { admissionForbidden, type AdmissionPlugin } from '../admission.ts';
import { asKind, isAbout } from '../request-match.ts';

export function createPodGroupWorkloadExists(
  workloads: ObjectSource,
  features: Features,
): AdmissionPlugin {
  const isOn = features.enabled('GenericWorkload');
  return {
    name: 'PodGroupWorkloadExists',
    handles: (operation) => isOn && operation === 'CREATE',
    validate(attributes) {
      const { object } = attributes;
      if (object === undefined || !isAbout(attributes, 'scheduling.k8s.io', 'podgroups')) return;
      const reference = asKind<PodGroup>(object).spec?.podGroupTemplateRef?.workload;
      if (!reference) return;
      const workload = workloads.get(attributes.namespace, reference.workloadName);
      const problem = problemOf(workload, reference);
      if (problem !== undefined)
        throw admissionForbidden(attributes, `PodGroup rejected: ${problem}`);
    },
  };
}

interface Reference {
  readonly workloadName: string;
  readonly podGroupTemplateName: string;
}

function problemOf(
  object: KubeObject | undefined,
  { workloadName, podGroupTemplateName }: Reference,
): string | undefined {
  const workload = `Workload ${JSON.stringify(workloadName)}`;
  if (object === undefined) return `${workload} not found`;
  if (object.metadata.deletionTimestamp !== undefined) return `${workload} is being deleted`;
  const templates = asKind<Workload>(object).spec?.podGroupTemplates ?? [];
  if (templates.some(({ name }) => name === podGroupTemplateName)) return undefined;
  return `PodGroupTemplate ${JSON.stringify(podGroupTemplateName)} not found in ${workload}`;
}
