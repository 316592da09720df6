import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import { createCertificateRequest } from '../../authentication/certificates/certificate-request.ts';
import { createTestObjects } from '../../authentication/testing.ts';
import type { Authorizer } from '../../authorization/authorizer.ts';
import { createFeatures } from '../../features/create-features.ts';
import { createTestAttributes, type TestRequest } from '../testing.ts';
import { createNodeRestriction } from './node-restriction.ts';

const object = (
  name: string,
  spec: object = {},
  metadata: object = {},
  more: object = {},
): KubeObject => ({
  metadata: { name, ...metadata },
  spec,
  ...more,
});
const inShop = (name: string, spec: object = {}, metadata: object = {}, more: object = {}) =>
  object(name, spec, { namespace: 'shop', ...metadata }, more);

const asked: string[] = [];
const authorizer: Authorizer = {
  name: 'test',
  authorize(user, attributes) {
    asked.push(
      `${user.name} ${attributes.verb} ${attributes.isResource ? `${attributes.resource}/${attributes.name}` : ''}`,
    );
    return {
      decision: attributes.isResource && attributes.resource === 'granted' ? 'allow' : 'no-opinion',
      reason: '',
    };
  },
};
const plugin = (version = '1.36', featureGates: Record<string, boolean> = {}) =>
  createNodeRestriction({
    features: createFeatures({ emulatedVersion: version, featureGates }),
    authorizer,
    nodes: createTestObjects([object('n1', {}, { uid: 'node-1' })]),
    pods: createTestObjects([
      inShop(
        'own',
        {
          nodeName: 'n1',
          serviceAccountName: 'bot',
          volumes: [
            {
              name: 'a',
              projected: {
                sources: [
                  { serviceAccountToken: { audience: 'vault', path: 't' } },
                  { serviceAccountToken: { path: 'u' } },
                ],
              },
            },
            { name: 'b', csi: { driver: 'inline.example' } },
            { name: 'c', persistentVolumeClaim: { claimName: 'data' } },
            { name: 'd', ephemeral: {} },
          ],
        },
        { uid: 'pod-1' },
      ),
      inShop(
        'lost',
        { nodeName: 'n1', volumes: [{ name: 'c', persistentVolumeClaim: { claimName: 'gone' } }] },
        { uid: 'pod-2' },
      ),
      inShop('foreign', { nodeName: 'n2' }, { uid: 'pod-3' }),
      inShop(
        'shown',
        { nodeName: 'n1' },
        { uid: 'pod-4', annotations: { 'kubernetes.io/config.mirror': 'x' } },
      ),
    ]),
    serviceAccounts: createTestObjects([inShop('bot', {}, { uid: 'sa-1' })]),
    persistentVolumeClaims: createTestObjects([
      inShop('data', { volumeName: 'pv' }),
      inShop('own-d', { volumeName: 'old' }),
    ]),
    persistentVolumes: createTestObjects([
      object('pv', { csi: { driver: 'claimed.example' } }),
      object('old', { cinder: {} }),
    ]),
    csiDrivers: createTestObjects([
      object('inline.example', { tokenRequests: [{ audience: 'inline' }] }),
      object('claimed.example', { tokenRequests: [{ audience: 'claimed' }] }),
      object('cinder.csi.openstack.org', { tokenRequests: [{ audience: 'migrated' }] }),
    ]),
  });

async function ask(request: TestRequest, by = plugin(), node = 'n1'): Promise<string> {
  const attributes = createTestAttributes({
    userName: `system:node:${node}`,
    groups: ['system:nodes'],
    ...request,
  });
  try {
    await by.mutate?.(attributes);
    return 'ok';
  } catch (error) {
    assert.ok(isStatusError(error));
    return error.code === 403
      ? error.message.replace(/^.*? is forbidden: /s, '')
      : `${error.code} ${error.message}`;
  }
}
type Rows = [what: string, request: TestRequest, expected: string][];
const check = async (rows: Rows, by = plugin()) => {
  for (const [what, request, expected] of rows)
    assert.equal(await ask(request, by), expected, what);
};

test('who is restricted', async () => {
  const foreign = { resource: 'nodes', namespace: '', object: object('n2') };
  assert.equal(await ask(foreign), 'node "n1" is not allowed to modify node "n2"');
  assert.equal(await ask({ ...foreign, userName: 'ann' }), 'ok');
  assert.equal(await ask({ ...foreign, groups: [] }), 'ok');
  assert.equal(
    await ask(foreign, plugin(), ''),
    'could not determine node from user "system:node:"',
  );
  assert.ok(!plugin().handles('CONNECT'));
});

test('mirror pods', async () => {
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'node-1', controller: true };
  const mirror = (spec: object = {}, metadata: object = {}): TestRequest => ({
    object: inShop(
      'm',
      { nodeName: 'n1', ...spec },
      {
        annotations: { 'kubernetes.io/config.mirror': 'x' },
        ownerReferences: [owner],
        ...metadata,
      },
    ),
  });
  const volume = (source: object) => mirror({ volumes: [{ name: 'v', ...source }] });
  const projected = (source: object) => volume({ projected: { sources: [source] } });
  const itself = 'node "n1" can only create pods with an owner reference set to itself';
  const unknown = 'error checking mirror pod for API references: unknown volume type for volume #0';
  const refers = (what: string) => `node "n1" can not create pods that reference ${what}`;
  await check([
    ['a mirror pod', mirror(), 'ok'],
    ['with harmless volumes', volume({ hostPath: { path: '/' } }), 'ok'],
    [
      'an ordinary pod',
      { object: inShop('p', { nodeName: 'n1' }) },
      'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
    ],
    [
      'of another node',
      mirror({ nodeName: 'n2' }),
      'node "n1" can only create pods with spec.nodeName set to itself',
    ],
    ['without owner', mirror({}, { ownerReferences: [] }), itself],
    [
      'with two owners',
      mirror({}, { ownerReferences: [owner, owner] }),
      'node "n1" can only create pods with a single owner reference set to itself',
    ],
    ['owned by another', mirror({}, { ownerReferences: [{ ...owner, name: 'n2' }] }), itself],
    [
      'not controlled',
      mirror({}, { ownerReferences: [{ ...owner, controller: false }] }),
      'node "n1" can only create pods with a controller owner reference set to itself',
    ],
    [
      'blocking',
      mirror({}, { ownerReferences: [{ ...owner, blockOwnerDeletion: true }] }),
      'node "n1" must not set blockOwnerDeletion on an owner reference',
    ],
    [
      'another uid',
      mirror({}, { ownerReferences: [{ ...owner, uid: 'x' }] }),
      'node n1 UID mismatch: expected x got node-1',
    ],
    ['a service account', mirror({ serviceAccountName: 'bot' }), refers('serviceaccounts')],
    [
      'a secret in the environment',
      mirror({ containers: [{ envFrom: [{ secretRef: { name: 's' } }] }] }),
      refers('secrets'),
    ],
    ['a secret volume', volume({ secret: { secretName: 's' } }), refers('secrets')],
    ['a config map volume', volume({ configMap: { name: 'c' } }), refers('configmaps')],
    ['a claim', mirror({ resourceClaims: [{ name: 'x' }] }), refers('resourceclaims')],
    ['a driver', volume({ csi: { driver: 'd' } }), refers('csidrivers (via CSI volumes)')],
    [
      'a volume claim',
      volume({ persistentVolumeClaim: { claimName: 'c' } }),
      refers('persistentvolumeclaims'),
    ],
    [
      'an ephemeral claim',
      volume({ ephemeral: { volumeClaimTemplate: {} } }),
      refers('persistentvolumeclaims (via ephemeral volumes)'),
    ],
    [
      'a token',
      projected({ serviceAccountToken: { path: 't' } }),
      refers('serviceaccounts (via projected volumes)'),
    ],
    ['a volume of tomorrow', volume({ wormhole: {} }), unknown],
    ['a projected source of tomorrow', projected({ wormhole: {} }), unknown],
    ['what the pod itself is', projected({ downwardAPI: {} }), 'ok'],
    ['a bundle', projected({ clusterTrustBundle: { path: 't' } }), refers('clustertrustbundles')],
    ['deleting its own', { operation: 'DELETE', name: 'own' }, 'ok'],
    [
      'deleting a foreign one',
      { operation: 'DELETE', name: 'foreign' },
      'node "n1" can only delete pods with spec.nodeName set to itself',
    ],
    ['deleting none', { operation: 'DELETE', name: 'none' }, '404 pods "none" not found'],
    [
      'updating',
      { operation: 'UPDATE', object: inShop('own') },
      'unexpected operation "UPDATE", node "n1" can only create and delete mirror pods',
    ],
    [
      'resizing',
      { operation: 'UPDATE', subresource: 'resize', object: inShop('own') },
      `unexpected pod subresource "resize", only 'status' and 'eviction' are allowed`,
    ],
    [
      'ephemeral containers',
      { operation: 'UPDATE', subresource: 'ephemeralcontainers', object: inShop('own') },
      `unexpected pod subresource "ephemeralcontainers", only 'status' and 'eviction' are allowed`,
    ],
  ]);
});

test('status and eviction of pods', async () => {
  const status = (spec: object, old: object, metadata: object = {}): TestRequest => ({
    operation: 'UPDATE',
    subresource: 'status',
    object: inShop('own', { nodeName: 'n1' }, metadata, { status: spec }),
    oldObject: inShop('own', old, {}, { status: {} }),
  });
  const evict = (name: string): TestRequest => ({
    subresource: 'eviction',
    name,
    object: inShop(name),
  });
  await check([
    ['own', status({ phase: 'Running' }, { nodeName: 'n1' }), 'ok'],
    [
      'foreign',
      status({ phase: 'Running' }, { nodeName: 'n2' }),
      'node "n1" can only update pod status for pods with spec.nodeName set to itself',
    ],
    [
      'labels',
      status({}, { nodeName: 'n1' }, { labels: { a: 'b' } }),
      'node "n1" cannot update labels through pod status',
    ],
    [
      'claims',
      status(
        { resourceClaimStatuses: [{ name: 'x', resourceClaimName: 'y' }] },
        { nodeName: 'n1' },
      ),
      'node "n1" cannot update resource claim statues',
    ],
    [
      'extended claim',
      status({ extendedResourceClaimStatus: { resourceClaimName: 'y' } }, { nodeName: 'n1' }),
      'node "n1" cannot update extended resource claim status',
    ],
    ['evict own', evict('own'), 'ok'],
    [
      'evict foreign',
      evict('foreign'),
      'node n1 can only evict pods with spec.nodeName set to itself',
    ],
    [
      'evict nothing',
      { subresource: 'eviction', object: inShop('') },
      'could not determine pod from request data',
    ],
  ]);
});

test('nodes', async () => {
  const node = (labels: Record<string, string>, spec: object = {}, more: object = {}) =>
    object('n1', spec, { labels, ...more });
  const create = (labels: Record<string, string>, spec: object = {}): TestRequest => ({
    resource: 'nodes',
    namespace: '',
    object: node(labels, spec),
  });
  const update = (made: KubeObject, old = node({})): TestRequest => ({
    resource: 'nodes',
    namespace: '',
    operation: 'UPDATE',
    object: made,
    oldObject: old,
  });
  const set = (what: string) => `node "n1" is not allowed to set the following labels: ${what}`;
  const modify = (what: string) => `is not allowed to modify labels: ${what}`;
  await check([
    ['ordinary labels', create({ a: 'b', 'example.com/a': 'b' }), 'ok'],
    [
      'kubelet labels',
      create({
        'kubernetes.io/hostname': 'n1',
        'topology.kubernetes.io/zone': 'z',
        'kubelet.kubernetes.io/x': 'y',
        'a.node.kubernetes.io/x': 'y',
      }),
      'ok',
    ],
    [
      'a role',
      create({ 'node-role.kubernetes.io/control-plane': '' }),
      set('node-role.kubernetes.io/control-plane'),
    ],
    [
      'restricted',
      create({
        'node-restriction.kubernetes.io/x': 'y',
        'a.node-restriction.kubernetes.io/x': 'y',
      }),
      set('a.node-restriction.kubernetes.io/x, node-restriction.kubernetes.io/x'),
    ],
    [
      'restricted below an allowed one',
      create({ 'foo.kubernetes.io/x': 'y', 'k8s.io/x': 'y' }),
      set('foo.kubernetes.io/x, k8s.io/x'),
    ],
    [
      'a domain that only ends alike',
      create({ 'notkubernetes.io/x': 'y', 'evil-node-restriction.kubernetes.io.example/x': 'y' }),
      'ok',
    ],
    [
      'a config source',
      create({}, { configSource: {} }),
      'node "n1" is not allowed to create pods with a non-nil configSource',
    ],
    [
      'an unchanged label of another',
      update(node({ 'node-role.kubernetes.io/x': '' }), node({ 'node-role.kubernetes.io/x': '' })),
      'ok',
    ],
    [
      'a new label',
      update(node({ 'node-role.kubernetes.io/x': '' })),
      modify('node-role.kubernetes.io/x'),
    ],
    [
      'a removed label',
      update(node({}), node({ 'node-restriction.kubernetes.io/x': 'y' })),
      modify('node-restriction.kubernetes.io/x'),
    ],
    [
      'taints',
      update(node({}, { taints: [] }), node({}, { taints: [{ key: 'a', effect: 'NoSchedule' }] })),
      'node "n1" is not allowed to modify taints',
    ],
    [
      'owners',
      update(
        node({}, {}, { ownerReferences: [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'x' }] }),
      ),
      'node "n1" is not allowed to modify ownerReferences',
    ],
    [
      'a new config source',
      update(node({}, { configSource: { configMap: {} } })),
      'node "n1" is not allowed to update configSource to a new non-nil configSource',
    ],
    [
      'status of another',
      { ...update(object('n2')), subresource: 'status' },
      'node "n1" is not allowed to modify node "n2"',
    ],
  ]);
});

test('claims, leases and slices', async () => {
  const claim = (status: object, labels: object = {}): TestRequest => ({
    resource: 'persistentvolumeclaims',
    operation: 'UPDATE',
    subresource: 'status',
    object: inShop('data', { volumeName: 'pv' }, { labels, resourceVersion: '' }, { status }),
    oldObject: inShop(
      'data',
      { volumeName: 'pv' },
      { labels: {}, resourceVersion: '7' },
      { status: { phase: 'Bound' } },
    ),
  });
  const only = (what: string) =>
    `node "n1" is not allowed to update fields other than status.quantity and status.conditions: ${what}`;
  const lease = (name: string, namespace = 'kube-node-lease'): TestRequest => ({
    group: 'coordination.k8s.io',
    resource: 'leases',
    namespace,
    object: object(name),
  });
  const csiNode = (name: string): TestRequest => ({
    group: 'storage.k8s.io',
    resource: 'csinodes',
    namespace: '',
    object: object(name),
  });
  const slice = (spec: object, operation: 'CREATE' | 'DELETE' = 'CREATE'): TestRequest => ({
    group: 'resource.k8s.io',
    resource: 'resourceslices',
    namespace: '',
    operation,
    ...(operation === 'CREATE' ? { object: object('s', spec) } : { oldObject: object('s', spec) }),
  });
  await check([
    [
      'sizes',
      claim({
        phase: 'Bound',
        capacity: { storage: '2Gi' },
        conditions: [{ type: 'x' }],
        allocatedResources: { storage: '3Gi' },
      }),
      'ok',
    ],
    ['the phase', claim({ phase: 'Lost' }), only('status.phase')],
    ['labels', claim({ phase: 'Bound' }, { a: 'b' }), only('metadata.labels')],
    [
      'the claim itself',
      { resource: 'persistentvolumeclaims', operation: 'UPDATE', object: inShop('data') },
      'may only update PVC status',
    ],
    ['own lease', lease('n1'), 'ok'],
    [
      'foreign lease',
      lease('n2'),
      'can only access node lease with the same name as the requesting node',
    ],
    [
      'lease elsewhere',
      lease('n1', 'kube-system'),
      'can only access leases in the "kube-node-lease" system namespace',
    ],
    ['own CSINode', csiNode('n1'), 'ok'],
    [
      'foreign CSINode',
      csiNode('n2'),
      'can only access CSINode with the same name as the requesting node',
    ],
    ['own slice', slice({ nodeName: 'n1' }), 'ok'],
    [
      'slice of all nodes',
      slice({ allNodes: true }),
      'can only create ResourceSlice with the same NodeName as the requesting node',
    ],
    [
      'foreign slice deleted',
      slice({ nodeName: 'n2' }, 'DELETE'),
      'can only delete ResourceSlice with the same NodeName as the requesting node',
    ],
  ]);
});

test('admission §1 (10): tokens', async () => {
  const token = (spec: object, reference: object = {}): TestRequest => ({
    resource: 'serviceaccounts',
    subresource: 'token',
    name: 'bot',
    object: inShop('', {
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'own', uid: 'pod-1', ...reference },
      ...spec,
    }),
  });
  const missing = (audience: string) =>
    `audience "${audience}" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience`;
  await check([
    ['for the API server', token({}), 'ok'],
    ['of a projected volume', token({ audiences: ['vault'] }), 'ok'],
    ['of an inline driver', token({ audiences: ['inline'] }), 'ok'],
    ['of the driver of a claim', token({ audiences: ['claimed'] }), 'ok'],
    ['of a driver that took over', token({ audiences: ['migrated'] }), 'ok'],
    ['granted', token({ audiences: ['granted'] }), 'ok'],
    ['not in the pod', token({ audiences: ['other'] }), missing('other')],
    ['two', token({ audiences: ['vault', 'inline'] }), 'node may only request 0 or 1 audiences'],
    [
      'a lost claim',
      token({ audiences: ['x'] }, { name: 'lost', uid: 'pod-2' }),
      'error validating audience "x": persistentvolumeclaim "gone" not found',
    ],
    ['not bound', token({ boundObjectRef: null }), 'node requested token not bound to a pod'],
    ['bound to a secret', token({}, { kind: 'Secret' }), 'node requested token not bound to a pod'],
    [
      'without uid',
      token({}, { uid: '' }),
      'node requested token with a pod binding without a uid',
    ],
    [
      'another uid',
      token({}, { uid: 'x' }),
      'the UID in the bound object reference (x) does not match the UID in record. The object might have been deleted and then recreated',
    ],
    [
      'a foreign pod',
      token({}, { name: 'foreign', uid: 'pod-3' }),
      'node requested token bound to a pod scheduled on a different node',
    ],
    ['no pod', token({}, { name: 'none' }), '404 pods "none" not found'],
  ]);
  assert.ok(asked.includes('system:node:n1 request-serviceaccounts-token-audience other/bot'));
  assert.equal(await ask(token({ audiences: ['other'] }), plugin('1.32')), 'ok');
});

test('certificates', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const csr = (
    commonName: string,
    signerName = 'kubernetes.io/kube-apiserver-client-kubelet',
  ): TestRequest => {
    const pem = createCertificateRequest(
      { commonName, organizations: ['system:nodes'] },
      privateKey,
    );
    return {
      group: 'certificates.k8s.io',
      resource: 'certificatesigningrequests',
      namespace: '',
      object: object('c', { signerName, request: Buffer.from(pem).toString('base64') }),
    };
  };
  const refused = 'can only create a node CSR with CN=system:node:n1';
  await check([
    ['own', csr('system:node:n1'), 'ok'],
    ['foreign', csr('system:node:n2'), refused],
    ['serving', csr('system:node:n2', 'kubernetes.io/kubelet-serving'), refused],
    ['another signer', csr('system:node:n2', 'example.com/x'), 'ok'],
    [
      'unreadable',
      {
        ...csr('x'),
        object: object('c', { signerName: 'kubernetes.io/kubelet-serving', request: 'eA==' }),
      },
      'unable to parse csr: PEM block type must be CERTIFICATE REQUEST',
    ],
  ]);
  assert.equal(await ask(csr('system:node:n2'), plugin('1.30')), 'ok');
});

test('pod certificates', async () => {
  const spec = {
    nodeName: 'n1',
    nodeUID: 'node-1',
    podName: 'own',
    podUID: 'pod-1',
    serviceAccountName: 'bot',
    serviceAccountUID: 'sa-1',
  };
  const request = (changes: object = {}): TestRequest => ({
    group: 'certificates.k8s.io',
    resource: 'podcertificaterequests',
    object: inShop('c', { ...spec, ...changes }),
  });
  assert.equal(await ask(request()), 'PodCertificateRequest feature gate is disabled');
  await check(
    [
      ['own', request(), 'ok'],
      [
        'of another node',
        request({ nodeName: 'n2' }),
        'PodCertificateRequest.Spec.NodeName="n2", which is not the requesting node "n1"',
      ],
      [
        'another node uid',
        request({ nodeUID: 'x' }),
        '500 Internal error occurred: node "n1" has the UID "node-1", not "x"',
      ],
      [
        'no pod',
        request({ podName: 'none' }),
        '500 Internal error occurred: pod "shop/none" was not found',
      ],
      [
        'a foreign pod',
        request({ podName: 'foreign', podUID: 'pod-3' }),
        'pod "shop/foreign" is not running on node "n1" named in the PodCertificateRequest',
      ],
      [
        'a mirror pod',
        request({ podName: 'shown', podUID: 'pod-4' }),
        'pod "shop/shown" is a mirror pod',
      ],
      [
        'another account',
        request({ serviceAccountName: 'admin' }),
        'PodCertificateRequest for pod "shop/own" contains serviceAccountName ("admin") that differs from running pod ("bot")',
      ],
      [
        'an account made anew',
        request({ serviceAccountUID: 'x' }),
        '500 Internal error occurred: service account "shop/bot" has the UID "sa-1", not "x"',
      ],
      ['status', { ...request(), subresource: 'status' }, 'unexpected subresource status'],
    ],
    plugin('1.36', { PodCertificateRequest: true }),
  );
});
