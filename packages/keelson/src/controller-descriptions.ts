// What each controller is: whom it acts as, where it exists, and what it is given. One entry each,
// under kube-controller-manager's name.

import type { PolicyRule } from '@keelson/apimachinery/types/rbac.authorization.k8s.io.v1';
import { bundleDigest, signForBootstrap } from '@keelson/apiserver';
import {
  createAttachDetachController,
  createAttributesClassProtectionController,
  createBootstrapSignerController,
  createCertificateApprovingController,
  createCertificateCleanerController,
  createCertificateSigningController,
  createClaimProtectionController,
  createClusterRoleAggregationController,
  createDaemonSetController,
  createDeploymentController,
  createDisruptionController,
  createEndpointsController,
  createEndpointSliceController,
  createEndpointSliceMirroringController,
  createVolumeProtectionController,
  createGarbageCollectorController,
  createJobController,
  createLegacyTokenCleanerController,
  createNamespaceController,
  createReplicaSetController,
  createReplicationControllerController,
  createResourceQuotaController,
  createRootCaCertificatePublisherController,
  createScheduler,
  createServiceAccountController,
  createServiceCaCertificatePublisherController,
  createServiceAccountTokenController,
  createStatefulSetController,
  createTokenCleanerController,
  createTtlAfterFinishedController,
  createTrustBundlePublisherController,
  createValidatingAdmissionPolicyStatusController,
  createCronJobController,
  createNodeIpamController,
  createNodeLifecycleController,
  createEphemeralVolumeController,
  createHorizontalPodAutoscalerController,
  createPersistentVolumeBinderController,
  createPersistentVolumeExpanderController,
  createPodCertificateRequestCleanerController,
  createPodGarbageCollectorController,
  createPodGroupProtectionController,
  createSimulatedVolumeAttacher,
  createSimulatedVolumeSnapshotter,
  createSnapshotController,
  createSimulatedVolumeProvisioner,
  createSimulatedVolumeResizer,
  createTaintEvictionController,
  createDeviceTaintEvictionController,
  createSelinuxWarningController,
  createServiceCidrController,
  createStorageVersionGarbageCollector,
  createStorageVersionMigratorController,
  servedTaintRules,
  createTtlController,
  createResourceClaimController,
} from '@keelson/controllers';
import type { ControllerDescription, ControllerTools } from './controller-description.ts';
import type { ControllerName } from './controller-list.ts';

const allow = (group: string, resources: string[], verbs: string[]): PolicyRule => ({
  apiGroups: [group],
  resources,
  verbs,
});
const migrations = {
  group: 'storagemigration.k8s.io',
  version: 'v1beta1',
  resource: 'storageversionmigrations',
};
const storageVersions = {
  group: 'internal.apiserver.k8s.io',
  version: 'v1alpha1',
  resource: 'storageversions',
};
const podGroups = { group: 'scheduling.k8s.io', version: 'v1alpha2', resource: 'podgroups' };
const resourceClaims = { group: 'resource.k8s.io', version: 'v1', resource: 'resourceclaims' };

/** The one nearest to stable; `undefined` where none is served. */
function servedVersion(
  { isServed }: Pick<ControllerTools, 'isServed'>,
  group: string,
  resource: string,
): 'v1' | 'v1beta1' | 'v1alpha1' | undefined {
  const versions = ['v1', 'v1beta1', 'v1alpha1'] as const;
  return versions.find((version) => isServed({ group, version, resource }));
}

const snapshotGroup = 'snapshot.storage.k8s.io';
const writesEvents = [allow('', ['events'], ['create', 'patch', 'update'])];

export const controllerDescriptions: Readonly<Record<ControllerName, ControllerDescription>> = {
  'namespace-controller': {
    account: 'namespace-controller',
    create: (context) => createNamespaceController(context),
  },
  'serviceaccount-controller': {
    account: 'service-account-controller',
    create: createServiceAccountController,
  },
  'serviceaccount-token-controller': { create: createServiceAccountTokenController },
  // Before the other one, which tells that a namespace is ready for pods.
  'service-ca-certificate-publisher-controller': {
    account: 'root-ca-cert-publisher',
    create: (context, { rootCaPem }) =>
      createServiceCaCertificatePublisherController(context, { caPem: rootCaPem }),
  },
  'root-ca-certificate-publisher-controller': {
    account: 'root-ca-cert-publisher',
    create: (context, { rootCaPem }) =>
      createRootCaCertificatePublisherController(context, { caPem: rootCaPem }),
  },
  'garbage-collector-controller': {
    account: 'generic-garbage-collector',
    create: (context, { readingClient }) =>
      createGarbageCollectorController(context, { monitorClient: readingClient }),
  },
  'clusterrole-aggregation-controller': {
    account: 'clusterrole-aggregation-controller',
    create: createClusterRoleAggregationController,
  },
  'daemonset-controller': { account: 'daemon-set-controller', create: createDaemonSetController },
  'deployment-controller': {
    account: 'deployment-controller',
    create: createDeploymentController,
  },
  'disruption-controller': {
    account: 'disruption-controller',
    create: createDisruptionController,
  },
  'endpoints-controller': {
    account: 'endpoint-controller',
    create: createEndpointsController,
  },
  'endpointslice-controller': {
    account: 'endpointslice-controller',
    create: createEndpointSliceController,
  },
  'endpointslice-mirroring-controller': {
    account: 'endpointslicemirroring-controller',
    create: createEndpointSliceMirroringController,
  },
  'job-controller': { account: 'job-controller', create: createJobController },
  'statefulset-controller': {
    account: 'statefulset-controller',
    create: createStatefulSetController,
  },
  'ttl-after-finished-controller': {
    account: 'ttl-after-finished-controller',
    create: createTtlAfterFinishedController,
  },
  'replicaset-controller': {
    account: 'replicaset-controller',
    create: createReplicaSetController,
  },
  'replicationcontroller-controller': {
    account: 'replication-controller',
    create: createReplicationControllerController,
  },
  'resourcequota-controller': {
    account: 'resourcequota-controller',
    create: (context, { quotaCounting }) => createResourceQuotaController(context, quotaCounting),
  },
  'persistentvolumeclaim-protection-controller': {
    account: 'pvc-protection-controller',
    create: createClaimProtectionController,
  },
  'persistentvolume-protection-controller': {
    account: 'pv-protection-controller',
    create: createVolumeProtectionController,
  },
  'volumeattributesclass-protection-controller': {
    account: 'volumeattributesclass-protection-controller',
    gate: 'VolumeAttributesClass',
    create: (context, tools) => {
      const version = servedVersion(tools, 'storage.k8s.io', 'volumeattributesclasses');
      return version && createAttributesClassProtectionController(context, { version });
    },
  },
  'podgroup-protection-controller': {
    account: 'podgroup-protection-controller',
    gate: 'GenericWorkload',
    create: (context, { isServed }) =>
      isServed(podGroups) ? createPodGroupProtectionController(context) : undefined,
  },
  'validatingadmissionpolicy-status-controller': {
    account: 'validatingadmissionpolicy-status-controller',
    create: (context, { policies }) =>
      policies && createValidatingAdmissionPolicyStatusController(context, policies),
  },
  'certificatesigningrequest-approving-controller': {
    account: 'certificate-controller',
    create: (context, more) =>
      createCertificateApprovingController(context, { issuer: more.certificates }),
  },
  'certificatesigningrequest-signing-controller': {
    account: 'certificate-controller',
    create: (context, { certificates, settings }) =>
      createCertificateSigningController(context, {
        issuer: certificates,
        durationMs: settings?.certificateDurationMs,
      }),
  },
  'certificatesigningrequest-cleaner-controller': {
    account: 'certificate-controller',
    create: (context, more) =>
      createCertificateCleanerController(context, { issuer: more.certificates }),
  },
  'podcertificaterequest-cleaner-controller': {
    account: 'podcertificaterequestcleaner',
    gate: 'PodCertificateRequest',
    create: (context, tools) => {
      const version = servedVersion(tools, 'certificates.k8s.io', 'podcertificaterequests');
      return version && createPodCertificateRequestCleanerController(context, { version });
    },
  },
  'kube-apiserver-serving-clustertrustbundle-publisher-controller': {
    account: 'kube-apiserver-serving-clustertrustbundle-publisher',
    gate: 'ClusterTrustBundle',
    create: (context, { rootCaPem }) =>
      createTrustBundlePublisherController(context, { rootCaPem, digest: bundleDigest }),
  },
  'legacy-serviceaccount-token-cleaner-controller': {
    account: 'legacy-service-account-token-cleaner',
    gate: 'LegacyServiceAccountTokenCleanUp',
    create: (context, { settings }) =>
      createLegacyTokenCleanerController(context, {
        periodMs: settings?.legacyTokenCleanUpPeriodMs,
        syncIntervalMs: settings?.legacyTokenSyncIntervalMs,
      }),
  },
  'bootstrap-signer-controller': {
    account: 'bootstrap-signer',
    create: (context) => createBootstrapSignerController(context, { sign: signForBootstrap }),
  },
  'token-cleaner-controller': { account: 'token-cleaner', create: createTokenCleanerController },
  'cronjob-controller': { account: 'cronjob-controller', create: createCronJobController },
  'persistentvolume-binder-controller': {
    account: 'persistent-volume-binder',
    create: createPersistentVolumeBinderController,
  },
  'horizontal-pod-autoscaler-controller': {
    account: 'horizontal-pod-autoscaler',
    create: (context, { settings, isEnabled }) =>
      createHorizontalPodAutoscalerController(context, {
        syncPeriodMs: settings?.autoscalerSyncPeriodMs,
        hasTolerances: isEnabled('HPAConfigurableTolerance'),
        hasScaleToZero: isEnabled('HPAScaleToZero'),
      }),
  },
  'ephemeral-volume-controller': {
    account: 'ephemeral-volume-controller',
    create: createEphemeralVolumeController,
  },
  'simulated-volume-provisioner': {
    account: 'simulated-volume-provisioner',
    rules: [
      allow('', ['persistentvolumes'], ['create', 'delete']),
      allow(snapshotGroup, ['volumesnapshots', 'volumesnapshotcontents'], ['get']),
      ...writesEvents,
    ],
    create: createSimulatedVolumeProvisioner,
  },
  'persistentvolume-expander-controller': {
    account: 'expand-controller',
    create: createPersistentVolumeExpanderController,
  },
  'persistentvolume-attach-detach-controller': {
    account: 'attachdetach-controller',
    create: (context, { settings }) =>
      createAttachDetachController(context, {
        isForceDetachDisabled: settings?.isForceDetachDisabled,
      }),
  },
  'simulated-volume-attacher': {
    account: 'simulated-volume-attacher',
    rules: [
      allow('', ['persistentvolumes'], ['patch']),
      allow('storage.k8s.io', ['volumeattachments', 'volumeattachments/status'], ['patch']),
    ],
    create: createSimulatedVolumeAttacher,
  },
  'snapshot-controller': {
    account: 'snapshot-controller',
    rules: [
      allow('', ['persistentvolumeclaims'], ['update']),
      allow(snapshotGroup, ['volumesnapshots', 'volumesnapshots/status'], ['update']),
      allow(
        snapshotGroup,
        ['volumesnapshotcontents'],
        ['create', 'delete', 'get', 'patch', 'update'],
      ),
      ...writesEvents,
    ],
    create: createSnapshotController,
  },
  'simulated-volume-snapshotter': {
    account: 'simulated-volume-snapshotter',
    rules: [
      allow(snapshotGroup, ['volumesnapshotcontents', 'volumesnapshotcontents/status'], ['update']),
    ],
    create: createSimulatedVolumeSnapshotter,
  },
  'simulated-volume-resizer': {
    account: 'expand-controller',
    create: (context, { isEnabled }) =>
      createSimulatedVolumeResizer(context, {
        hasRecovery: isEnabled('RecoverVolumeExpansionFailure'),
      }),
  },
  'service-cidr-controller': {
    account: 'service-cidrs-controller',
    gate: 'MultiCIDRServiceAllocator',
    create: (context, tools) => {
      const version = servedVersion(tools, 'networking.k8s.io', 'servicecidrs');
      return version && createServiceCidrController(context, { version });
    },
  },
  'selinux-warning-controller': {
    account: 'selinux-warning-controller',
    gate: 'SELinuxChangePolicy',
    create: createSelinuxWarningController,
  },
  'storage-version-migrator-controller': {
    account: 'storage-version-migrator-controller',
    gate: 'StorageVersionMigrator',
    create: (context, { isServed }) =>
      isServed(migrations) ? createStorageVersionMigratorController(context) : undefined,
  },
  'storageversion-garbage-collector-controller': {
    account: 'storage-version-garbage-collector',
    gate: 'StorageVersionAPI',
    create: (context, { isServed, isEnabled }) =>
      isServed(storageVersions) && isEnabled('APIServerIdentity')
        ? createStorageVersionGarbageCollector(context)
        : undefined,
  },
  'node-ipam-controller': {
    account: 'node-controller',
    create: (context, { settings: { nodeCidrs } = {}, serviceCidrs }) =>
      nodeCidrs && createNodeIpamController(context, { settings: nodeCidrs, serviceCidrs }),
  },
  'node-lifecycle-controller': {
    account: 'node-controller',
    create: createNodeLifecycleController,
  },
  'taint-eviction-controller': {
    account: 'node-controller',
    create: createTaintEvictionController,
  },
  'device-taint-eviction-controller': {
    account: 'device-taint-eviction-controller',
    gate: 'DRADeviceTaints',
    create: (context, tools) =>
      tools.isServed(resourceClaims)
        ? createDeviceTaintEvictionController(context, { taintRules: servedTaintRules(tools) })
        : undefined,
  },
  'ttl-controller': { account: 'ttl-controller', create: createTtlController },
  'pod-garbage-collector-controller': {
    account: 'pod-garbage-collector',
    create: createPodGarbageCollectorController,
  },
  'resourceclaim-controller': {
    account: 'resource-claim-controller',
    create: (context, { isServed }) =>
      isServed(resourceClaims) ? createResourceClaimController(context) : undefined,
  },
  'kube-scheduler': {
    user: { name: 'system:kube-scheduler' },
    userAgent: 'kube-scheduler',
    create(context, tools) {
      const scheduler = createScheduler(context, {
        ...tools,
        configuration: tools.settings?.scheduler,
        metrics: tools.schedulerMetrics,
      });
      return {
        async run(signal) {
          tools.onScheduler?.(scheduler);
          await scheduler.run(signal);
          tools.onScheduler?.(undefined);
        },
      };
    },
  },
};
