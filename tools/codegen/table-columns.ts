// What the columns of `kubectl get` say about themselves. The fact tables know names and types; the
// texts are those of Kubernetes' printers: `@` and the path of a field whose documentation it is,
// or a text of the printer's own. The documentation that the generator has is short of two things:
// fields that refer to another struct have none, so theirs is written out here, and a line break is
// a space. `¶` instead of `@` says that a run of spaces in this one stands for line breaks.

import type { Facts, ResourceFact } from './facts.ts';

const metadata = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const creation = `¶${metadata}.creationTimestamp`;

/** Columns that mean the same wherever they stand. */
const sharedColumns: Readonly<Record<string, string>> = {
  Name: `@${metadata}.name`,
  Age: creation,
  'Created At': creation,
};
const containers = {
  Containers: 'Names of each container in the template.',
  Images: 'Images referenced by each container in the template.',
};
const eventColumns = {
  'Last Seen': '@core.v1.Event.lastTimestamp',
  Type: '@core.v1.Event.type',
  Reason: '@core.v1.Event.reason',
  Object: 'The object that this event is about.',
  Subobject: '@core.v1.ObjectReference.fieldPath',
  Source: 'The component reporting this event. Should be a short machine understandable string.',
  Message: '@core.v1.Event.message',
  'First Seen': '@core.v1.Event.firstTimestamp',
  Count: '@core.v1.Event.count',
};
const webhooks = {
  Webhooks: 'Webhooks indicates the number of webhooks registered in this configuration',
};
const paramKind = 'ParamKind specifies the kind of resources used to parameterize this policy';
const policyBindings = {
  PolicyName: 'PolicyName indicates the policy definition which the policy binding binded to',
  ParamRef: 'ParamRef indicates the param resource which sets the configuration param',
};
const jobSelector =
  'A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors';

/** By `group/resource`; a column that is neither here nor shared fails the generator. */
const columnTexts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'core/componentstatuses': {
    Status: 'Status of the component conditions',
    Message: 'Message of the component conditions',
    Error: 'Error of the component conditions',
  },
  'core/configmaps': { Data: '@core.v1.ConfigMap.data' },
  'core/endpoints': { Endpoints: '@core.v1.Endpoints.subsets' },
  'core/events': eventColumns,
  'core/namespaces': { Status: 'The status of the namespace' },
  'core/nodes': {
    Status: 'The status of the node',
    Roles: 'The roles of the node',
    Version: '@core.v1.NodeSystemInfo.kubeletVersion',
    'Internal-IP': '@core.v1.NodeStatus.addresses',
    'External-IP': '@core.v1.NodeStatus.addresses',
    'OS-Image': '@core.v1.NodeSystemInfo.osImage',
    'Kernel-Version': '@core.v1.NodeSystemInfo.kernelVersion',
    'Container-Runtime': '@core.v1.NodeSystemInfo.containerRuntimeVersion',
  },
  'core/persistentvolumeclaims': {
    Status: '@core.v1.PersistentVolumeClaimStatus.phase',
    Volume: '@core.v1.PersistentVolumeClaimSpec.volumeName',
    Capacity: '@core.v1.PersistentVolumeClaimStatus.capacity',
    'Access Modes': '@core.v1.PersistentVolumeClaimStatus.accessModes',
    StorageClass: 'StorageClass of the pvc',
    VolumeAttributesClass: 'VolumeAttributesClass of the pvc',
    VolumeMode: '@core.v1.PersistentVolumeClaimSpec.volumeMode',
  },
  'core/persistentvolumes': {
    Capacity: '@core.v1.PersistentVolumeSpec.capacity',
    'Access Modes': '@core.v1.PersistentVolumeSpec.accessModes',
    'Reclaim Policy': '@core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy',
    Status: '@core.v1.PersistentVolumeStatus.phase',
    Claim:
      'claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim. Expected to be non-nil when bound. claim.VolumeName is the authoritative bind between PV and PVC. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#binding',
    StorageClass: 'StorageClass of the pv',
    VolumeAttributesClass: 'VolumeAttributesClass of the pv',
    Reason: '@core.v1.PersistentVolumeStatus.reason',
    VolumeMode: '@core.v1.PersistentVolumeSpec.volumeMode',
  },
  'core/pods': {
    Ready: 'The aggregate readiness state of this pod for accepting traffic.',
    Status: 'The aggregate status of the containers in this pod.',
    Restarts:
      'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    IP: '@core.v1.PodStatus.podIP',
    Node: '@core.v1.PodSpec.nodeName',
    'Nominated Node': '@core.v1.PodStatus.nominatedNodeName',
    'Readiness Gates': '@core.v1.PodSpec.readinessGates',
  },
  'core/podtemplates': { ...containers, 'Pod Labels': 'The labels for the pod template.' },
  'core/replicationcontrollers': {
    ...containers,
    Desired: '@core.v1.ReplicationControllerSpec.replicas',
    Current: '@core.v1.ReplicationControllerStatus.replicas',
    Ready: '@core.v1.ReplicationControllerStatus.readyReplicas',
    Selector: '@core.v1.ReplicationControllerSpec.selector',
  },
  'core/resourcequotas': {
    Request: 'Request represents a minimum amount of cpu/memory that a container may consume.',
    Limit:
      'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.',
  },
  'core/secrets': { Type: '@core.v1.Secret.type', Data: '@core.v1.Secret.data' },
  'core/serviceaccounts': { Secrets: '@core.v1.ServiceAccount.secrets' },
  'core/services': {
    Type: '@core.v1.ServiceSpec.type',
    'Cluster-IP': '@core.v1.ServiceSpec.clusterIP',
    'External-IP': '@core.v1.ServiceSpec.externalIPs',
    'Port(s)': '@core.v1.ServiceSpec.ports',
    Selector: '@core.v1.ServiceSpec.selector',
  },
  'apiregistration.k8s.io/apiservices': {
    Service: 'The reference to the service that hosts this API endpoint.',
    Available: 'Whether this service is available.',
  },
  'apps/controllerrevisions': {
    Controller: 'Controller of the object',
    Revision: '@apps.v1.ControllerRevision.revision',
  },
  'apps/daemonsets': {
    ...containers,
    Desired: '@apps.v1.DaemonSetStatus.desiredNumberScheduled',
    Current: '@apps.v1.DaemonSetStatus.currentNumberScheduled',
    Ready: '@apps.v1.DaemonSetStatus.numberReady',
    'Up-to-date': '@apps.v1.DaemonSetStatus.updatedNumberScheduled',
    Available: '@apps.v1.DaemonSetStatus.numberAvailable',
    'Node Selector': '@core.v1.PodSpec.nodeSelector',
    Selector:
      "A label query over pods that are managed by the daemon set. Must match in order to be controlled. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
  },
  'apps/deployments': {
    ...containers,
    Ready: 'Number of the pod with ready state',
    'Up-to-date': '@apps.v1.DeploymentStatus.updatedReplicas',
    Available: '@apps.v1.DeploymentStatus.availableReplicas',
    Selector:
      "Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment. It must match the pod template's labels.",
  },
  'apps/replicasets': {
    ...containers,
    Desired: '@apps.v1.ReplicaSetSpec.replicas',
    Current: '@apps.v1.ReplicaSetStatus.replicas',
    Ready: '@apps.v1.ReplicaSetStatus.readyReplicas',
    Selector:
      "Selector is a label query over pods that should match the replica count. Label keys and values that must match in order to be controlled by this replica set. It must match the pod template's labels. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors",
  },
  'apps/statefulsets': { ...containers, Ready: 'Number of the pod with ready state' },
  'events.k8s.io/events': eventColumns,
  'autoscaling/horizontalpodautoscalers': {
    Reference:
      'scaleTargetRef points to the target resource to scale, and is used to the pods for which metrics should be collected, as well as to actually change the replica count.',
    Targets: '@autoscaling.v2.HorizontalPodAutoscalerSpec.metrics',
    MinPods: '@autoscaling.v2.HorizontalPodAutoscalerSpec.minReplicas',
    MaxPods: '@autoscaling.v2.HorizontalPodAutoscalerSpec.maxReplicas',
    Replicas: '@autoscaling.v2.HorizontalPodAutoscalerStatus.currentReplicas',
  },
  'batch/cronjobs': {
    ...containers,
    Schedule: '@batch.v1.CronJobSpec.schedule',
    Timezone: '@batch.v1.CronJobSpec.timeZone',
    Suspend: '@batch.v1.CronJobSpec.suspend',
    Active: '@batch.v1.CronJobStatus.active',
    'Last Schedule': '@batch.v1.CronJobStatus.lastScheduleTime',
    Selector: jobSelector,
  },
  'batch/jobs': {
    ...containers,
    Status: 'Status of the job.',
    Completions: '@batch.v1.JobStatus.succeeded',
    Duration: 'Time required to complete the job.',
    Selector: jobSelector,
  },
  // COMPAT: the printer still shows the texts of certificates.k8s.io/v1beta1.
  'certificates.k8s.io/certificatesigningrequests': {
    SignerName:
      'Requested signer for the request. It is a qualified name in the form: `scope-hostname.io/name`. If empty, it will be defaulted:\n 1. If it\'s a kubelet client certificate, it is assigned\n    "kubernetes.io/kube-apiserver-client-kubelet".\n 2. If it\'s a kubelet serving certificate, it is assigned\n    "kubernetes.io/kubelet-serving".\n 3. Otherwise, it is assigned "kubernetes.io/legacy-unknown".\nDistribution of trust for signers happens out of band. You can select on this field using `spec.signerName`.',
    Requestor: 'Base64-encoded PKCS#10 CSR data',
    RequestedDuration:
      'expirationSeconds is the requested duration of validity of the issued certificate. The certificate signer may issue a certificate with a different validity duration so a client must check the delta between the notBefore and and notAfter fields in the issued certificate to determine the actual duration.\n\nThe v1.22+ in-tree implementations of the well-known Kubernetes signers will honor this field as long as the requested duration is not greater than the maximum duration they will honor per the --cluster-signing-duration CLI flag to the Kubernetes controller manager.\n\nCertificate signers may not honor this field for various reasons:\n\n  1. Old signer that is unaware of the field (such as the in-tree\n     implementations prior to v1.22)\n  2. Signer whose configured maximum is shorter than the requested duration\n  3. Signer whose configured minimum is longer than the requested duration\n\nThe minimum valid value for expirationSeconds is 600, i.e. 10 minutes.',
    Condition: 'Conditions applied to the request, such as approval or denial.',
  },
  'networking.k8s.io/ingressclasses': {
    Controller: 'Controller that is responsible for handling this class',
    Parameters: 'A reference to a resource with additional parameters',
  },
  'networking.k8s.io/ingresses': {
    Class: 'The name of the IngressClass resource that should be used for additional configuration',
    Hosts: 'Hosts that incoming requests are matched against before the ingress rule',
    Address: 'Address is a list containing ingress points for the load-balancer',
    Ports: 'Ports of TLS configurations that open',
  },
  'networking.k8s.io/ipaddresses': {
    ParentRef:
      'ParentRef references the resource that an IPAddress is attached to. An IPAddress must reference a parent object.',
  },
  'networking.k8s.io/networkpolicies': {
    'Pod-Selector':
      "podSelector selects the pods to which this NetworkPolicy object applies. The array of rules is applied to any pods selected by this field. An empty selector matches all pods in the policy's namespace. Multiple network policies can select the same set of pods. In this case, the ingress rules for each are combined additively. This field is optional. If it is not specified, it defaults to an empty selector.",
  },
  'networking.k8s.io/servicecidrs': { CIDRs: '@networking.v1.ServiceCIDRSpec.cidrs' },
  'policy/poddisruptionbudgets': {
    'Min Available': 'The minimum number of pods that must be available.',
    'Max Unavailable': 'The maximum number of pods that may be unavailable.',
    'Allowed Disruptions': 'Calculated number of pods that may be disrupted at this time.',
  },
  'rbac.authorization.k8s.io/clusterrolebindings': {
    Role: 'RoleRef can only reference a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.',
    Users: 'Users in the clusterRoleBinding',
    Groups: 'Groups in the clusterRoleBinding',
    ServiceAccounts: 'ServiceAccounts in the clusterRoleBinding',
  },
  'rbac.authorization.k8s.io/rolebindings': {
    Role: 'RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.',
    Users: 'Users in the roleBinding',
    Groups: 'Groups in the roleBinding',
    ServiceAccounts: 'ServiceAccounts in the roleBinding',
  },
  'storage.k8s.io/csidrivers': {
    AttachRequired: '¶storage.v1.CSIDriverSpec.attachRequired',
    PodInfoOnMount: '¶storage.v1.CSIDriverSpec.podInfoOnMount',
    StorageCapacity: '¶storage.v1.CSIDriverSpec.storageCapacity',
    TokenRequests:
      'tokenRequests indicates the CSI driver needs pods\' service account tokens it is mounting volume for to do necessary authentication. Kubelet will pass the tokens in VolumeContext in the CSI NodePublishVolume calls. The CSI driver should parse and validate the following VolumeContext: "csi.storage.k8s.io/serviceAccount.tokens": {\n  "<audience>": {\n    "token": <token>,\n    "expirationTimestamp": <expiration timestamp in RFC3339>,\n  },\n  ...\n}\n\nNote: Audience in each TokenRequest should be different and at most one token is empty string. To receive a new token after expiry, RequiresRepublish can be used to trigger NodePublishVolume periodically.',
    RequiresRepublish: '¶storage.v1.CSIDriverSpec.requiresRepublish',
    Modes: '¶storage.v1.CSIDriverSpec.volumeLifecycleModes',
  },
  'storage.k8s.io/csinodes': {
    Drivers: 'Drivers indicates the number of CSI drivers registered on the node',
  },
  'storage.k8s.io/storageclasses': {
    Provisioner: '@storage.v1.StorageClass.provisioner',
    ReclaimPolicy: '@storage.v1.StorageClass.reclaimPolicy',
    VolumeBindingMode: '@storage.v1.StorageClass.volumeBindingMode',
    AllowVolumeExpansion: '@storage.v1.StorageClass.allowVolumeExpansion',
  },
  'storage.k8s.io/volumeattachments': {
    Attacher: '@storage.v1.VolumeAttachmentSpec.attacher',
    PV: '@storage.v1.VolumeAttachmentSource.persistentVolumeName',
    Node: '@storage.v1.VolumeAttachmentSpec.nodeName',
    Attached: '@storage.v1.VolumeAttachmentStatus.attached',
  },
  'storage.k8s.io/volumeattributesclasses': {
    DriverName: '@storage.v1.VolumeAttributesClass.driverName',
  },
  'admissionregistration.k8s.io/mutatingadmissionpolicies': {
    Mutations: 'Mutation indicates the number of mutations rules defined in this configuration',
    ParamKind: paramKind,
  },
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings': policyBindings,
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': webhooks,
  'admissionregistration.k8s.io/validatingadmissionpolicies': {
    Validations:
      'Validations indicates the number of validation rules defined in this configuration',
    ParamKind: paramKind,
  },
  'admissionregistration.k8s.io/validatingadmissionpolicybindings': policyBindings,
  'admissionregistration.k8s.io/validatingwebhookconfigurations': webhooks,
  'scheduling.k8s.io/priorityclasses': {
    Value: '@scheduling.v1.PriorityClass.value',
    'Global-Default': '@scheduling.v1.PriorityClass.globalDefault',
    PreemptionPolicy: '@scheduling.v1.PriorityClass.preemptionPolicy',
  },
  'coordination.k8s.io/leases': { Holder: '@coordination.v1.LeaseSpec.holderIdentity' },
  // COMPAT: the printer asks for the documentation of a field that its version does not have.
  'node.k8s.io/runtimeclasses': { Handler: '' },
  'discovery.k8s.io/endpointslices': {
    AddressType: '@discovery.v1.EndpointSlice.addressType',
    Ports: '@discovery.v1.EndpointSlice.ports',
    Endpoints: '@discovery.v1.EndpointSlice.endpoints',
  },
  'resource.k8s.io/resourceclaims': {
    State: 'A summary of the current state (allocated, pending, reserved, etc.).',
  },
  'resource.k8s.io/resourceslices': {
    Node: '¶resource.v1.ResourceSliceSpec.nodeName',
    Driver: '¶resource.v1.ResourceSliceSpec.driver',
    Pool: '¶resource.v1.ResourcePool.name',
  },
  'flowcontrol.apiserver.k8s.io/flowschemas': {
    PriorityLevel: '@flowcontrol.v1.PriorityLevelConfigurationReference.name',
    MatchingPrecedence: '@flowcontrol.v1.FlowSchemaSpec.matchingPrecedence',
    DistinguisherMethod:
      '`distinguisherMethod` defines how to compute the flow distinguisher for requests that match this schema. `nil` specifies that the distinguisher is disabled and thus will always be the empty string.',
    MissingPL: 'references a broken or non-existent PriorityLevelConfiguration',
  },
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations': {
    Type: '@flowcontrol.v1.PriorityLevelConfigurationSpec.type',
    NominalConcurrencyShares:
      '¶flowcontrol.v1.LimitedPriorityLevelConfiguration.nominalConcurrencyShares',
    Queues: '@flowcontrol.v1.QueuingConfiguration.queues',
    HandSize: '@flowcontrol.v1.QueuingConfiguration.handSize',
    QueueLengthLimit: '@flowcontrol.v1.QueuingConfiguration.queueLengthLimit',
  },
  'certificates.k8s.io/clustertrustbundles': {
    SignerName: '@certificates.v1alpha1.ClusterTrustBundleSpec.signerName',
  },
  'certificates.k8s.io/podcertificaterequests': {
    PodName: '@certificates.v1beta1.PodCertificateRequestSpec.podName',
    ServiceAccountName: '@certificates.v1beta1.PodCertificateRequestSpec.serviceAccountName',
    NodeName: '@certificates.v1beta1.PodCertificateRequestSpec.nodeName',
    SignerName: '@certificates.v1beta1.PodCertificateRequestSpec.signerName',
    State: 'Is the request Pending, Issued, Denied, or Failed?',
    UnverifiedUserAnnotations:
      '@certificates.v1beta1.PodCertificateRequestSpec.unverifiedUserAnnotations',
  },
  // COMPAT: the printer looks two of its texts up where they are not.
  'coordination.k8s.io/leasecandidates': {
    LeaseName: '@coordination.v1alpha2.LeaseCandidateSpec.leaseName',
    BinaryVersion: '',
    EmulationVersion: '',
  },
  'internal.apiserver.k8s.io/storageversions': {
    CommonEncodingVersion: '@apiserverinternal.v1alpha1.StorageVersionStatus.commonEncodingVersion',
    StorageVersions: '@apiserverinternal.v1alpha1.StorageVersionStatus.storageVersions',
  },
  'resource.k8s.io/devicetaintrules': {
    Key: '@resource.v1.DeviceTaint.key',
    Value: '@resource.v1.DeviceTaint.value',
    Effect: '@resource.v1.DeviceTaint.effect',
    TimeAdded: '@resource.v1.DeviceTaint.timeAdded',
  },
  'resource.k8s.io/resourcepoolstatusrequests': {
    Driver: 'The driver to query pools for.',
    Total: 'Total number of devices across all pools.',
    Available: 'Number of available devices across all pools.',
    Allocated: 'Number of allocated devices across all pools.',
    Unavailable: 'Number of unavailable devices across all pools.',
    Errors: 'Number of pools with validation errors.',
    Pools: 'Total number of matching pools.',
    Status: 'Processing status.',
    Completed: 'Time since the observation completed.',
  },
  'scheduling.k8s.io/podgroups': {
    Policy:
      'SchedulingPolicy defines the scheduling policy for this instance of the PodGroup. Controllers are expected to fill this field by copying it from a PodGroupTemplate. This field is immutable.',
    Workload: 'Name of the referenced Workload object',
    Status: 'Status of the PodGroup',
  },
  'storagemigration.k8s.io/storageversionmigrations': {
    Resource: 'GroupResource to migrate',
    Status: 'Status of the migration',
  },
};

/** The columns of a resource; each has a `text`, which is as the table above describes. */
export function tableColumns(facts: Facts, resource: ResourceFact): unknown[] {
  const group = resource.group === '' ? 'core' : resource.group;
  const texts = columnTexts[`${group}/${resource.resource}`];
  const columns = facts.columns[`${group}/${resource.version}/${resource.resource}`] ?? [];
  return columns.map((column) => {
    const text = texts?.[column.name] ?? sharedColumns[column.name];
    if (text === undefined) {
      throw new Error(`no text for column ${column.name} of ${group}/${resource.resource}`);
    }
    return { ...column, text: text.replace(/^([@¶])(?!io\.k8s\.)/, '$1io.k8s.api.') };
  });
}
