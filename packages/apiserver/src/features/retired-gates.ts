// Gates that 1.36 no longer knows but that decided behaviour in 1.26–1.35, and the histories that
// the 1.36 server does not carry for gates it shares with other components. Same encoding as
// `gates.generated.ts`, plus `R` (gate deleted, behaviour permanent) and `X` (deleted, behaviour
// gone).

/** Added to the generated table; no name may stand in both. */
export const retiredGateHistories: Readonly<Record<string, string>> = {
  APIPriorityAndFairness: '20B 29G! 31R',
  APISelfSubjectReview: '26a 27B 28G! 30R',
  AdmissionWebhookMatchConditions: '27a 28B 30G! 33R',
  AdvancedAuditing: '12G 28R',
  AggregatedDiscoveryEndpoint: '26a 27B 30G! 33R',
  AllowServiceLBStatusOnNonLB: '29d 35X',
  AppArmor: '4B 31G! 33R',
  AppArmorFields: '30B 31G! 33R',
  CronJobsScheduledAnnotation: '28B 32G! 35R',
  CSINodeExpandSecret: '25a 27B 29G! 31R',
  CustomResourceValidationExpressions: '23a 25B 29G! 31R',
  DefaultHostNetworkHostPortsInPodTemplates: '28d 31X',
  ElasticIndexedJob: '27B 31G! 32R',
  ExpandedDNSConfig: '22a 26B 28G! 30R',
  GRPCContainerProbe: '23a 24B 27G! 29R',
  HonorPVReclaimPolicy: '23a 31B 33G! 36R',
  HPAContainerMetrics: '20a 27B 30G! 32R',
  JobPodFailurePolicy: '25a 26B 31G! 33R',
  JobReadyPods: '23a 24B 29G! 31R',
  KMSv2: '25a 27B 29G! 32R',
  KMSv2KDF: '28b 29G! 32R',
  LegacyServiceAccountTokenCleanUp: '28a 29B 30G! 32R',
  LegacyServiceAccountTokenNoAutoGeneration: '24G 29R',
  LegacyServiceAccountTokenTracking: '26a 27B 28G! 30R',
  LoadBalancerIPMode: '29a 30B 32G! 35R',
  MinDomainsInPodTopologySpread: '24a 25b 27B 30G! 32R',
  NodeOutOfServiceVolumeDetach: '24a 26B 28G! 32R',
  OpenAPIV3: '23a 24B 27G! 29R',
  PDBUnhealthyPodEvictionPolicy: '26a 27B 31G! 33R',
  PersistentVolumeLastPhaseTransitionTime: '28a 29B 31G! 33R',
  PodDisruptionConditions: '25a 26B 31G! 33R',
  PodHostIPs: '28a 29B 30G! 32R',
  PodIndexLabel: '28B 32G! 35R',
  PodSecurity: '22a 23B 25G! 28R',
  ProbeTerminationGracePeriod: '21b 25B 28G! 29R',
  ReadWriteOncePod: '22a 27B 29G! 31R',
  RetroactiveDefaultStorageClass: '25a 26B 28G! 29R',
  SeccompDefault: '22a 25B 27G! 29R',
  SecurityContextDeny: '27a 30X',
  ServerSideApply: '14a 16B 22G 32R',
  ServerSideFieldValidation: '23a 25B 27G! 32R',
  ServiceNodePortStaticSubrange: '27a 28B 29G! 31R',
  ServiceTrafficDistribution: '30a 31B 33G! 36R',
  StableLoadBalancerNodeSet: '27B 30G! 32R',
  StatefulSetAutoDeletePVC: '23a 27B 32G! 35R',
  StatefulSetMinReadySeconds: '22a 23B 25G! 27R',
  StatefulSetStartOrdinal: '26a 27B 31G! 33R',
  StructuredAuthorizationConfiguration: '29a 30B 32G! 35R',
  TopologyAwareHints: '21a 23b 24B 33G! 36R',
  UserNamespacesPodSecurityStandards: '29a 35R',
  UserNamespacesStatelessPodsSupport: '25a 28X',
  ValidatingAdmissionPolicy: '26a 28b 30G! 32R',
  WindowsHostProcessContainers: '22a 23B 26G! 28R',
  ZeroLimitedNominalConcurrencyShares: '29b 30G! 32R',
};

/** Replaces generated entries whose dump has no history or lacks the step to GA. */
export const correctedGateHistories: Readonly<Record<string, string>> = {
  CRDValidationRatcheting: '28a 30B 33G!',
  ContextualLogging: '24a 30B',
  CustomResourceFieldSelectors: '30a 31B 32G!',
  DynamicResourceAllocation: '26a 32b 34G 35G!',
  RetryGenerateName: '30a 31B 32G!',
  SidecarContainers: '28a 29B 33G!',
  WatchList: '27a 32B 33b 34B',
};

/** Gates that only make sense when others are on; checked after all settings are known. */
export const gateDependencies: Readonly<Record<string, readonly string[]>> = {
  AuthorizeNodeWithSelectors: ['AuthorizeWithSelectors'],
  ClusterTrustBundleProjection: ['ClusterTrustBundle'],
  PodCertificateRequest: ['AuthorizeNodeWithSelectors'],
  ServiceAccountTokenNodeBinding: ['ServiceAccountTokenNodeBindingValidation'],
};
