// What OpenAPI does not say about the Go structs of the API and what decides how they read and
// write: which fields are pointers, which are written although empty, and the names of defined
// types, which appear in decoding errors. One line per struct that has something to say.
//
// A token is `field:type`. A type that starts with `*` is a pointer (kept when given, also when
// zero); capitals without a dot belong to the struct's own package. What is not listed follows
// OpenAPI: a zero default means "no omitempty", a struct with a default is a value, one without a
// default a pointer, other optional fields are values with omitempty, times, quantities and
// int-or-strings are values. Marks after the type:
//   !  written even when empty (no omitempty): null for pointers, lists, maps and times
//   ?  omitted when empty (omitempty, although OpenAPI calls it required or gives a default)

/** Keys are the last three segments of the definition name. */
export const goFields: Readonly<Record<string, string>> = {
  'admissionregistration.v1.MatchResources': 'matchPolicy:*MatchPolicyType',
  'admissionregistration.v1.MutatingAdmissionPolicySpec':
    'failurePolicy:*FailurePolicyType reinvocationPolicy:ReinvocationPolicyType',
  'admissionregistration.v1.MutatingWebhook':
    'failurePolicy:*FailurePolicyType matchPolicy:*MatchPolicyType sideEffects:*SideEffectClass! ' +
    'timeoutSeconds:*int32 reinvocationPolicy:*ReinvocationPolicyType',
  'admissionregistration.v1.Mutation': 'patchType:PatchType',
  'admissionregistration.v1.NamedRuleWithOperations': 'operations:[]OperationType scope:*ScopeType',
  'admissionregistration.v1.ParamRef': 'parameterNotFoundAction:*ParameterNotFoundActionType',
  'admissionregistration.v1.RuleWithOperations': 'operations:[]OperationType scope:*ScopeType',
  'admissionregistration.v1.ServiceReference': 'path:*string port:*int32',
  'admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec':
    'policyName:string? validationActions:[]ValidationAction?',
  'admissionregistration.v1.ValidatingAdmissionPolicySpec': 'failurePolicy:*FailurePolicyType',
  'admissionregistration.v1.ValidatingWebhook':
    'failurePolicy:*FailurePolicyType matchPolicy:*MatchPolicyType sideEffects:*SideEffectClass! ' +
    'timeoutSeconds:*int32',
  'admissionregistration.v1.Validation': 'reason:*StatusReason',
  'admissionregistration.v1.WebhookClientConfig': 'url:*string',

  'apps.v1.DaemonSetCondition': 'type:DaemonSetConditionType status:ConditionStatus',
  'apps.v1.DaemonSetSpec': 'revisionHistoryLimit:*int32',
  'apps.v1.DaemonSetStatus': 'collisionCount:*int32',
  'apps.v1.DaemonSetUpdateStrategy': 'type:DaemonSetUpdateStrategyType',
  'apps.v1.DeploymentCondition': 'type:DeploymentConditionType status:ConditionStatus',
  'apps.v1.DeploymentSpec':
    'replicas:*int32 revisionHistoryLimit:*int32 progressDeadlineSeconds:*int32',
  'apps.v1.DeploymentStatus': 'terminatingReplicas:*int32 collisionCount:*int32',
  'apps.v1.DeploymentStrategy': 'type:DeploymentStrategyType',
  'apps.v1.ReplicaSetCondition': 'type:ReplicaSetConditionType status:ConditionStatus',
  'apps.v1.ReplicaSetSpec': 'replicas:*int32',
  'apps.v1.ReplicaSetStatus': 'terminatingReplicas:*int32',
  'apps.v1.RollingUpdateDaemonSet': 'maxUnavailable:*intstr maxSurge:*intstr',
  'apps.v1.RollingUpdateDeployment': 'maxUnavailable:*intstr maxSurge:*intstr',
  'apps.v1.RollingUpdateStatefulSetStrategy': 'partition:*int32 maxUnavailable:*intstr',
  'apps.v1.StatefulSetCondition': 'type:StatefulSetConditionType status:ConditionStatus',
  'apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy':
    'whenDeleted:PersistentVolumeClaimRetentionPolicyType ' +
    'whenScaled:PersistentVolumeClaimRetentionPolicyType',
  'apps.v1.StatefulSetSpec':
    'replicas:*int32 podManagementPolicy:PodManagementPolicyType revisionHistoryLimit:*int32',
  'apps.v1.StatefulSetStatus': 'collisionCount:*int32',
  'apps.v1.StatefulSetUpdateStrategy': 'type:StatefulSetUpdateStrategyType',

  'authentication.v1.BoundObjectReference': 'uid:types.UID',
  'authentication.v1.TokenRequestSpec':
    'audiences:[]string! expirationSeconds:*int64! boundObjectRef:*BoundObjectReference!',
  'authentication.v1.TokenReviewSpec': 'token:string?',
  'authentication.v1.UserInfo': 'extra:map[string]ExtraValue',
  'authorization.v1.SubjectAccessReviewSpec': 'extra:map[string]ExtraValue',

  'autoscaling.v1.HorizontalPodAutoscalerSpec':
    'minReplicas:*int32 targetCPUUtilizationPercentage:*int32',
  'autoscaling.v1.HorizontalPodAutoscalerStatus':
    'observedGeneration:*int64 lastScaleTime:*time currentCPUUtilizationPercentage:*int32',
  'autoscaling.v2.ContainerResourceMetricSource': 'name:v1.ResourceName',
  'autoscaling.v2.ContainerResourceMetricStatus': 'name:v1.ResourceName',
  'autoscaling.v2.HPAScalingPolicy': 'type:HPAScalingPolicyType',
  'autoscaling.v2.HPAScalingRules':
    'stabilizationWindowSeconds:*int32 selectPolicy:*ScalingPolicySelect tolerance:*quantity',
  'autoscaling.v2.HorizontalPodAutoscalerCondition':
    'type:HorizontalPodAutoscalerConditionType status:v1.ConditionStatus',
  'autoscaling.v2.HorizontalPodAutoscalerSpec': 'minReplicas:*int32',
  'autoscaling.v2.HorizontalPodAutoscalerStatus':
    'observedGeneration:*int64 lastScaleTime:*time currentMetrics:[]MetricStatus!',
  'autoscaling.v2.MetricSpec': 'type:MetricSourceType',
  'autoscaling.v2.MetricStatus': 'type:MetricSourceType',
  'autoscaling.v2.MetricTarget':
    'type:MetricTargetType value:*quantity averageValue:*quantity averageUtilization:*int32',
  'autoscaling.v2.MetricValueStatus':
    'value:*quantity averageValue:*quantity averageUtilization:*int32',
  'autoscaling.v2.ResourceMetricSource': 'name:v1.ResourceName',
  'autoscaling.v2.ResourceMetricStatus': 'name:v1.ResourceName',

  'batch.v1.CronJobSpec':
    'timeZone:*string startingDeadlineSeconds:*int64 concurrencyPolicy:ConcurrencyPolicy ' +
    'suspend:*bool successfulJobsHistoryLimit:*int32 failedJobsHistoryLimit:*int32',
  'batch.v1.CronJobStatus': 'lastScheduleTime:*time lastSuccessfulTime:*time',
  'batch.v1.JobCondition': 'type:JobConditionType status:ConditionStatus',
  'batch.v1.JobSpec':
    'parallelism:*int32 completions:*int32 activeDeadlineSeconds:*int64 backoffLimit:*int32 ' +
    'backoffLimitPerIndex:*int32 maxFailedIndexes:*int32 manualSelector:*bool ' +
    'ttlSecondsAfterFinished:*int32 completionMode:*CompletionMode suspend:*bool ' +
    'podReplacementPolicy:*PodReplacementPolicy managedBy:*string',
  'batch.v1.JobStatus':
    'startTime:*time completionTime:*time terminating:*int32 failedIndexes:*string ready:*int32',
  'batch.v1.PodFailurePolicyOnExitCodesRequirement':
    'containerName:*string operator:PodFailurePolicyOnExitCodesOperator',
  'batch.v1.PodFailurePolicyOnPodConditionsPattern': 'type:PodConditionType status:ConditionStatus',
  'batch.v1.PodFailurePolicyRule': 'action:PodFailurePolicyAction',
  'batch.v1.SuccessPolicyRule': 'succeededIndexes:*string succeededCount:*int32',
  'batch.v1.UncountedTerminatedPods': 'succeeded:[]types.UID failed:[]types.UID',

  'certificates.v1.CertificateSigningRequestCondition':
    'type:RequestConditionType status:ConditionStatus',
  'certificates.v1.CertificateSigningRequestSpec':
    'expirationSeconds:*int32 usages:[]KeyUsage extra:map[string]ExtraValue',
  'coordination.v1.LeaseSpec':
    'holderIdentity:*string leaseDurationSeconds:*int32 acquireTime:*micro-time ' +
    'renewTime:*micro-time leaseTransitions:*int32 strategy:*CoordinatedLeaseStrategy ' +
    'preferredHolder:*string',

  'core.v1.AppArmorProfile': 'type:AppArmorProfileType localhostProfile:*string',
  'core.v1.AttachedVolume': 'name:UniqueVolumeName',
  'core.v1.AzureDiskVolumeSource':
    'cachingMode:*AzureDataDiskCachingMode fsType:*string readOnly:*bool kind:*AzureDataDiskKind',
  'core.v1.AzureFilePersistentVolumeSource': 'secretNamespace:*string!',
  'core.v1.CSIVolumeSource': 'readOnly:*bool fsType:*string',
  'core.v1.Capabilities': 'add:[]Capability drop:[]Capability',
  'core.v1.ClientIPConfig': 'timeoutSeconds:*int32',
  'core.v1.ClusterTrustBundleProjection': 'name:*string signerName:*string optional:*bool',
  'core.v1.ComponentCondition': 'type:ComponentConditionType status:ConditionStatus',
  'core.v1.ConfigMap': 'immutable:*bool',
  'core.v1.ConfigMapEnvSource': 'name:string? optional:*bool',
  'core.v1.ConfigMapKeySelector': 'name:string? optional:*bool',
  'core.v1.ConfigMapNodeConfigSource': 'uid:types.UID',
  'core.v1.ConfigMapProjection': 'name:string? optional:*bool',
  'core.v1.ConfigMapVolumeSource': 'name:string? defaultMode:*int32 optional:*bool',
  'core.v1.Container':
    'restartPolicy:*ContainerRestartPolicy terminationMessagePolicy:TerminationMessagePolicy ' +
    'imagePullPolicy:PullPolicy',
  'core.v1.ContainerImage': 'names:[]string!',
  'core.v1.ContainerPort': 'protocol:Protocol?',
  'core.v1.ContainerResizePolicy':
    'resourceName:ResourceName restartPolicy:ResourceResizeRestartPolicy',
  'core.v1.ContainerRestartRule': 'action:ContainerRestartRuleAction?',
  'core.v1.ContainerRestartRuleOnExitCodes': 'operator:ContainerRestartRuleOnExitCodesOperator?',
  'core.v1.ContainerStatus': 'started:*bool allocatedResources:ResourceList stopSignal:*Signal',
  'core.v1.DownwardAPIVolumeFile': 'mode:*int32',
  'core.v1.DownwardAPIVolumeSource': 'defaultMode:*int32',
  'core.v1.EmptyDirVolumeSource': 'medium:StorageMedium sizeLimit:*quantity',
  'core.v1.EndpointAddress': 'nodeName:*string',
  'core.v1.EndpointPort': 'protocol:Protocol appProtocol:*string',
  'core.v1.EphemeralContainer':
    'restartPolicy:*ContainerRestartPolicy terminationMessagePolicy:TerminationMessagePolicy ' +
    'imagePullPolicy:PullPolicy',
  'core.v1.FCVolumeSource': 'lun:*int32',
  'core.v1.FileKeySelector': 'optional:*bool',
  'core.v1.GRPCAction': 'service:*string!',
  'core.v1.GlusterfsPersistentVolumeSource': 'endpointsNamespace:*string',
  'core.v1.HTTPGetAction': 'scheme:URIScheme',
  'core.v1.HostPathVolumeSource': 'type:*HostPathType',
  'core.v1.ISCSIPersistentVolumeSource': 'iscsiInterface:string? initiatorName:*string',
  'core.v1.ISCSIVolumeSource': 'iscsiInterface:string? initiatorName:*string',
  'core.v1.ImageVolumeSource': 'pullPolicy:PullPolicy',
  'core.v1.ImageVolumeStatus': 'imageRef:string?',
  'core.v1.KeyToPath': 'mode:*int32',
  'core.v1.Lifecycle': 'stopSignal:*Signal',
  'core.v1.LimitRangeItem':
    'type:LimitType max:ResourceList min:ResourceList default:ResourceList ' +
    'defaultRequest:ResourceList maxLimitRequestRatio:ResourceList',
  'core.v1.LoadBalancerIngress': 'ipMode:*LoadBalancerIPMode',
  'core.v1.LocalObjectReference': 'name:string?',
  'core.v1.LocalVolumeSource': 'fsType:*string',
  'core.v1.ModifyVolumeStatus': 'status:PersistentVolumeClaimModifyVolumeStatus',
  'core.v1.NamespaceCondition': 'type:NamespaceConditionType status:ConditionStatus',
  'core.v1.NamespaceSpec': 'finalizers:[]FinalizerName',
  'core.v1.NamespaceStatus': 'phase:NamespacePhase',
  'core.v1.NodeAddress': 'type:NodeAddressType',
  'core.v1.NodeAllocatableResourceClaimStatus': 'resources:map[ResourceName]resource.Quantity?',
  'core.v1.NodeCondition': 'type:NodeConditionType status:ConditionStatus',
  'core.v1.NodeFeatures': 'supplementalGroupsPolicy:*bool',
  'core.v1.NodeRuntimeHandlerFeatures': 'recursiveReadOnlyMounts:*bool userNamespaces:*bool',
  'core.v1.NodeSelectorRequirement': 'operator:NodeSelectorOperator',
  'core.v1.NodeStatus':
    'capacity:ResourceList allocatable:ResourceList phase:NodePhase ' +
    'volumesInUse:[]UniqueVolumeName',
  'core.v1.NodeSwapStatus': 'capacity:*int64',
  'core.v1.ObjectReference': 'uid:types.UID',
  'core.v1.PersistentVolumeClaimCondition':
    'type:PersistentVolumeClaimConditionType status:ConditionStatus',
  'core.v1.PersistentVolumeClaimSpec':
    'accessModes:[]PersistentVolumeAccessMode storageClassName:*string ' +
    'volumeMode:*PersistentVolumeMode volumeAttributesClassName:*string',
  'core.v1.PersistentVolumeClaimStatus':
    'phase:PersistentVolumeClaimPhase accessModes:[]PersistentVolumeAccessMode ' +
    'capacity:ResourceList allocatedResources:ResourceList ' +
    'allocatedResourceStatuses:map[ResourceName]ClaimResourceStatus ' +
    'currentVolumeAttributesClassName:*string',
  'core.v1.PersistentVolumeSpec':
    'capacity:ResourceList accessModes:[]PersistentVolumeAccessMode ' +
    'persistentVolumeReclaimPolicy:PersistentVolumeReclaimPolicy ' +
    'volumeMode:*PersistentVolumeMode volumeAttributesClassName:*string',
  'core.v1.PersistentVolumeStatus': 'phase:PersistentVolumePhase lastPhaseTransitionTime:*time',
  'core.v1.PodCertificateProjection':
    'signerName:string? keyType:string? maxExpirationSeconds:*int32',
  'core.v1.PodCondition': 'type:PodConditionType status:ConditionStatus',
  'core.v1.PodDNSConfigOption': 'value:*string',
  'core.v1.PodOS': 'name:OSName',
  'core.v1.PodReadinessGate': 'conditionType:PodConditionType',
  'core.v1.PodResourceClaim': 'resourceClaimName:*string resourceClaimTemplateName:*string',
  'core.v1.PodResourceClaimStatus': 'resourceClaimName:*string',
  'core.v1.PodSchedulingGroup': 'podGroupName:*string',
  'core.v1.PodSecurityContext':
    'runAsUser:*int64 runAsGroup:*int64 runAsNonRoot:*bool ' +
    'supplementalGroupsPolicy:*SupplementalGroupsPolicy fsGroup:*int64 ' +
    'fsGroupChangePolicy:*PodFSGroupChangePolicy seLinuxChangePolicy:*PodSELinuxChangePolicy',
  'core.v1.PodSpec':
    'restartPolicy:RestartPolicy terminationGracePeriodSeconds:*int64 ' +
    'activeDeadlineSeconds:*int64 dnsPolicy:DNSPolicy automountServiceAccountToken:*bool ' +
    'shareProcessNamespace:*bool priority:*int32 runtimeClassName:*string ' +
    'enableServiceLinks:*bool preemptionPolicy:*PreemptionPolicy overhead:ResourceList ' +
    'setHostnameAsFQDN:*bool hostUsers:*bool hostnameOverride:*string',
  'core.v1.PodStatus':
    'phase:PodPhase startTime:*time qosClass:PodQOSClass resize:PodResizeStatus ' +
    'allocatedResources:ResourceList',
  'core.v1.PortStatus': 'protocol:Protocol error:*string',
  'core.v1.Probe': 'terminationGracePeriodSeconds:*int64',
  'core.v1.ProjectedVolumeSource': 'sources:[]VolumeProjection! defaultMode:*int32',
  'core.v1.RBDPersistentVolumeSource': 'pool:string? user:string? keyring:string?',
  'core.v1.RBDVolumeSource': 'pool:string? user:string? keyring:string?',
  'core.v1.ReplicationControllerCondition':
    'type:ReplicationControllerConditionType status:ConditionStatus',
  'core.v1.ReplicationControllerSpec': 'replicas:*int32 minReadySeconds:int32?',
  'core.v1.ResourceHealth': 'resourceID:ResourceID health:ResourceHealthStatus message:*string',
  'core.v1.ResourceQuotaSpec': 'hard:ResourceList scopes:[]ResourceQuotaScope',
  'core.v1.ResourceQuotaStatus': 'hard:ResourceList used:ResourceList',
  'core.v1.ResourceRequirements': 'limits:ResourceList requests:ResourceList',
  'core.v1.ResourceStatus': 'name:ResourceName',
  'core.v1.ScaleIOPersistentVolumeSource': 'storageMode:string? fsType:string?',
  'core.v1.ScaleIOVolumeSource': 'storageMode:string? fsType:string?',
  'core.v1.ScopedResourceSelectorRequirement':
    'scopeName:ResourceQuotaScope operator:ScopeSelectorOperator',
  'core.v1.SeccompProfile': 'type:SeccompProfileType localhostProfile:*string',
  'core.v1.Secret': 'immutable:*bool type:SecretType',
  'core.v1.SecretEnvSource': 'name:string? optional:*bool',
  'core.v1.SecretKeySelector': 'name:string? optional:*bool',
  'core.v1.SecretProjection': 'name:string? optional:*bool',
  'core.v1.SecretVolumeSource': 'defaultMode:*int32 optional:*bool',
  'core.v1.SecurityContext':
    'privileged:*bool runAsUser:*int64 runAsGroup:*int64 runAsNonRoot:*bool ' +
    'readOnlyRootFilesystem:*bool allowPrivilegeEscalation:*bool procMount:*ProcMountType',
  'core.v1.ServiceAccount': 'automountServiceAccountToken:*bool',
  'core.v1.ServiceAccountTokenProjection': 'expirationSeconds:*int64',
  'core.v1.ServicePort': 'protocol:Protocol? appProtocol:*string',
  'core.v1.ServiceSpec':
    'type:ServiceType sessionAffinity:ServiceAffinity ' +
    'externalTrafficPolicy:ServiceExternalTrafficPolicy ipFamilies:[]IPFamily ' +
    'ipFamilyPolicy:*IPFamilyPolicy allocateLoadBalancerNodePorts:*bool ' +
    'loadBalancerClass:*string internalTrafficPolicy:*ServiceInternalTrafficPolicy ' +
    'trafficDistribution:*string',
  'core.v1.Taint': 'effect:TaintEffect timeAdded:*time',
  'core.v1.Toleration': 'operator:TolerationOperator effect:TaintEffect tolerationSeconds:*int64',
  'core.v1.TopologySpreadConstraint':
    'whenUnsatisfiable:UnsatisfiableConstraintAction minDomains:*int32 ' +
    'nodeAffinityPolicy:*NodeInclusionPolicy nodeTaintsPolicy:*NodeInclusionPolicy',
  'core.v1.TypedLocalObjectReference': 'apiGroup:*string!',
  'core.v1.TypedObjectReference': 'apiGroup:*string! namespace:*string',
  'core.v1.VolumeMount':
    'recursiveReadOnly:*RecursiveReadOnlyMode mountPropagation:*MountPropagationMode',
  'core.v1.VolumeMountStatus': 'recursiveReadOnly:*RecursiveReadOnlyMode',
  'core.v1.VolumeResourceRequirements': 'limits:ResourceList requests:ResourceList',
  'core.v1.WindowsSecurityContextOptions':
    'gmsaCredentialSpecName:*string gmsaCredentialSpec:*string runAsUserName:*string ' +
    'hostProcess:*bool',

  'discovery.v1.Endpoint': 'hostname:*string nodeName:*string zone:*string',
  'discovery.v1.EndpointConditions': 'ready:*bool serving:*bool terminating:*bool',
  'discovery.v1.EndpointPort': 'name:*string protocol:*Protocol port:*int32 appProtocol:*string',
  'discovery.v1.EndpointSlice':
    'addressType:AddressType endpoints:[]Endpoint! ports:[]EndpointPort!',

  'flowcontrol.v1.ExemptPriorityLevelConfiguration':
    'nominalConcurrencyShares:*int32 lendablePercent:*int32',
  'flowcontrol.v1.FlowDistinguisherMethod': 'type:FlowDistinguisherMethodType',
  'flowcontrol.v1.FlowSchemaCondition': 'type:FlowSchemaConditionType status:ConditionStatus',
  'flowcontrol.v1.LimitResponse': 'type:LimitResponseType',
  'flowcontrol.v1.LimitedPriorityLevelConfiguration':
    'nominalConcurrencyShares:*int32! lendablePercent:*int32 borrowingLimitPercent:*int32',
  'flowcontrol.v1.PriorityLevelConfigurationCondition':
    'type:PriorityLevelConfigurationConditionType status:ConditionStatus',
  'flowcontrol.v1.PriorityLevelConfigurationSpec': 'type:PriorityLevelEnablement',
  'flowcontrol.v1.ResourcePolicyRule': 'namespaces:[]string!',
  'flowcontrol.v1.Subject': 'kind:SubjectKind',

  'networking.v1.HTTPIngressPath': 'pathType:*PathType!',
  'networking.v1.IngressClassParametersReference':
    'apiGroup:*string scope:*string namespace:*string',
  'networking.v1.IngressPortStatus': 'protocol:Protocol error:*string',
  'networking.v1.IngressSpec': 'ingressClassName:*string',
  'networking.v1.NetworkPolicyPort': 'protocol:*Protocol port:*intstr endPort:*int32',
  'networking.v1.NetworkPolicySpec': 'policyTypes:[]PolicyType',
  'networking.v1.ParentReference': 'resource:string? name:string?',
  'node.v1.Overhead': 'podFixed:ResourceList',
  'policy.v1.PodDisruptionBudgetSpec':
    'minAvailable:*intstr maxUnavailable:*intstr ' +
    'unhealthyPodEvictionPolicy:*UnhealthyPodEvictionPolicyType',
  'rbac.v1.ClusterRole': 'rules:[]PolicyRule!',
  'rbac.v1.Role': 'rules:[]PolicyRule!',

  'resource.v1.AllocatedDeviceStatus': 'shareID:*string data:*raw',
  'resource.v1.AllocationResult': 'allocationTimestamp:*time',
  'resource.v1.CapacityRequestPolicy': 'default:*quantity',
  'resource.v1.CapacityRequestPolicyRange': 'min:*quantity max:*quantity step:*quantity',
  'resource.v1.CapacityRequirements': 'requests:map[QualifiedName]resource.Quantity',
  'resource.v1.CounterSet': 'counters:map[string]Counter?',
  'resource.v1.Device':
    'attributes:map[QualifiedName]DeviceAttribute capacity:map[QualifiedName]DeviceCapacity ' +
    'nodeName:*string allNodes:*bool bindsToNode:*bool allowMultipleAllocations:*bool ' +
    'nodeAllocatableResourceMappings:map[ResourceName]NodeAllocatableResourceMapping',
  'resource.v1.DeviceAllocationConfiguration': 'source:AllocationConfigSource',
  'resource.v1.DeviceAttribute': 'int:*int64 bool:*bool string:*string version:*string',
  'resource.v1.DeviceClaim': 'requests:[]DeviceRequest!',
  'resource.v1.DeviceClassSpec': 'extendedResourceName:*string',
  'resource.v1.DeviceConstraint':
    'matchAttribute:*FullyQualifiedName distinctAttribute:*FullyQualifiedName',
  'resource.v1.DeviceCounterConsumption': 'counters:map[string]Counter?',
  'resource.v1.DeviceRequestAllocationResult':
    'adminAccess:*bool shareID:*types.UID consumedCapacity:map[QualifiedName]resource.Quantity',
  'resource.v1.DeviceSubRequest': 'allocationMode:DeviceAllocationMode',
  'resource.v1.DeviceTaint': 'effect:DeviceTaintEffect timeAdded:*time',
  'resource.v1.DeviceToleration':
    'operator:DeviceTolerationOperator? effect:DeviceTaintEffect tolerationSeconds:*int64',
  'resource.v1.ExactDeviceRequest': 'allocationMode:DeviceAllocationMode adminAccess:*bool',
  'resource.v1.NodeAllocatableResourceMapping':
    'capacityKey:*QualifiedName allocationMultiplier:*quantity',
  'resource.v1.ResourceClaimConsumerReference': 'uid:types.UID',
  'resource.v1.ResourceSliceSpec': 'nodeName:*string allNodes:*bool perDeviceNodeSelection:*bool',

  'scheduling.v1.PriorityClass': 'preemptionPolicy:*PreemptionPolicy',
  'storage.v1.CSIDriverSpec':
    'attachRequired:*bool podInfoOnMount:*bool volumeLifecycleModes:[]VolumeLifecycleMode ' +
    'storageCapacity:*bool fsGroupPolicy:*FSGroupPolicy requiresRepublish:*bool ' +
    'seLinuxMount:*bool nodeAllocatableUpdatePeriodSeconds:*int64 ' +
    'serviceAccountTokenInSecrets:*bool preventPodSchedulingIfMissing:*bool',
  'storage.v1.CSINodeDriver': 'topologyKeys:[]string!',
  'storage.v1.CSIStorageCapacity': 'capacity:*quantity maximumVolumeSize:*quantity',
  'storage.v1.StorageClass':
    'reclaimPolicy:*PersistentVolumeReclaimPolicy allowVolumeExpansion:*bool ' +
    'volumeBindingMode:*VolumeBindingMode',
  'storage.v1.TokenRequest': 'expirationSeconds:*int64',
  'storage.v1.VolumeAttachmentSource': 'persistentVolumeName:*string',
  'storage.v1.VolumeError': 'errorCode:*int32',
  'storage.v1.VolumeNodeResources': 'count:*int32',

  'apiextensions.v1.CustomResourceConversion': 'strategy:ConversionStrategyType',
  'apiextensions.v1.CustomResourceDefinitionCondition':
    'type:CustomResourceDefinitionConditionType status:ConditionStatus',
  'apiextensions.v1.CustomResourceDefinitionSpec': 'scope:ResourceScope',
  'apiextensions.v1.CustomResourceDefinitionStatus':
    'conditions:[]CustomResourceDefinitionCondition! storedVersions:[]string!',
  'apiextensions.v1.CustomResourceDefinitionVersion': 'deprecationWarning:*string',
  'apiextensions.v1.CustomResourceSubresourceScale': 'labelSelectorPath:*string',
  'apiextensions.v1.JSONSchemaProps':
    '$schema:JSONSchemaURL $ref:*string default:*json maximum:*float64 minimum:*float64 ' +
    'maxLength:*int64 minLength:*int64 maxItems:*int64 minItems:*int64 multipleOf:*float64 ' +
    'maxProperties:*int64 minProperties:*int64 dependencies:JSONSchemaDependencies ' +
    'definitions:JSONSchemaDefinitions example:*json ' +
    'x-kubernetes-preserve-unknown-fields:*bool x-kubernetes-list-type:*string ' +
    'x-kubernetes-map-type:*string x-kubernetes-validations:ValidationRules',
  'apiextensions.v1.ServiceReference': 'path:*string port:*int32',
  'apiextensions.v1.ValidationRule': 'reason:*FieldValueErrorReason optionalOldSelf:*bool',
  'apiextensions.v1.WebhookClientConfig': 'url:*string',
  'apiregistration.v1.APIServiceCondition': 'type:APIServiceConditionType status:ConditionStatus',
  'apiregistration.v1.ServiceReference': 'port:*int32',

  'meta.v1.APIResource': 'verbs:Verbs!',
  'meta.v1.Condition': 'status:ConditionStatus',
  'meta.v1.DeleteOptions':
    'gracePeriodSeconds:*int64 orphanDependents:*bool propagationPolicy:*DeletionPropagation ' +
    'ignoreStoreReadErrorWithClusterBreakingPotential:*bool',
  'meta.v1.FieldSelectorRequirement': 'operator:FieldSelectorOperator',
  'meta.v1.LabelSelectorRequirement': 'operator:LabelSelectorOperator',
  'meta.v1.ListMeta': 'remainingItemCount:*int64',
  'meta.v1.ManagedFieldsEntry': 'operation:ManagedFieldsOperationType time:*time fieldsV1:*fields',
  'meta.v1.ObjectMeta':
    'uid:types.UID creationTimestamp:time? deletionTimestamp:*time ' +
    'deletionGracePeriodSeconds:*int64',
  'meta.v1.OwnerReference': 'uid:types.UID controller:*bool blockOwnerDeletion:*bool',
  'meta.v1.Preconditions': 'uid:*types.UID resourceVersion:*string',
  'meta.v1.Status': 'reason:StatusReason',
  'meta.v1.StatusCause': 'reason:CauseType',
  'meta.v1.StatusDetails': 'uid:types.UID',

  'admission.v1.AdmissionRequest':
    'uid:types.UID! kind:GroupVersionKind! resource:GroupVersionResource! ' +
    'requestKind:*GroupVersionKind requestResource:*GroupVersionResource operation:Operation! ' +
    'userInfo:UserInfo! object:raw! oldObject:raw! dryRun:*bool options:raw!',
  'admission.v1.AdmissionResponse':
    'uid:types.UID! allowed:bool! status:*Status patchType:*PatchType',

  'certificates.v1beta1.PodCertificateRequestSpec':
    'podUID:types.UID serviceAccountUID:types.UID nodeName:types.NodeName nodeUID:types.UID ' +
    'maxExpirationSeconds:*int32',
  'certificates.v1beta1.PodCertificateRequestStatus':
    'notBefore:*time beginRefreshAt:*time notAfter:*time',
  'coordination.v1alpha2.LeaseCandidateSpec':
    'pingTime:*micro-time renewTime:*micro-time strategy:v1.CoordinatedLeaseStrategy?',
  'coordination.v1beta1.LeaseCandidateSpec':
    'pingTime:*micro-time renewTime:*micro-time strategy:v1.CoordinatedLeaseStrategy?',
  'apiserverinternal.v1alpha1.StorageVersionCondition':
    'type:StorageVersionConditionType status:ConditionStatus',
  'apiserverinternal.v1alpha1.StorageVersionStatus': 'commonEncodingVersion:*string',
  'resource.v1alpha3.DeviceTaint': 'effect:DeviceTaintEffect timeAdded:*time',
  'resource.v1alpha3.DeviceTaintRuleSpec': 'deviceSelector:*DeviceTaintSelector',
  'resource.v1alpha3.DeviceTaintSelector': 'driver:*string pool:*string device:*string',
  'resource.v1alpha3.PoolStatus':
    'resourceSliceCount:*int32 totalDevices:*int32 allocatedDevices:*int32 ' +
    'availableDevices:*int32 unavailableDevices:*int32 nodeName:*string validationError:*string',
  'resource.v1alpha3.ResourcePoolStatusRequest': 'status:*ResourcePoolStatusRequestStatus',
  'resource.v1alpha3.ResourcePoolStatusRequestSpec': 'poolName:*string limit:*int32',
  'resource.v1alpha3.ResourcePoolStatusRequestStatus': 'poolCount:*int32',
  'resource.v1beta2.DeviceTaint': 'effect:DeviceTaintEffect timeAdded:*time',
  'resource.v1beta2.DeviceTaintRuleSpec': 'deviceSelector:*DeviceTaintSelector',
  'resource.v1beta2.DeviceTaintSelector': 'driver:*string pool:*string device:*string',
  'scheduling.v1alpha2.PodGroupResourceClaim':
    'resourceClaimName:*string resourceClaimTemplateName:*string',
  'scheduling.v1alpha2.PodGroupResourceClaimStatus': 'resourceClaimName:*string',
  'scheduling.v1alpha2.PodGroupSchedulingPolicy':
    'basic:*BasicSchedulingPolicy gang:*GangSchedulingPolicy',
  'scheduling.v1alpha2.PodGroupSpec':
    'podGroupTemplateRef:*PodGroupTemplateReference! ' +
    'schedulingConstraints:*PodGroupSchedulingConstraints disruptionMode:*DisruptionMode ' +
    'priority:*int32',
  'scheduling.v1alpha2.PodGroupTemplate':
    'schedulingConstraints:*PodGroupSchedulingConstraints! disruptionMode:*DisruptionMode ' +
    'priority:*int32',
  'scheduling.v1alpha2.PodGroupTemplateReference': 'workload:*WorkloadPodGroupTemplateReference',
  'scheduling.v1alpha2.WorkloadSpec': 'controllerRef:*TypedLocalObjectReference',

  'admission.v1.AdmissionReview': 'request:*AdmissionRequest response:*AdmissionResponse',
  'apiextensions.v1.ConversionRequest':
    'uid:types.UID! desiredAPIVersion:string! objects:[]runtime.RawExtension!',
  'apiextensions.v1.ConversionResponse':
    'uid:types.UID! convertedObjects:[]runtime.RawExtension! result:Status!',
  'apiextensions.v1.ConversionReview': 'request:*ConversionRequest response:*ConversionResponse',
  'core.v1.PodLogOptions':
    'sinceSeconds:*int64 sinceTime:*time tailLines:*int64 limitBytes:*int64 stream:*string',
  'core.v1.SerializedReference': 'reference:ObjectReference!',
  'core.v1.RangeAllocation': 'range:string! data:bytes!',
  'core.v1.List': 'items:[]runtime.RawExtension!',
  'meta.v1.List': 'items:[]runtime.RawExtension!',
  'meta.v1.ApplyOptions': 'force:bool! fieldManager:string!',
  'meta.v1.GroupVersionKind': 'group:string! version:string! kind:string!',
  'meta.v1.GroupVersionResource': 'group:string! version:string! resource:string!',
  'meta.v1.ListOptions':
    'resourceVersionMatch:ResourceVersionMatch timeoutSeconds:*int64 sendInitialEvents:*bool',
  'meta.v1.PartialObjectMetadataList': 'items:[]PartialObjectMetadata!',
  'meta.v1.PatchOptions': 'force:*bool',
  'meta.v1.TableOptions': 'includeObject:IncludeObjectPolicy',
  'apidiscovery.v2.APIGroupDiscoveryList': 'items:[]APIGroupDiscovery!',
  'apidiscovery.v2.APIResourceDiscovery':
    'resource:string! responseKind:*GroupVersionKind scope:ResourceScope! ' +
    'singularResource:string! verbs:[]string!',
  'apidiscovery.v2.APISubresourceDiscovery':
    'subresource:string! responseKind:*GroupVersionKind verbs:[]string!',
  'apidiscovery.v2.APIVersionDiscovery': 'version:string! freshness:DiscoveryFreshness',
};

/**
 * Go structs embedded inline: the struct, what it embeds, and the field of the message that holds
 * it.
 */
export const embeddedStructs: Readonly<Record<string, readonly [goName: string, message: string]>> =
  {
    'admissionregistration.v1.NamedRuleWithOperations': [
      'RuleWithOperations',
      'ruleWithOperations',
    ],
    'admissionregistration.v1.RuleWithOperations': ['Rule', 'rule'],
    'core.v1.ConfigMapEnvSource': ['LocalObjectReference', 'localObjectReference'],
    'core.v1.ConfigMapKeySelector': ['LocalObjectReference', 'localObjectReference'],
    'core.v1.ConfigMapProjection': ['LocalObjectReference', 'localObjectReference'],
    'core.v1.ConfigMapVolumeSource': ['LocalObjectReference', 'localObjectReference'],
    'core.v1.SecretEnvSource': ['LocalObjectReference', 'localObjectReference'],
    'core.v1.SecretKeySelector': ['LocalObjectReference', 'localObjectReference'],
    'core.v1.SecretProjection': ['LocalObjectReference', 'localObjectReference'],
    'core.v1.EphemeralContainer': ['EphemeralContainerCommon', 'ephemeralContainerCommon'],
    'core.v1.PersistentVolumeSpec': ['PersistentVolumeSource', 'persistentVolumeSource'],
    'core.v1.Probe': ['ProbeHandler', 'handler'],
    'core.v1.Volume': ['VolumeSource', 'volumeSource'],
    'networking.v1.IngressRule': ['IngressRuleValue', 'ingressRuleValue'],
    'resource.v1.DeviceAllocationConfiguration': ['DeviceConfiguration', 'deviceConfiguration'],
    'resource.v1.DeviceClaimConfiguration': ['DeviceConfiguration', 'deviceConfiguration'],
    'resource.v1.DeviceClassConfiguration': ['DeviceConfiguration', 'deviceConfiguration'],
  };
