// Which fields of what it may write a node may set: the law of NodeRestriction as a table, for the
// releases of `node-matrix.ts`, with its kinds of answers.

import { slice } from './node-matrix-objects.ts';
import type { Answers } from './node-matrix.ts';

export interface FieldRow {
  readonly what: string;
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `group/resource` or `group/resource/subresource`. */
  readonly resource: string;
  readonly namespace: string;
  /** Empty for a new object. */
  readonly name: string;
  /** With the uids of objects that are there, by `resource/name`. */
  readonly body: (uidOf: (key: string) => string) => object;
  /** The node that asks; n1 unless said otherwise. */
  readonly node?: string;
  readonly answers: Answers;
}

const reached = 'reached';
type Body = object | FieldRow['body'];
const toBody = (body: Body): FieldRow['body'] =>
  typeof body === 'function' ? (body as FieldRow['body']) : () => body;

function patching(resource: string, namespace: string, name: string) {
  return (what: string, body: Body, answers: Answers): FieldRow => ({
    what: `${resource} ${name}: ${what}`,
    method: 'PATCH',
    resource,
    namespace,
    name,
    body: toBody(body),
    answers,
  });
}
function creating(resource: string, namespace: string, name = '', node?: string) {
  return (what: string, body: Body, answers: Answers): FieldRow => ({
    what: `new ${resource}: ${what}`,
    method: 'POST',
    resource,
    namespace,
    name,
    body: toBody(body),
    answers,
    ...(node === undefined ? {} : { node }),
  });
}

const node = patching('/nodes', '', 'n1');
const nodeStatus = patching('/nodes/status', '', 'n1');
const newNode = creating('/nodes', '', '', 'n3');
const labels = (key: string, value: string | null = 'x') => ({
  metadata: { labels: { [key]: value } },
});
const modifies = (key: string) => `is not allowed to modify labels: ${key}`;
const sets = (key: string) => `node "n3" is not allowed to set the following labels: ${key}`;
const mayNot = (what: string) => `node "n1" is not allowed to ${what}`;
const taint = { key: 'k', effect: 'NoSchedule' };
const owner = (name: string, uid: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Node',
  name,
  uid,
  ...more,
});
const configSource = { configMap: { name: 'c', namespace: 'n', kubeletConfigKey: 'k' } };

const nodeRows: readonly FieldRow[] = [
  node('a label', labels('a'), reached),
  node('a label of somebody', labels('example.com/a'), reached),
  node('kubernetes.io/hostname', labels('kubernetes.io/hostname', 'n1'), reached),
  node('topology.kubernetes.io/zone', labels('topology.kubernetes.io/zone'), reached),
  node('kubelet.kubernetes.io/a', labels('kubelet.kubernetes.io/a'), reached),
  node('a.node.kubernetes.io/a', labels('a.node.kubernetes.io/a'), reached),
  ...[
    'node-restriction.kubernetes.io/a',
    'team.node-restriction.kubernetes.io/a',
    'node-role.kubernetes.io/control-plane',
    'kubernetes.io/a',
    'example.k8s.io/a',
    'k8s.io/a',
  ].map((key) => node(key, labels(key), modifies(key))),
  node('what only looks like a domain of Kubernetes', labels('notkubernetes.io/a'), reached),
  node('taints', { spec: { taints: [taint] } }, mayNot('modify taints')),
  node(
    'an owner',
    { metadata: { ownerReferences: [owner('n2', 'u')] } },
    mayNot('modify ownerReferences'),
  ),
  node(
    'itself as owner',
    (uid) => ({ metadata: { ownerReferences: [owner('n1', uid('/nodes/n1'))] } }),
    mayNot('modify ownerReferences'),
  ),
  node(
    'spec.configSource',
    { spec: { configSource } },
    mayNot('update configSource to a new non-nil configSource'),
  ),
  node('spec.podCIDR, once', { spec: { podCIDR: '10.1.0.0/24' } }, reached),
  node('spec.providerID, once', { spec: { providerID: 'cloud://1' } }, reached),
  node('spec.unschedulable', { spec: { unschedulable: true } }, reached),
  node('annotations', { metadata: { annotations: { a: 'b' } } }, reached),
  nodeStatus('capacity', { status: { capacity: { cpu: '4' } } }, reached),
  nodeStatus(
    'conditions',
    { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
    reached,
  ),
  nodeStatus('a restricted label', labels('k8s.io/a'), modifies('k8s.io/a')),
  nodeStatus('taints', { spec: { taints: [taint] } }, mayNot('modify taints')),
  nodeStatus(
    'an owner',
    { metadata: { ownerReferences: [owner('n2', 'u')] } },
    mayNot('modify ownerReferences'),
  ),
  newNode(
    'a restricted label',
    { metadata: { name: 'n3', labels: { 'k8s.io/a': 'x' } } },
    sets('k8s.io/a'),
  ),
  newNode(
    'configSource',
    { metadata: { name: 'n3' }, spec: { configSource } },
    'node "n3" is not allowed to create pods with a non-nil configSource',
  ),
  newNode(
    'another name',
    { metadata: { name: 'n4' } },
    'node "n3" is not allowed to modify node "n4"',
  ),
  newNode(
    'taints and labels of its own',
    {
      metadata: { name: 'n3', labels: { 'kubernetes.io/os': 'linux' } },
      spec: { taints: [taint] },
    },
    reached,
  ),
];

const mirrorAnnotation = { 'kubernetes.io/config.mirror': 'x' };
type Uid = Parameters<FieldRow['body']>[0];
const containers = [{ name: 'c', image: 'i' }];
const mirror =
  (name: string, spec: object = {}, metadata: (uid: Uid) => object = () => ({})) =>
  (uid: Uid) => ({
    metadata: {
      name,
      annotations: mirrorAnnotation,
      ownerReferences: [owner('n1', uid('/nodes/n1'), { controller: true })],
      ...metadata(uid),
    },
    spec: { nodeName: 'n1', containers, ...spec },
  });
const newPod = creating('/pods', 'shop');
const cannot = (what: string) => `node "n1" can not create pods that reference ${what}`;
const only = (what: string) => `node "n1" can only create pods with ${what}`;
const volumes = (source: object) => ({ volumes: [{ name: 'v', ...source }] });
const owned = (more: object) => (uid: Uid) => ({
  ownerReferences: [owner('n1', uid('/nodes/n1'), { controller: true, ...more })],
});

const podRows: readonly FieldRow[] = [
  newPod('a mirror pod', mirror('m1'), reached),
  newPod('with a path of the node', mirror('m2', volumes({ hostPath: { path: '/' } })), reached),
  newPod('on another node', mirror('m', { nodeName: 'n2' }), only('spec.nodeName set to itself')),
  newPod(
    'without owner',
    mirror('m', {}, () => ({ ownerReferences: [] })),
    only('an owner reference set to itself'),
  ),
  newPod(
    'owned by another node',
    mirror('m', {}, (uid) => ({ ownerReferences: [owner('n2', uid('/nodes/n2'))] })),
    only('an owner reference set to itself'),
  ),
  newPod(
    'not controlled',
    mirror('m', {}, owned({ controller: false })),
    only('a controller owner reference set to itself'),
  ),
  newPod(
    'blocking its deletion',
    mirror('m', {}, owned({ blockOwnerDeletion: true })),
    'node "n1" must not set blockOwnerDeletion on an owner reference',
  ),
  newPod(
    'an account',
    mirror('m', { serviceAccountName: 'used' }),
    'a mirror pod may not reference service accounts',
  ),
  newPod(
    'a secret in the environment',
    mirror('m', { containers: [{ ...containers[0], envFrom: [{ secretRef: { name: 'used' } }] }] }),
    'a mirror pod may not reference secrets',
  ),
  newPod(
    'a config map in the environment',
    mirror('m', {
      containers: [{ ...containers[0], envFrom: [{ configMapRef: { name: 'used' } }] }],
    }),
    cannot('configmaps'),
  ),
  newPod(
    'a config map',
    mirror('m', volumes({ configMap: { name: 'used' } })),
    cannot('configmaps'),
  ),
  newPod(
    'a claim',
    mirror('m', volumes({ persistentVolumeClaim: { claimName: 'used' } })),
    cannot('persistentvolumeclaims'),
  ),
  newPod(
    'a driver',
    mirror('m', volumes({ csi: { driver: 'd' } })),
    cannot('csidrivers (via CSI volumes)'),
  ),
  newPod(
    'a projected config map',
    mirror('m', volumes({ projected: { sources: [{ configMap: { name: 'used' } }] } })),
    cannot('configmaps'),
  ),
];

const podStatus = patching('/pods/status', 'shop', 'used');
const podStatusRows: readonly FieldRow[] = [
  podStatus('phase', { status: { phase: 'Running' } }, reached),
  podStatus('annotations', { metadata: { annotations: { a: 'b' } } }, reached),
  podStatus('labels', labels('a'), 'node "n1" cannot update labels through pod status'),
  podStatus(
    'claims',
    { status: { resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'other' }] } },
    'node "n1" cannot update resource claim statues',
  ),
  podStatus(
    'extended claim',
    {
      status: {
        extendedResourceClaimStatus: {
          resourceClaimName: 'other',
          requestMappings: [{ containerName: 'c', resourceName: 'r', requestName: 'q' }],
        },
      },
    },
    'node "n1" cannot update extended resource claim status',
  ),
];

const claimStatus = patching('/persistentvolumeclaims/status', 'shop', 'used');
const sizesOnly = (field: string) =>
  `node "n1" is not allowed to update fields other than status.quantity and status.conditions: ${field}`;
const claimRows: readonly FieldRow[] = [
  claimStatus('capacity', { status: { capacity: { storage: '1Gi' } } }, reached),
  claimStatus(
    'conditions',
    { status: { conditions: [{ type: 'Resizing', status: 'True' }] } },
    reached,
  ),
  claimStatus('labels', labels('a'), sizesOnly('metadata.labels')),
  claimStatus(
    'annotations',
    { metadata: { annotations: { a: 'b' } } },
    sizesOnly('metadata.annotations'),
  ),
  claimStatus('phase', { status: { phase: 'Lost' } }, sizesOnly('status.phase')),
  claimStatus('volume', { spec: { volumeName: 'other' } }, sizesOnly('spec.volumeName')),
  claimStatus('allocated resources', { status: { allocatedResources: { storage: '1Gi' } } }, [
    sizesOnly('status.allocatedResources'),
    sizesOnly('status.allocatedResources'),
    reached,
  ]),
];

const token = creating('/serviceaccounts/token', 'shop', 'used');
const bound = (audiences: readonly string[], reference: (uid: Uid) => object) => (uid: Uid) => ({
  spec: { audiences, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', ...reference(uid) } },
});
const ownPod = (uid: Uid) => ({ name: 'used', uid: uid('/pods/used') });
const notBound = 'node requested token not bound to a pod';
const notNamed = (audience: string) =>
  `audience "${audience}" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience`;
const tokenRows: readonly FieldRow[] = [
  token('for a pod of its own', bound(['vault'], ownPod), reached),
  token('for another audience', bound(['bank'], ownPod), [reached, reached, notNamed('bank')]),
  token('for the API', bound([], ownPod), [reached, reached, notNamed('')]),
  token('for two audiences', bound(['vault', 'bank'], ownPod), [
    reached,
    reached,
    'node may only request 0 or 1 audiences',
  ]),
  token('bound to nothing', { spec: { audiences: ['vault'] } }, notBound),
  token(
    'bound to itself',
    bound(['vault'], (uid) => ({ kind: 'Node', name: 'n1', uid: uid('/nodes/n1') })),
    notBound,
  ),
  token(
    'bound to a secret',
    bound(['vault'], (uid) => ({ kind: 'Secret', name: 'used', uid: uid('/secrets/used') })),
    notBound,
  ),
  token(
    'for a pod without uid',
    bound(['vault'], () => ({ name: 'used' })),
    'node requested token with a pod binding without a uid',
  ),
  token(
    'for a pod of another uid',
    bound(['vault'], () => ({ name: 'used', uid: 'x' })),
    'the UID in the bound object reference (x) does not match the UID in record. The object might have been deleted and then recreated',
  ),
  token(
    'for a pod of another node',
    bound(['vault'], (uid) => ({ name: 'other', uid: uid('/pods/other') })),
    'node requested token bound to a pod scheduled on a different node',
  ),
];

const newSlice = creating('resource.k8s.io/resourceslices', '');
const newLease = creating('coordination.k8s.io/leases', 'kube-node-lease');
const otherRows: readonly FieldRow[] = [
  newSlice(
    'for another node',
    slice('s', 'n2'),
    'can only create ResourceSlice with the same NodeName as the requesting node',
  ),
  newSlice(
    'for all nodes',
    () => {
      const { metadata, spec } = slice('s', '');
      const { nodeName, ...rest } = spec;
      return { metadata, spec: { ...rest, allNodes: nodeName === '' } };
    },
    'can only create ResourceSlice with the same NodeName as the requesting node',
  ),
  newSlice('of its own', slice('own-slice', 'n1'), reached),
  newLease(
    'with a name that the server makes',
    { metadata: { generateName: 'n1' } },
    'can only access node lease with the same name as the requesting node',
  ),
];

/** Requests for certificates in the name of a node, PEM; by whose name it is. */
export function certificateRows(requests: Readonly<Record<string, string>>): FieldRow[] {
  const request = creating('certificates.k8s.io/certificatesigningrequests', '');
  const other = 'can only create a node CSR with CN=system:node:n1';
  const usagesBySigner = {
    'kubernetes.io/kube-apiserver-client-kubelet': ['digital signature', 'client auth'],
    'kubernetes.io/kubelet-serving': ['digital signature', 'server auth'],
    'example.com/other': ['client auth'],
  };
  return Object.entries(usagesBySigner).flatMap(([signerName, usages], i) =>
    Object.entries(requests).map(([nodeName, pem]) => {
      const isKubelet = signerName.startsWith('kubernetes.io/');
      const spec = { request: Buffer.from(pem).toString('base64'), signerName, usages };
      return request(
        `${signerName} for ${nodeName}`,
        { metadata: { name: `r${i}-${nodeName}` }, spec },
        isKubelet && nodeName !== 'n1' ? [reached, other, other] : reached,
      );
    }),
  );
}

export const fieldRows: readonly FieldRow[] = [
  ...nodeRows,
  ...podRows,
  ...podStatusRows,
  ...claimRows,
  ...tokenRows,
  ...otherRows,
];
