// Controllers: what makes the cluster as its objects say. Each is created with what it needs and
// runs until its signal is aborted.

export { createNamespaceController } from './namespace/namespace-controller.ts';
export type { NamespaceControllerOptions } from './namespace/namespace-controller.ts';
export { createServiceAccountController } from './service-account/service-account-controller.ts';
export { createServiceAccountTokenController } from './service-account-token/service-account-token-controller.ts';
export type {
  ServiceAccountTokenOptions,
  TokenSubject,
} from './service-account-token/service-account-token-controller.ts';
export {
  createRootCaCertificatePublisherController,
  createServiceCaCertificatePublisherController,
} from './certificate-publisher/certificate-publisher-controllers.ts';
export type { CertificatePublisherOptions } from './certificate-publisher/certificate-publisher-controllers.ts';
export { createGarbageCollectorController } from './garbage-collector/garbage-collector-controller.ts';
export type { GarbageCollectorOptions } from './garbage-collector/garbage-collector-controller.ts';
export { createClusterRoleAggregationController } from './cluster-role-aggregation/cluster-role-aggregation-controller.ts';
export {
  createAttributesClassProtectionController,
  createClaimProtectionController,
  createVolumeProtectionController,
} from './volume-protection/volume-protection-controllers.ts';
export { createValidatingAdmissionPolicyStatusController } from './validating-admission-policy-status/validating-admission-policy-status-controller.ts';
export type { ValidatingAdmissionPolicyStatusOptions } from './validating-admission-policy-status/validating-admission-policy-status-controller.ts';
export { createCertificateSigningController } from './certificates/certificate-signing-controller.ts';
export type { CertificateSigningOptions } from './certificates/certificate-signing-controller.ts';
export { createCertificateApprovingController } from './certificates/certificate-approving-controller.ts';
export { createCertificateCleanerController } from './certificates/certificate-cleaner-controller.ts';
export { createPodCertificateRequestCleanerController } from './certificates/pod-certificate-request-cleaner-controller.ts';
export type { PodCertificateRequestCleanerOptions } from './certificates/pod-certificate-request-cleaner-controller.ts';
export type {
  CertificateIssuer,
  CertificateTerms,
  RequestedNames,
} from './certificates/certificate-issuer.ts';
export {
  clientSigner,
  kubeletClientSigner,
  kubeletServingSigner,
  legacySigner,
} from './certificates/signer-rules.ts';
export { createTrustBundlePublisherController } from './trust-bundle/trust-bundle-publisher-controller.ts';
export type { TrustBundlePublisherOptions } from './trust-bundle/trust-bundle-publisher-controller.ts';
export { createBootstrapSignerController } from './bootstrap-tokens/bootstrap-signer-controller.ts';
export type { BootstrapSignerOptions } from './bootstrap-tokens/bootstrap-signer-controller.ts';
export type { SigningToken } from './bootstrap-tokens/bootstrap-token-secret.ts';
export { createTokenCleanerController } from './bootstrap-tokens/token-cleaner-controller.ts';
export { createLegacyTokenCleanerController } from './legacy-service-account-token/legacy-token-cleaner-controller.ts';
export type { LegacyTokenCleanerOptions } from './legacy-service-account-token/legacy-token-cleaner-controller.ts';

export { createDeploymentController } from './deployment/deployment-controller.ts';
export {
  createReplicaSetController,
  createReplicationControllerController,
} from './replica-set/replica-set-controller.ts';
export { createResourceQuotaController } from './resource-quota/resource-quota-controller.ts';
export type { QuotaCounting } from './resource-quota/resource-quota-controller.ts';
export { createCronJobController } from './cron-job/cron-job-controller.ts';
export { createJobController } from './job/job-controller.ts';
export { createTtlAfterFinishedController } from './ttl-after-finished/ttl-after-finished-controller.ts';
export { createDaemonSetController } from './daemon-set/daemon-set-controller.ts';
export { createStatefulSetController } from './stateful-set/stateful-set-controller.ts';
export { createDisruptionController } from './disruption/disruption-controller.ts';

export { createResourceClaimController } from './resource-claim/resource-claim-controller.ts';
export { createScheduler } from './scheduler/scheduler-controller.ts';
export type { Scheduler, SchedulerOptions } from './scheduler/scheduler-controller.ts';
export { createEndpointsController } from './endpoints/endpoints-controller.ts';
export { createEndpointSliceController } from './endpoint-slice/endpoint-slice-controller.ts';
export { createEndpointSliceMirroringController } from './endpoint-slice-mirroring/endpoint-slice-mirroring-controller.ts';
export { createPodGroupProtectionController } from './pod-group-protection/pod-group-protection-controller.ts';
export { createNodeIpamController } from './node-ipam/node-ipam-controller.ts';
export { NodeRangeError, parseNodeRanges } from './node-ipam/node-ranges.ts';
export type { NodeCidrSettings } from './node-ipam/node-ranges.ts';
export { createNodeLifecycleController } from './node-lifecycle/node-lifecycle-controller.ts';
export { createTaintEvictionController } from './taint-eviction/taint-eviction-controller.ts';
export { createDeviceTaintEvictionController } from './device-taint-eviction/device-taint-eviction-controller.ts';
export type { DeviceTaintEvictionOptions } from './device-taint-eviction/device-taint-eviction-controller.ts';
export { servedTaintRules } from './device-taint-eviction/rule-taints.ts';
export { createSelinuxWarningController } from './selinux-warning/selinux-warning-controller.ts';
export { createStorageVersionGarbageCollector } from './storage-version-garbage-collector/storage-version-garbage-collector-controller.ts';
export { createStorageVersionMigratorController } from './storage-version-migrator/storage-version-migrator-controller.ts';
export { createServiceCidrController } from './service-cidr/service-cidr-controller.ts';
export type { ServiceCidrControllerOptions } from './service-cidr/service-cidr-controller.ts';
export { createTtlController } from './ttl/ttl-controller.ts';
export { createPodGarbageCollectorController } from './pod-garbage-collector/pod-garbage-collector-controller.ts';
export { createPersistentVolumeBinderController } from './persistent-volume-binder/persistent-volume-binder-controller.ts';
export { createHorizontalPodAutoscalerController } from './horizontal-pod-autoscaler/horizontal-pod-autoscaler-controller.ts';
export type { HorizontalPodAutoscalerOptions } from './horizontal-pod-autoscaler/pass.ts';
export { createEphemeralVolumeController } from './ephemeral-volume/ephemeral-volume-controller.ts';
export { createAttachDetachController } from './persistent-volume-attach-detach/attach-detach-controller.ts';
export { createSnapshotController } from './volume-snapshot/snapshot-controller.ts';
export { createSimulatedVolumeSnapshotter } from './simulated-volume-snapshotter/simulated-volume-snapshotter.ts';
export { createSimulatedVolumeAttacher } from './simulated-volume-attacher/simulated-volume-attacher.ts';
export { createPersistentVolumeExpanderController } from './persistent-volume-expander/persistent-volume-expander-controller.ts';
export { createSimulatedVolumeResizer } from './simulated-volume-resizer/simulated-volume-resizer.ts';
export type { VolumeResizerOptions } from './simulated-volume-resizer/simulated-volume-resizer.ts';
export {
  isFileSystemResizePending,
  resizeFinished,
} from './simulated-volume-resizer/resize-status.ts';
export { claimNameOf, usesClaim } from './volumes/pod-claims.ts';
export { needsAttachment, nodeVolumeName } from './volumes/attachments.ts';
export { isBoundTo, volumeCapacity } from './volumes/claim-sizes.ts';
export { createSimulatedVolumeProvisioner } from './simulated-volume-provisioner/simulated-volume-provisioner.ts';
export { parseSchedulerConfiguration } from './scheduler/configuration/parse-configuration.ts';
export { SchedulerConfigurationError } from './scheduler/configuration/scheduler-configuration.ts';
export type { SchedulerConfiguration } from './scheduler/configuration/scheduler-configuration.ts';
export { createSchedulerMetrics } from './scheduler/metrics/scheduler-metrics.ts';
export { createSchedulingCore } from './scheduler/scheduling-core.ts';
export type { SchedulingCore } from './scheduler/scheduling-core.ts';
export type { ObjectLookup } from './scheduler/object-lookup.ts';
export { requiredNodes } from './scheduler/plugins/node-affinity.ts';
export { isTolerated } from './pods/tolerations.ts';
export { summarizePod } from './scheduler/snapshot/pod-summary.ts';
export type { PodSummary } from './scheduler/snapshot/pod-summary.ts';

export type { Controller, ControllerContext, ControllerLog } from './machinery/controller.ts';
export { createControllerMetrics } from './machinery/controller-metrics.ts';
export type { ControllerMetrics, MetricsRegistry } from './machinery/controller-metrics.ts';
export { createEventRecorder } from './machinery/event-recorder.ts';
export type { EventRecorder, EventText, ObjectAbout } from './machinery/event-recorder.ts';
export { requeueLater, runController } from './machinery/run-controller.ts';
export type { ReconcileResult, RunControllerOptions } from './machinery/run-controller.ts';
export { createWorkQueue } from './machinery/work-queue.ts';
export type { WorkQueue, WorkQueueOptions } from './machinery/work-queue.ts';

export { createLeaderElector } from './leader-election/leader-elector.ts';
export type { LeaderElector, LeaderElectorOptions } from './leader-election/leader-elector.ts';
export { createLeaderMetrics } from './leader-election/leader-metrics.ts';
export type { LeaderMetrics } from './leader-election/leader-metrics.ts';
export { defaultLeaseTimes, leaseTimesProblem } from './leader-election/lease-times.ts';
export type { LeaseTimes } from './leader-election/lease-times.ts';
