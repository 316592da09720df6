// What the node n1 may do with every resource, subresource and verb, in three releases: the law of
// the Node authorizer as a table. Fields of what it may write are in `node-matrix-fields.ts`.
//
// An answer is `reached` (authorization and NodeRestriction let it through, whatever becomes of it
// then), `refused` (without a reason), or the reason of the refusal. One answer holds for all
// releases; three are for 1.26, 1.31 and 1.36.

export const matrixReleases = ['1.26', '1.31', '1.36'] as const;

export type Answers = string | readonly [string, string, string];

/**
 * Which object: one that belongs to the node, one that does not, one of another namespace; or which
 * of many: all of a namespace or of the cluster, those of the node by selector, one by its name.
 */
export type Target =
  | 'own'
  | 'foreign'
  | 'elsewhere'
  | 'all'
  | 'cluster'
  | 'selected'
  | 'selected foreign'
  | 'named'
  | 'named foreign';

export type MatrixRow = readonly [
  resource: string,
  verbs: string,
  target: Target,
  answers: Answers,
];

const reached = 'reached';
const refused = 'refused';
const unrelated = "no relationship found between node 'n1' and this object";
const many = 'list watch deletecollection';
const single = 'get create update patch delete';

function readable(resource: string): MatrixRow[] {
  const readOnly = 'can only read resources of this type';
  return [
    [resource, 'get', 'own', reached],
    [resource, 'get', 'foreign', unrelated],
    [resource, 'list watch', 'named', reached],
    [resource, 'list watch', 'named foreign', unrelated],
    [resource, 'list watch', 'all', 'No Object name found'],
    [resource, 'list watch', 'cluster', 'can only read namespaced object of this type'],
    [resource, 'create update patch delete', 'own', readOnly],
    [resource, 'deletecollection', 'all', readOnly],
  ];
}

function gettable(resource: string): MatrixRow[] {
  const getOnly = 'can only get individual resources of this type';
  return [
    [resource, 'get', 'own', reached],
    [resource, 'get', 'foreign', unrelated],
    [resource, 'create update patch delete', 'own', getOnly],
    [resource, many, 'all', getOnly],
  ];
}
function statusOfGettable(resource: string): MatrixRow[] {
  return [
    [resource, 'get', 'own', 'cannot get subresource'],
    [resource, 'update patch', 'own', 'can only get individual resources of this type'],
  ];
}

function namedAsNode(resource: string, what: string, name: string): MatrixRow[] {
  const others = `can only get, create, update, patch, or delete ${what}`;
  const foreign = `can only access ${name} with the same name as the requesting node`;
  return [
    [resource, 'create get update patch', 'own', reached],
    [resource, single, 'foreign', foreign],
    [resource, many, 'all', others],
    [resource, 'delete', 'own', reached],
  ];
}

/** The same for all nodes: some verbs on every object. */
function forAll(resource: string, verbs: string): MatrixRow[] {
  const allowed = verbs.split(' ');
  const [one, all] = [single, many].map((text) => text.split(' '));
  const of = (names: readonly string[] = [], isAllowed: boolean) =>
    names.filter((verb) => allowed.includes(verb) === isAllowed).join(' ');
  const rows: MatrixRow[] = [
    [resource, of(one, true), 'foreign', reached],
    [resource, of(one, false), 'foreign', refused],
    [resource, of(all, true), 'all', reached],
    [resource, of(all, false), 'all', refused],
  ];
  return rows.filter(([, some]) => some !== '');
}

const notMine = 'node "n1" is not allowed to modify node "n2"';
const readsOnlyItself = "node 'n1' cannot read 'n2', only its own Node object";
const readsNotAll = "node 'n1' cannot read all nodes, only its own Node object";
const nodes: MatrixRow[] = [
  ['/nodes', 'get create update patch', 'own', reached],
  ['/nodes', 'get', 'foreign', [reached, reached, readsOnlyItself]],
  ['/nodes', 'list watch', 'named', reached],
  ['/nodes', 'list watch', 'named foreign', [reached, reached, readsOnlyItself]],
  ['/nodes', 'list watch', 'all', [reached, reached, readsNotAll]],
  ['/nodes', 'create update patch', 'foreign', notMine],
  ['/nodes', 'delete', 'own', refused],
  ['/nodes', 'delete', 'foreign', refused],
  ['/nodes', 'deletecollection', 'all', refused],
  ['/nodes/status', 'update patch', 'own', reached],
  ['/nodes/status', 'update patch', 'foreign', notMine],
  ['/nodes/status', 'get', 'own', refused],
];

const podsBySelector = 'can only list/watch pods with spec.nodeName field selector';
const pods: MatrixRow[] = [
  ['/pods', 'get', 'own', reached],
  ['/pods', 'get', 'foreign', [reached, reached, unrelated]],
  ['/pods', 'list watch', 'selected', reached],
  ['/pods', 'list watch', 'selected foreign', [reached, reached, podsBySelector]],
  ['/pods', 'list watch', 'all', [reached, reached, podsBySelector]],
  ['/pods', 'list watch', 'cluster', [reached, reached, podsBySelector]],
  ['/pods', 'list watch', 'named', reached],
  ['/pods', 'list watch', 'named foreign', [reached, reached, unrelated]],
  [
    '/pods',
    'create',
    'own',
    'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
  ],
  ['/pods', 'update patch', 'own', refused],
  ['/pods', 'delete', 'foreign', 'node "n1" can only delete pods with spec.nodeName set to itself'],
  ['/pods', 'delete', 'own', reached],
  ['/pods', 'deletecollection', 'all', refused],
  ['/pods', 'deletecollection', 'selected', refused],
  ['/pods/status', 'update patch', 'own', reached],
  [
    '/pods/status',
    'update patch',
    'foreign',
    'node "n1" can only update pod status for pods with spec.nodeName set to itself',
  ],
  ['/pods/status', 'get', 'own', refused],
  [
    '/pods/eviction',
    'create',
    'foreign',
    'node n1 can only evict pods with spec.nodeName set to itself',
  ],
  ['/pods/eviction', 'create', 'own', reached],
];

const accountReads = 'not allowed to get service accounts';
const tokensOnly = 'can only create tokens for individual service accounts';
const serviceAccounts: MatrixRow[] = [
  ['/serviceaccounts', 'get', 'own', [accountReads, accountReads, reached]],
  ['/serviceaccounts', 'get', 'foreign', [accountReads, accountReads, unrelated]],
  ['/serviceaccounts', 'create update patch delete', 'own', tokensOnly],
  ['/serviceaccounts', many, 'all', tokensOnly],
  // The account is one of the node's; which pod it is for is in the body.
  ['/serviceaccounts/token', 'create', 'own', 'node requested token not bound to a pod'],
  ['/serviceaccounts/token', 'create', 'foreign', unrelated],
];

const claims: MatrixRow[] = [
  ...gettable('/persistentvolumeclaims'),
  ['/persistentvolumeclaims/status', 'update patch', 'own', reached],
  ['/persistentvolumeclaims/status', 'update patch', 'foreign', unrelated],
  ['/persistentvolumeclaims/status', 'get', 'own', 'can only get/update/patch this type'],
];

const slices = 'resource.k8s.io/resourceslices';
const slicesBySelector =
  'can only list/watch/deletecollection resourceslices with nodeName field selector';
const resourceSlices: MatrixRow[] = [
  [slices, 'create get update patch', 'own', reached],
  [
    slices,
    'create',
    'foreign',
    'can only create ResourceSlice with the same NodeName as the requesting node',
  ],
  [slices, 'get update patch delete', 'foreign', unrelated],
  [slices, many, 'all', slicesBySelector],
  [slices, many, 'selected foreign', slicesBySelector],
  [slices, 'delete', 'own', reached],
  [slices, many, 'selected', reached],
];

const inOwnNamespace = 'can only access leases in the "kube-node-lease" system namespace';
const requests = 'certificates.k8s.io/certificatesigningrequests';

/** Resources that a node may do something with. */
export const accessRows: readonly MatrixRow[] = [
  ...nodes,
  ...pods,
  ...readable('/secrets'),
  ...readable('/configmaps'),
  ...claims,
  ...gettable('/persistentvolumes'),
  ...statusOfGettable('/persistentvolumes/status'),
  ...gettable('storage.k8s.io/volumeattachments'),
  ...statusOfGettable('storage.k8s.io/volumeattachments/status'),
  ...gettable('resource.k8s.io/resourceclaims'),
  ...statusOfGettable('resource.k8s.io/resourceclaims/status'),
  ...serviceAccounts,
  ...namedAsNode('coordination.k8s.io/leases', 'a node lease', 'node lease'),
  ['coordination.k8s.io/leases', single, 'elsewhere', inOwnNamespace],
  ...namedAsNode('storage.k8s.io/csinodes', 'a CSINode', 'CSINode'),
  ...resourceSlices,
  ...forAll('/services', 'get list watch'),
  ...forAll('/endpoints', 'get'),
  ...forAll('/events', 'create update patch'),
  ...forAll('events.k8s.io/events', 'create update patch'),
  ...forAll(requests, 'create get list watch'),
  ...forAll('storage.k8s.io/csidrivers', 'get list watch'),
  ...forAll('node.k8s.io/runtimeclasses', 'get list watch'),
  ['authentication.k8s.io/tokenreviews', 'create', 'foreign', reached],
  ['authorization.k8s.io/subjectaccessreviews', 'create', 'foreign', reached],
  ['authorization.k8s.io/localsubjectaccessreviews', 'create', 'foreign', reached],
  // As everybody who is authenticated, by `system:basic-user`.
  ['authentication.k8s.io/selfsubjectreviews', 'create', 'foreign', [refused, reached, reached]],
  ['authorization.k8s.io/selfsubjectaccessreviews', 'create', 'foreign', reached],
  ['authorization.k8s.io/selfsubjectrulesreviews', 'create', 'foreign', reached],
];

/** Resources that no node may do anything with: every verb that they have is refused. */
export const closedResources: readonly string[] = `
  /bindings /componentstatuses /limitranges /namespaces /namespaces/finalize /namespaces/status
  /nodes/proxy /pods/attach /pods/binding /pods/ephemeralcontainers /pods/exec /pods/log
  /pods/portforward /pods/proxy /pods/resize /podtemplates /replicationcontrollers
  /replicationcontrollers/scale /replicationcontrollers/status /resourcequotas
  /resourcequotas/status /services/proxy /services/status
  admissionregistration.k8s.io/mutatingadmissionpolicies
  admissionregistration.k8s.io/mutatingadmissionpolicybindings
  admissionregistration.k8s.io/mutatingwebhookconfigurations
  admissionregistration.k8s.io/validatingadmissionpolicies
  admissionregistration.k8s.io/validatingadmissionpolicies/status
  admissionregistration.k8s.io/validatingadmissionpolicybindings
  admissionregistration.k8s.io/validatingwebhookconfigurations
  apiextensions.k8s.io/customresourcedefinitions
  apiextensions.k8s.io/customresourcedefinitions/status
  apiregistration.k8s.io/apiservices apiregistration.k8s.io/apiservices/status
  apps/controllerrevisions apps/daemonsets apps/daemonsets/status apps/deployments
  apps/deployments/scale apps/deployments/status apps/replicasets apps/replicasets/scale
  apps/replicasets/status apps/statefulsets apps/statefulsets/scale apps/statefulsets/status
  autoscaling/horizontalpodautoscalers autoscaling/horizontalpodautoscalers/status
  batch/cronjobs batch/cronjobs/status batch/jobs batch/jobs/status
  certificates.k8s.io/certificatesigningrequests/approval
  certificates.k8s.io/certificatesigningrequests/status coordination.k8s.io/leasecandidates
  discovery.k8s.io/endpointslices
  flowcontrol.apiserver.k8s.io/flowschemas flowcontrol.apiserver.k8s.io/flowschemas/status
  flowcontrol.apiserver.k8s.io/prioritylevelconfigurations
  flowcontrol.apiserver.k8s.io/prioritylevelconfigurations/status
  internal.apiserver.k8s.io/storageversions internal.apiserver.k8s.io/storageversions/status
  networking.k8s.io/ingressclasses networking.k8s.io/ingresses networking.k8s.io/ingresses/status
  networking.k8s.io/ipaddresses networking.k8s.io/networkpolicies networking.k8s.io/servicecidrs
  networking.k8s.io/servicecidrs/status policy/poddisruptionbudgets
  policy/poddisruptionbudgets/status rbac.authorization.k8s.io/clusterrolebindings
  rbac.authorization.k8s.io/clusterroles rbac.authorization.k8s.io/rolebindings
  rbac.authorization.k8s.io/roles resource.k8s.io/deviceclasses
  resource.k8s.io/resourceclaimtemplates scheduling.k8s.io/priorityclasses
  storage.k8s.io/csistoragecapacities storage.k8s.io/storageclasses
  storage.k8s.io/volumeattributesclasses`
  .trim()
  .split(/\s+/);

/** Features that are off in these releases and add resources; on in one more server of 1.36. */
export const matrixGates = { PodCertificateRequest: true, ClusterTrustBundle: true } as const;

const certificates = 'certificates.k8s.io/podcertificaterequests';
const certificatesBySelector =
  'can only list/watch podcertificaterequests with nodeName field selector';
const mayNot = (verb: string) => `nodes may not ${verb} podcertificaterequests`;

/** Resources of those features; without them, everything is refused. */
export const gatedRows: readonly MatrixRow[] = [
  ...forAll('certificates.k8s.io/clustertrustbundles', 'get list watch'),
  [certificates, 'create', 'own', reached],
  [
    certificates,
    'create',
    'foreign',
    'PodCertificateRequest.Spec.NodeName="n2", which is not the requesting node "n1"',
  ],
  [certificates, 'get', 'foreign', unrelated],
  [certificates, 'list watch', 'selected', reached],
  [certificates, 'list watch', 'selected foreign', certificatesBySelector],
  [certificates, 'list watch', 'all', certificatesBySelector],
  ...['update', 'patch', 'delete'].map((verb): MatrixRow => [
    certificates,
    verb,
    'own',
    mayNot(verb),
  ]),
  [certificates, 'deletecollection', 'selected', mayNot('deletecollection')],
  [
    `${certificates}/status`,
    'get update patch',
    'own',
    'nodes may not access the status subresource of PodCertificateRequests',
  ],
];
