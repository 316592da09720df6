// What of the default policy belongs to a feature: roles with their bindings, and single rules.
// Only features that a release from 1.26 on could lack are named.

import type { BindingRow, RoleRow } from './bootstrap-policy.ts';

const deviceTaintEviction = 'system:controller:device-taint-eviction-controller';

/** Roles (and the bindings of the same name) that exist only with a gate. */
export const gatedRoles: Readonly<Record<string, string>> = {
  [deviceTaintEviction]: 'DRADeviceTaints',
  'system:controller:legacy-service-account-token-cleaner': 'LegacyServiceAccountTokenCleanUp',
  'system:controller:resource-claim-controller': 'DynamicResourceAllocation',
  'system:controller:selinux-warning-controller': 'SELinuxChangePolicy',
  'system:controller:service-cidrs-controller': 'MultiCIDRServiceAllocator',
  'system:controller:validatingadmissionpolicy-status-controller': 'ValidatingAdmissionPolicy',
  'system:controller:volumeattributesclass-protection-controller': 'VolumeAttributesClass',
};

const trustBundlePublisher =
  'system:controller:kube-apiserver-serving-clustertrustbundle-publisher';

const storageVersionCollector = 'system:controller:storage-version-garbage-collector';
const podGroupProtection = 'system:controller:podgroup-protection-controller';
const podCertificateCleaner = 'system:controller:podcertificaterequestcleaner';

const storageVersionMigrator = 'system:controller:storage-version-migrator-controller';

/** Cluster roles of features that are off by default, which the generated table does not have. */
export const optionalClusterRoles: readonly (RoleRow & { readonly gate: string })[] = [
  {
    gate: 'ClusterTrustBundle',
    name: trustBundlePublisher,
    rules: [
      'attest|certificates.k8s.io|signers|kubernetes.io/kube-apiserver-serving',
      'create,delete,list,update,watch|certificates.k8s.io|clustertrustbundles',
      'create,patch,update|,events.k8s.io|events',
    ],
  },
  {
    gate: 'StorageVersionAPI',
    name: storageVersionCollector,
    rules: [
      'get,list,watch|coordination.k8s.io|leases',
      'delete,get,list,watch|internal.apiserver.k8s.io|storageversions',
      'get,update|internal.apiserver.k8s.io|storageversions/status',
    ],
  },
  {
    gate: 'GenericWorkload',
    name: podGroupProtection,
    rules: [
      'get,list,watch||pods',
      'get,list,update,watch|scheduling.k8s.io|podgroups',
      'create,patch,update|,events.k8s.io|events',
    ],
  },
  {
    gate: 'PodCertificateRequest',
    name: podCertificateCleaner,
    rules: ['delete,get,list,watch|certificates.k8s.io|podcertificaterequests'],
  },
  {
    gate: 'StorageVersionMigrator',
    name: storageVersionMigrator,
    rules: [
      'list,patch|*|*',
      'get|apiextensions.k8s.io|customresourcedefinitions',
      'update|storagemigration.k8s.io|storageversionmigrations/status',
    ],
  },
];
/** Their bindings, of the same names. */
export const optionalClusterRoleBindings: readonly (BindingRow & { readonly gate: string })[] = [
  {
    gate: 'ClusterTrustBundle',
    name: trustBundlePublisher,
    role: `ClusterRole/${trustBundlePublisher}`,
    subjects: ['ServiceAccount/kube-system/kube-apiserver-serving-clustertrustbundle-publisher'],
  },
  {
    gate: 'StorageVersionAPI',
    name: storageVersionCollector,
    role: `ClusterRole/${storageVersionCollector}`,
    subjects: ['ServiceAccount/kube-system/storage-version-garbage-collector'],
  },
  {
    gate: 'GenericWorkload',
    name: podGroupProtection,
    role: `ClusterRole/${podGroupProtection}`,
    subjects: ['ServiceAccount/kube-system/podgroup-protection-controller'],
  },
  {
    gate: 'PodCertificateRequest',
    name: podCertificateCleaner,
    role: `ClusterRole/${podCertificateCleaner}`,
    subjects: ['ServiceAccount/kube-system/podcertificaterequestcleaner'],
  },
  {
    gate: 'StorageVersionMigrator',
    name: storageVersionMigrator,
    role: `ClusterRole/${storageVersionMigrator}`,
    subjects: ['ServiceAccount/kube-system/storage-version-migrator-controller'],
  },
];

interface GatedRule {
  readonly role: string;
  readonly rule: string;
  readonly gate: string;
}

/** Rules of features that are off by default, which the generated table does not have. */
export const optionalRules: readonly GatedRule[] = [
  {
    role: 'system:kube-scheduler',
    rule: 'get,list,watch|scheduling.k8s.io|podgroups,workloads',
    gate: 'GenericWorkload',
  },
  {
    role: 'system:kube-scheduler',
    rule: 'patch,update|scheduling.k8s.io|podgroups/status',
    gate: 'GenericWorkload',
  },
  {
    role: 'system:node',
    rule: 'get,list,watch|certificates.k8s.io|clustertrustbundles',
    gate: 'ClusterTrustBundle',
  },
  {
    role: 'system:node',
    rule: 'create,get,list,watch|certificates.k8s.io|podcertificaterequests',
    gate: 'PodCertificateRequest',
  },
  {
    role: deviceTaintEviction,
    rule: 'get,list,watch|resource.k8s.io|devicetaintrules',
    gate: 'DRADeviceTaintRules',
  },
  {
    role: deviceTaintEviction,
    rule: 'patch,update|resource.k8s.io|devicetaintrules/status',
    gate: 'DRADeviceTaintRules',
  },
];

/** Rules of other roles that exist only with a gate; `rule` as it stands in the generated table. */
export const gatedRules: readonly GatedRule[] = [
  {
    role: 'system:basic-user',
    rule: 'create|authentication.k8s.io|selfsubjectreviews',
    gate: 'APISelfSubjectReview',
  },
  {
    role: 'system:kubelet-api-admin',
    rule: '*||nodes/configz,nodes/healthz,nodes/pods',
    gate: 'KubeletFineGrainedAuthz',
  },
  {
    role: 'system:node',
    rule: 'get||serviceaccounts',
    gate: 'KubeletServiceAccountTokenForCredentialProviders',
  },
  {
    role: 'system:node',
    rule: 'get|resource.k8s.io|resourceclaims',
    gate: 'DynamicResourceAllocation',
  },
  {
    role: 'system:node',
    rule: 'deletecollection|resource.k8s.io|resourceslices',
    gate: 'DynamicResourceAllocation',
  },
];
