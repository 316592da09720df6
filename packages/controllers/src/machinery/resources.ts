// The resources that controllers name themselves; all others they find by discovery.

import type { GroupVersionResource } from '@keelson/apimachinery';

const v1 =
  (group: string) =>
  (resource: string): GroupVersionResource => ({ group, version: 'v1', resource });
const core = v1('');
const apps = v1('apps');

export const namespacesResource = core('namespaces');
export const eventsResource = core('events');
export const podsResource = core('pods');
export const nodesResource = core('nodes');
export const servicesResource = core('services');
export const endpointsResource = core('endpoints');
export const persistentVolumesResource = core('persistentvolumes');
export const persistentVolumeClaimsResource = core('persistentvolumeclaims');
export const configMapsResource = core('configmaps');
export const secretsResource = core('secrets');
export const serviceAccountsResource = core('serviceaccounts');
export const clusterRolesResource: GroupVersionResource = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource: 'clusterroles',
};

export const replicationControllersResource = core('replicationcontrollers');
export const replicaSetsResource = apps('replicasets');
export const deploymentsResource = apps('deployments');
export const daemonSetsResource = apps('daemonsets');
export const controllerRevisionsResource = apps('controllerrevisions');
export const statefulSetsResource = apps('statefulsets');
const device = v1('resource.k8s.io');
export const resourceClaimsResource = device('resourceclaims');
export const resourceClaimTemplatesResource = device('resourceclaimtemplates');
export const resourceSlicesResource = device('resourceslices');
export const deviceClassesResource = device('deviceclasses');
export const podGroupsResource: GroupVersionResource = {
  group: 'scheduling.k8s.io',
  version: 'v1alpha2',
  resource: 'podgroups',
};
export const leasesResource = v1('coordination.k8s.io')('leases');
export const customResourceDefinitionsResource = v1('apiextensions.k8s.io')(
  'customresourcedefinitions',
);
const storage = v1('storage.k8s.io');
export const storageClassesResource = storage('storageclasses');
export const volumeAttachmentsResource = storage('volumeattachments');
export const csiDriversResource = storage('csidrivers');
export const horizontalPodAutoscalersResource: GroupVersionResource = {
  group: 'autoscaling',
  version: 'v2',
  resource: 'horizontalpodautoscalers',
};
export const endpointSlicesResource = v1('discovery.k8s.io')('endpointslices');
export const cronJobsResource = v1('batch')('cronjobs');
export const jobsResource = v1('batch')('jobs');
export const podDisruptionBudgetsResource = v1('policy')('poddisruptionbudgets');
export const certificateSigningRequestsResource: GroupVersionResource = {
  group: 'certificates.k8s.io',
  version: 'v1',
  resource: 'certificatesigningrequests',
};
export const subjectAccessReviewsResource: GroupVersionResource = {
  group: 'authorization.k8s.io',
  version: 'v1',
  resource: 'subjectaccessreviews',
};
export const resourceQuotasResource = core('resourcequotas');
