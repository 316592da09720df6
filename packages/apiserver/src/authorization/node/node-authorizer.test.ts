import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionTrace, noDecisionTrace, type KubeObject } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import { createTestObjects } from '../../authentication/testing.ts';
import { createFeatures } from '../../features/create-features.ts';
import type { AuthorizationResult, RequestAttributes } from '../authorizer.ts';
import { createNodeAuthorizer } from './node-authorizer.ts';
import { createNodeGraph } from './node-graph.ts';

const nodeUser = (name: string): UserInfo => ({
  name: `system:node:${name}`,
  uid: '',
  groups: ['system:nodes', 'system:authenticated'],
  extra: {},
});
const object = (namespace: string, name: string, spec: object, more: object = {}): KubeObject => ({
  metadata: {
    ...(namespace === '' ? {} : { namespace }),
    name,
    ...(more as { metadata?: object }).metadata,
  },
  spec,
  ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'metadata')),
});

const pod = object(
  'shop',
  'web',
  {
    nodeName: 'n1',
    serviceAccountName: 'bot',
    imagePullSecrets: [{ name: 'pull' }],
    initContainers: [{ envFrom: [{ configMapRef: { name: 'init-env' } }] }],
    containers: [{ env: [{ valueFrom: { secretKeyRef: { name: 'env' } } }, { value: 'x' }] }],
    ephemeralContainers: [{ env: [{ valueFrom: { configMapKeyRef: { name: 'debug' } } }] }],
    volumes: [
      { name: 'a', secret: { secretName: 'volume' } },
      {
        name: 'b',
        projected: {
          sources: [{ configMap: { name: 'root-ca' } }, { secret: { name: 'projected' } }, {}],
        },
      },
      { name: 'c', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'scratch', ephemeral: {} },
      { name: 'd', csi: { nodePublishSecretRef: { name: 'csi' } } },
      { name: 'e', emptyDir: {} },
    ],
    resourceClaims: [
      { name: 'own', resourceClaimName: 'gpu' },
      { name: 'made', resourceClaimTemplateName: 't' },
      { name: 'open', resourceClaimTemplateName: 't' },
    ],
  },
  {
    status: {
      resourceClaimStatuses: [{ name: 'made', resourceClaimName: 'web-made' }],
      extendedResourceClaimStatus: { resourceClaimName: 'extended' },
    },
  },
);

function cluster(version = '1.36', featureGates: Readonly<Record<string, boolean>> = {}) {
  const sources = {
    pods: createTestObjects([
      pod,
      object(
        'shop',
        'mirror',
        {
          nodeName: 'n1',
          serviceAccountName: 'admin',
          volumes: [{ name: 'a', secret: { secretName: 'stolen' } }],
        },
        { metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } },
      ),
      object('shop', 'waiting', { serviceAccountName: 'later' }),
    ]),
    persistentVolumes: createTestObjects([
      object('', 'pv', {
        claimRef: { namespace: 'shop', name: 'data' },
        csi: {
          nodeStageSecretRef: { namespace: 'storage', name: 'stage' },
          controllerPublishSecretRef: { namespace: 'storage', name: 'controller' },
        },
      }),
      object('', 'free', { csi: { nodeStageSecretRef: { namespace: 'storage', name: 'free' } } }),
    ]),
    volumeAttachments: createTestObjects([object('', 'va', { nodeName: 'n1' })]),
    resourceSlices: createTestObjects([object('', 'slice', { nodeName: 'n1' })]),
    podCertificateRequests: createTestObjects([object('shop', 'cert', { nodeName: 'n1' })]),
  };
  const graph = createNodeGraph(sources);
  return {
    ...sources,
    graph,
    node: createNodeAuthorizer({
      graph,
      features: createFeatures({ emulatedVersion: version, featureGates }),
    }),
  };
}
type Cluster = ReturnType<typeof cluster>;

/** `get secrets/x`, `create pods/eviction shop/web`. */
function asked(text: string, selector?: string): RequestAttributes {
  const [verb = '', what = '', where = ''] = text.split(' ');
  const [path = '', ...group] = what.split('.');
  const [resource = '', subresource = ''] = path.split('/');
  const [namespace = '', name = ''] = where.includes('/') ? where.split('/') : ['', where];
  return {
    isResource: true,
    verb,
    namespace,
    group: group.join('.'),
    version: 'v1',
    resource,
    subresource,
    name,
    ...(selector === undefined
      ? {}
      : { fieldSelector: [{ key: 'spec.nodeName', operator: 'In', values: [selector] }] }),
  };
}
const verdict = (c: Cluster, attributes: RequestAttributes, user = nodeUser('n1')) => {
  const result = c.node.authorize(user, attributes, noDecisionTrace) as AuthorizationResult;
  return result.decision === 'allow' ? 'allow' : result.reason;
};
const unrelated = "no relationship found between node 'n1' and this object";

test('what a node may do', () => {
  const c = cluster();
  const rows: [request: RequestAttributes, expected: string][] = [
    ...['pull', 'env', 'volume', 'projected', 'csi'].map(
      (name) => [asked(`get secrets shop/${name}`), 'allow'] as [RequestAttributes, string],
    ),
    ...['init-env', 'debug', 'root-ca'].map(
      (name) => [asked(`watch configmaps shop/${name}`), 'allow'] as [RequestAttributes, string],
    ),
    ...['gpu', 'web-made', 'extended'].map(
      (name) =>
        [asked(`get resourceclaims.resource.k8s.io shop/${name}`), 'allow'] as [
          RequestAttributes,
          string,
        ],
    ),
    ...['data', 'web-scratch'].map(
      (name) =>
        [asked(`get persistentvolumeclaims shop/${name}`), 'allow'] as [RequestAttributes, string],
    ),
    [asked('get secrets shop/other'), unrelated],
    [asked('get secrets bank/env'), unrelated],
    [asked('get secrets shop/stolen'), unrelated],
    [asked('get secrets storage/stage'), 'allow'],
    [asked('get secrets storage/controller'), unrelated],
    [asked('get secrets storage/free'), unrelated],
    [asked('list secrets shop/'), 'No Object name found'],
    [asked('list secrets'), 'can only read namespaced object of this type'],
    [asked('update secrets shop/env'), 'can only read resources of this type'],
    [asked('get secrets/x shop/env'), 'cannot read subresource'],
    [asked('get persistentvolumes pv'), 'allow'],
    [asked('get persistentvolumes free'), unrelated],
    [asked('list persistentvolumes'), 'can only get individual resources of this type'],
    [asked('patch persistentvolumeclaims/status shop/data'), 'allow'],
    [asked('patch persistentvolumeclaims/status shop/other'), unrelated],
    [asked('get persistentvolumeclaims/status shop/data'), 'can only get/update/patch this type'],
    [
      asked('update persistentvolumeclaims shop/data'),
      'can only get individual resources of this type',
    ],
    [asked('get volumeattachments.storage.k8s.io va'), 'allow'],
    [asked('create serviceaccounts/token shop/bot'), 'allow'],
    [asked('create serviceaccounts/token shop/admin'), unrelated],
    [asked('create serviceaccounts/token shop/later'), unrelated],
    [
      asked('create serviceaccounts shop/bot'),
      'can only create token subresource of serviceaccount',
    ],
    [
      asked('update serviceaccounts shop/bot'),
      'can only create tokens for individual service accounts',
    ],
    [asked('get serviceaccounts shop/bot'), 'allow'],
    [asked('get serviceaccounts shop/admin'), unrelated],
    [asked('get leases.coordination.k8s.io kube-node-lease/n1'), 'allow'],
    [asked('create leases.coordination.k8s.io kube-node-lease/'), 'allow'],
    [
      asked('update leases.coordination.k8s.io kube-node-lease/n2'),
      'can only access node lease with the same name as the requesting node',
    ],
    [
      asked('get leases.coordination.k8s.io kube-system/n1'),
      'can only access leases in the "kube-node-lease" system namespace',
    ],
    [
      asked('list leases.coordination.k8s.io kube-node-lease/'),
      'can only get, create, update, patch, or delete a node lease',
    ],
    [asked('get csinodes.storage.k8s.io n1'), 'allow'],
    [
      asked('get csinodes.storage.k8s.io n2'),
      'can only access CSINode with the same name as the requesting node',
    ],
    [asked('update csinodes/status.storage.k8s.io n1'), 'cannot authorize CSINode subresources'],
    [
      asked('list csinodes.storage.k8s.io'),
      'can only get, create, update, patch, or delete a CSINode',
    ],
    [asked('get nodes n1'), 'allow'],
    [asked('get nodes n2'), "node 'n1' cannot read 'n2', only its own Node object"],
    [asked('list nodes'), "node 'n1' cannot read all nodes, only its own Node object"],
    [asked('list nodes n1'), 'allow'],
    [asked('patch nodes/status n1'), 'allow'],
    [asked('delete nodes n1'), ''],
    [asked('get nodes/proxy n1'), ''],
    [asked('get pods shop/web'), 'allow'],
    [asked('get pods shop/mirror'), 'allow'],
    [asked('get pods shop/waiting'), unrelated],
    [asked('list pods'), 'can only list/watch pods with spec.nodeName field selector'],
    [asked('watch pods', 'n1'), 'allow'],
    [asked('watch pods', 'n2'), 'can only list/watch pods with spec.nodeName field selector'],
    [asked('list pods shop/web'), 'allow'],
    [asked('create pods shop/'), 'allow'],
    [asked('patch pods shop/web'), ''],
    [asked('patch pods/status shop/web'), 'allow'],
    [asked('create pods/eviction shop/web'), 'allow'],
    [asked('create pods/exec shop/web'), ''],
    [asked('list resourceslices.resource.k8s.io', 'n1'), 'allow'],
    [
      asked('list resourceslices.resource.k8s.io'),
      'can only list/watch/deletecollection resourceslices with nodeName field selector',
    ],
    [asked('get resourceslices.resource.k8s.io slice'), 'allow'],
    [asked('get resourceslices.resource.k8s.io other'), unrelated],
    [
      asked('approve resourceslices.resource.k8s.io slice'),
      'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
    ],
    [asked('create podcertificaterequests.certificates.k8s.io shop/'), ''],
    [asked('list services'), 'allow'],
    [asked('create events shop/'), 'allow'],
    [asked('create tokenreviews.authentication.k8s.io'), 'allow'],
    [asked('list clustertrustbundles.certificates.k8s.io'), ''],
    [asked('create clusterrolebindings.rbac.authorization.k8s.io'), ''],
    [{ isResource: false, verb: 'get', path: '/metrics' }, ''],
  ];
  for (const [request, expected] of rows)
    assert.equal(verdict(c, request), expected, JSON.stringify(request));
});

test('who is a node', () => {
  const c = cluster();
  const request = asked('get secrets shop/env');
  const rows: [user: UserInfo, expected: string][] = [
    [nodeUser('n1'), 'allow'],
    [nodeUser('n2'), "no relationship found between node 'n2' and this object"],
    [nodeUser(''), 'unknown node for user "system:node:"'],
    [{ ...nodeUser('n1'), groups: ['system:authenticated'] }, ''],
    [{ ...nodeUser('n1'), name: 'n1' }, ''],
    [{ ...nodeUser('n1'), name: 'system:nodes:n1' }, ''],
    [{ ...nodeUser('n1'), name: 'xsystem:node:n1' }, ''],
  ];
  for (const [user, expected] of rows) assert.equal(verdict(c, request, user), expected, user.name);
});

test('the graph follows changes', () => {
  const c = cluster();
  const secret = asked('get secrets shop/env');
  const volume = asked('get persistentvolumes pv');
  c.pods.set({ ...pod, metadata: { ...pod.metadata, name: 'second' } });
  c.pods.delete('shop', 'web');
  assert.equal(verdict(c, secret), 'allow');
  c.pods.delete('shop', 'second');
  assert.equal(verdict(c, secret), unrelated);
  assert.equal(verdict(c, volume), unrelated);
  assert.equal(verdict(c, asked('get secrets storage/stage')), unrelated);
  c.pods.set(
    object('shop', 'waiting', {
      nodeName: 'n1',
      serviceAccountName: 'later',
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
    }),
  );
  assert.equal(verdict(c, asked('create serviceaccounts/token shop/later')), 'allow');
  assert.equal(verdict(c, volume), 'allow');
  c.persistentVolumes.set(object('', 'pv', { claimRef: { namespace: 'bank', name: 'data' } }));
  assert.equal(verdict(c, volume), unrelated);
  c.volumeAttachments.delete('', 'va');
  assert.equal(verdict(c, asked('get volumeattachments.storage.k8s.io va')), unrelated);
});

test('by release', () => {
  const rows: [version: string, request: RequestAttributes, expected: string][] = [
    ['1.30', asked('list nodes'), 'allow'],
    ['1.31', asked('list nodes'), 'allow'],
    ['1.32', asked('list nodes'), "node 'n1' cannot read all nodes, only its own Node object"],
    ['1.30', asked('list pods'), 'allow'],
    ['1.30', asked('list resourceslices.resource.k8s.io'), 'allow'],
    ['1.32', asked('get serviceaccounts shop/bot'), 'not allowed to get service accounts'],
    ['1.34', asked('get serviceaccounts shop/bot'), 'allow'],
  ];
  for (const [version, request, expected] of rows)
    assert.equal(
      verdict(cluster(version), request),
      expected,
      `${version} ${JSON.stringify(request)}`,
    );
});

test('what gates add', () => {
  const certificates = 'podcertificaterequests.certificates.k8s.io';
  const bundles = 'clustertrustbundles.certificates.k8s.io';
  const gates = { PodCertificateRequest: true, ClusterTrustBundle: true };
  const [on, off] = [cluster('1.36', gates), cluster('1.36')];
  const unselected = 'can only list/watch podcertificaterequests with nodeName field selector';
  const noStatus = 'nodes may not access the status subresource of PodCertificateRequests';
  const rows: [request: RequestAttributes, expected: string][] = [
    [asked(`create ${certificates} shop/`), 'allow'],
    [asked(`get ${certificates} shop/cert`), 'allow'],
    [asked(`get ${certificates} shop/other`), unrelated],
    [asked(`list ${certificates}`, 'n1'), 'allow'],
    [asked(`watch ${certificates}`, 'n2'), unselected],
    [asked(`list ${certificates}`), unselected],
    [asked(`delete ${certificates} shop/cert`), 'nodes may not delete podcertificaterequests'],
    [asked('update podcertificaterequests/status.certificates.k8s.io shop/cert'), noStatus],
    [asked(`watch ${bundles}`), 'allow'],
    [asked(`update ${bundles} b`), ''],
  ];
  for (const [request, expected] of rows) {
    assert.equal(verdict(on, request), expected, JSON.stringify(request));
    assert.equal(verdict(off, request), '', JSON.stringify(request));
  }
});

test('a trace names the path in the graph, or the edge that is missing', () => {
  const c = cluster();
  c.pods.set({ ...pod, metadata: { ...pod.metadata, uid: 'pod-1' } });
  const detail = (attributes: RequestAttributes) => {
    const trace = createDecisionTrace();
    c.node.authorize(nodeUser('n1'), attributes, trace);
    const { node, ...rest } = trace.steps()[0]?.detail ?? {};
    assert.equal(node, 'n1');
    return rest;
  };
  const web = { kind: 'pod', namespace: 'shop', name: 'web', uid: 'pod-1' };
  const n1 = { kind: 'node', name: 'n1' };
  const secret = (namespace: string, name: string) => ({ kind: 'secret', namespace, name });
  const claim = { kind: 'persistentvolumeclaim', namespace: 'shop', name: 'data' };
  const volume = { kind: 'persistentvolume', name: 'pv' };
  const rows: [request: RequestAttributes, expected: object][] = [
    [asked('get pods shop/web'), { path: [web, n1] }],
    [asked('get secrets shop/env'), { path: [secret('shop', 'env'), web, n1] }],
    [asked('get persistentvolumes pv'), { path: [volume, claim, web, n1] }],
    [
      asked('get secrets storage/stage'),
      { path: [secret('storage', 'stage'), volume, claim, web, n1] },
    ],
    [
      asked('get volumeattachments.storage.k8s.io va'),
      { path: [{ kind: 'volumeattachment', name: 'va' }, n1] },
    ],
    [
      asked('get resourceslices.resource.k8s.io slice'),
      { path: [{ kind: 'resourceslice', name: 'slice' }, n1] },
    ],
    [asked('get secrets shop/stolen'), { missing: secret('shop', 'stolen') }],
    [asked('get persistentvolumes free'), { missing: { kind: 'persistentvolume', name: 'free' } }],
    [asked('list services'), { role: 'system:node', rule: 2 }],
    [asked('get nodes n1'), {}],
    [asked('get leases.coordination.k8s.io kube-node-lease/n2'), {}],
  ];
  for (const [request, expected] of rows)
    assert.deepEqual(detail(request), expected, JSON.stringify(request));
});

test('a path is found for what is related, and for nothing else', () => {
  const { graph } = cluster();
  const names = ['env', 'volume', 'stolen', 'stage', 'data', 'web', 'mirror', 'pv', 'free', 'va'];
  const kinds = [
    'secret',
    'configmap',
    'serviceaccount',
    'pod',
    'persistentvolume',
    'persistentvolumeclaim',
    'volumeattachment',
    'resourceslice',
    'resourceclaim',
    'podcertificaterequest',
  ] as const;
  for (const nodeName of ['n1', 'n2'])
    for (const kind of kinds)
      for (const namespace of ['', 'shop', 'storage'])
        for (const name of [...names, 'bot', 'admin', 'gpu', 'slice', 'root-ca']) {
          const question = { nodeName, kind, namespace, name };
          const isClusterScoped = kind.startsWith('volume') || kind === 'resourceslice';
          if (kind === 'persistentvolume' || isClusterScoped ? namespace !== '' : namespace === '')
            continue;
          const path = graph.path(question);
          assert.equal(path !== undefined, graph.isRelated(question), JSON.stringify(question));
        }
});

test('rules of nodes are not listed', async () => {
  const { node } = cluster();
  assert.equal((await node.rulesFor(nodeUser('n1'), 'shop')).incomplete, true);
  assert.equal((await node.rulesFor({ ...nodeUser('n1'), groups: [] }, 'shop')).incomplete, false);
});
