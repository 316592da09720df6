// The live views that authentication, authorization and admission look things up in, one per
// resource that any of them needs. Opened once at start; they cost one map entry an object.

import type { KubeObject } from '@keelson/apimachinery';
import type { ObjectSource } from './object-source.ts';
import { createObjectSource } from './registry/object-source-of-storage.ts';
import type { Storage } from './storage/storage.ts';

/** Key prefix in storage by the name under which the view is asked for. */
const prefixes = {
  namespaces: '/registry/namespaces',
  pods: '/registry/pods',
  nodes: '/registry/minions',
  secrets: '/registry/secrets',
  configMaps: '/registry/configmaps',
  serviceAccounts: '/registry/serviceaccounts',
  services: '/registry/services/specs',
  limitRanges: '/registry/limitranges',
  resourceQuotas: '/registry/resourcequotas',
  persistentVolumes: '/registry/persistentvolumes',
  persistentVolumeClaims: '/registry/persistentvolumeclaims',
  priorityClasses: '/registry/priorityclasses',
  storageClasses: '/registry/storageclasses',
  ingressClasses: '/registry/ingressclasses',
  runtimeClasses: '/registry/runtimeclasses',
  roles: '/registry/roles',
  roleBindings: '/registry/rolebindings',
  clusterRoles: '/registry/clusterroles',
  clusterRoleBindings: '/registry/clusterrolebindings',
  volumeAttachments: '/registry/volumeattachments',
  csiNodes: '/registry/csinodes',
  csiDrivers: '/registry/csidrivers',
  leases: '/registry/leases',
  certificateSigningRequests: '/registry/certificatesigningrequests',
  mutatingAdmissionPolicies: '/registry/mutatingadmissionpolicies',
  mutatingAdmissionPolicyBindings: '/registry/mutatingadmissionpolicybindings',
  validatingAdmissionPolicies: '/registry/validatingadmissionpolicies',
  validatingAdmissionPolicyBindings: '/registry/validatingadmissionpolicybindings',
  customResourceDefinitions: '/registry/apiextensions.k8s.io/customresourcedefinitions',
  resourceClaims: '/registry/resourceclaims',
  resourceSlices: '/registry/resourceslices',
  deviceClasses: '/registry/deviceclasses',
  podDisruptionBudgets: '/registry/poddisruptionbudgets',
  serviceCidrs: '/registry/servicecidrs',
  ipAddresses: '/registry/ipaddresses',
  flowSchemas: '/registry/flowschemas',
  priorityLevelConfigurations: '/registry/prioritylevelconfigurations',
  mutatingWebhookConfigurations: '/registry/mutatingwebhookconfigurations',
  validatingWebhookConfigurations: '/registry/validatingwebhookconfigurations',
  endpointSlices: '/registry/endpointslices',
  apiServices: '/registry/apiregistration.k8s.io/apiservices',
  podCertificateRequests: '/registry/podcertificaterequests',
  podGroups: '/registry/podgroups',
  workloads: '/registry/workloads',
} as const;

export type ObjectSourceName = keyof typeof prefixes;
export type ObjectSources = Readonly<Record<ObjectSourceName, ObjectSource>>;

/** Those that configure API Priority and Fairness. */
export function flowControlSources({ flowSchemas, priorityLevelConfigurations }: ObjectSources) {
  return { schemas: flowSchemas, levels: priorityLevelConfigurations };
}

/** Opens all views; they follow the storage until the signal is aborted. */
export async function openObjectSources(
  storage: Storage,
  signal: AbortSignal,
): Promise<ObjectSources> {
  const names = Object.keys(prefixes) as ObjectSourceName[];
  const opened = await Promise.all(
    names.map((name) => createObjectSource<KubeObject>(storage, prefixes[name], signal)),
  );
  return Object.fromEntries(names.map((name, i) => [name, opened[i]])) as unknown as ObjectSources;
}
