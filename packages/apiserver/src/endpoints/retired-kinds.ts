// Kinds of versions that Kubernetes no longer serves, or serves only when asked to, but still knows
// when it meets them in a body: the answer then is that the version is the wrong one, not that
// there is no such kind.

const roles = 'Role RoleBinding ClusterRole ClusterRoleBinding';
const reviews =
  'SubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview LocalSubjectAccessReview';
const flowControl = 'FlowSchema PriorityLevelConfiguration';
const devices = 'DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice';
const policies =
  'ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding';

const retired: Readonly<Record<string, string>> = {
  'admissionregistration.k8s.io/v1alpha1': policies,
  'admissionregistration.k8s.io/v1beta1': `${policies} ValidatingWebhookConfiguration MutatingWebhookConfiguration`,
  'apps/v1beta1': 'ControllerRevision Deployment DeploymentRollback Scale StatefulSet',
  'apps/v1beta2': 'ControllerRevision DaemonSet Deployment ReplicaSet Scale StatefulSet',
  'authentication.k8s.io/v1alpha1': 'SelfSubjectReview',
  'authentication.k8s.io/v1beta1': 'SelfSubjectReview TokenReview',
  'authorization.k8s.io/v1beta1': reviews,
  'batch/v1beta1': 'CronJob',
  'certificates.k8s.io/v1alpha1': 'ClusterTrustBundle',
  'certificates.k8s.io/v1beta1':
    'CertificateSigningRequest ClusterTrustBundle PodCertificateRequest',
  'coordination.k8s.io/v1alpha2': 'LeaseCandidate',
  'coordination.k8s.io/v1beta1': 'Lease LeaseCandidate',
  'discovery.k8s.io/v1beta1': 'EndpointSlice',
  'events.k8s.io/v1beta1': 'Event',
  'extensions/v1beta1':
    'DaemonSet Deployment DeploymentRollback Ingress NetworkPolicy ReplicaSet Scale',
  'flowcontrol.apiserver.k8s.io/v1beta1': flowControl,
  'flowcontrol.apiserver.k8s.io/v1beta2': flowControl,
  'flowcontrol.apiserver.k8s.io/v1beta3': flowControl,
  'internal.apiserver.k8s.io/v1alpha1': 'StorageVersion',
  'networking.k8s.io/v1beta1': 'IPAddress Ingress IngressClass ServiceCIDR',
  'node.k8s.io/v1alpha1': 'RuntimeClass',
  'node.k8s.io/v1beta1': 'RuntimeClass',
  'policy/v1beta1': 'Eviction PodDisruptionBudget',
  'rbac.authorization.k8s.io/v1alpha1': roles,
  'rbac.authorization.k8s.io/v1beta1': roles,
  'resource.k8s.io/v1beta1': devices,
  'resource.k8s.io/v1beta2': `${devices} DeviceTaintRule`,
  'resource.k8s.io/v1alpha3': 'DeviceTaintRule ResourcePoolStatusRequest',
  'scheduling.k8s.io/v1alpha2': 'PodGroup Workload',
  'scheduling.k8s.io/v1beta1': 'PriorityClass',
  'storage.k8s.io/v1alpha1': 'CSIStorageCapacity VolumeAttachment VolumeAttributesClass',
  'storage.k8s.io/v1beta1':
    'CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment VolumeAttributesClass',
  'storagemigration.k8s.io/v1beta1': 'StorageVersionMigration',
};

/** Is `kind`, or the list of it, known in a version that is not served? */
export function isRetiredKind(apiVersion: string, kind: string): boolean {
  const kinds = Object.hasOwn(retired, apiVersion) ? (retired[apiVersion] ?? '').split(' ') : [];
  return kinds.some((known) => kind === known || kind === `${known}List`);
}
