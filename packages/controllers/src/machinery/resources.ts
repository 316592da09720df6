// The resources that controllers name themselves; all others they find by discovery.

import type { GroupVersionResource } from '@keelson/apimachinery';

const core = (resource: string): GroupVersionResource => ({ group: '', version: 'v1', resource });

export const namespacesResource = core('namespaces');
export const podsResource = core('pods');
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
