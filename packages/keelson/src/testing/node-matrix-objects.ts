// The objects of the matrix of what a node may do: two nodes, pods that run on each, and what these
// pods use and do not use. `own` and `foreign` are names of objects by resource.

import type { ServedCluster } from './served-cluster.ts';

export interface ObjectNames {
  readonly own: string;
  readonly foreign: string;
  readonly namespace?: string;
}

const shop = 'shop';
const ofNode: ObjectNames = { own: 'n1', foreign: 'n2' };

/** By resource, without subresource; others are called `used` and `other`, in `shop`. */
const namesByResource: Readonly<Record<string, ObjectNames>> = {
  '/nodes': ofNode,
  'storage.k8s.io/csinodes': ofNode,
  'coordination.k8s.io/leases': { ...ofNode, namespace: 'kube-node-lease' },
  '/pods/eviction': { own: 'evicted', foreign: 'other' },
};

export function namesOf(resource: string): Required<ObjectNames> {
  const [group = '', plural = ''] = resource.split('/');
  const names = namesByResource[resource] ?? namesByResource[`${group}/${plural}`];
  return { own: 'used', foreign: 'other', namespace: shop, ...names };
}

const container = { name: 'c', image: 'i' };

/** A pod on a node that uses one of everything. */
function podOn(name: string, nodeName: string, used: string): object {
  return {
    metadata: { name },
    spec: {
      nodeName,
      serviceAccountName: used,
      automountServiceAccountToken: false,
      containers: [
        {
          ...container,
          envFrom: [{ secretRef: { name: used } }, { configMapRef: { name: used } }],
          resources: { claims: [{ name: 'gpu' }] },
        },
      ],
      resourceClaims: [{ name: 'gpu', resourceClaimName: used }],
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: used } },
        {
          name: 'token',
          projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'vault' } }] },
        },
      ],
    },
  };
}

const storage = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
const claim = (name: string) => ({ metadata: { name }, spec: { ...storage, volumeName: name } });
const volume = (name: string) => ({
  metadata: { name },
  spec: {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteOnce'],
    claimRef: { namespace: shop, name },
    csi: { driver: 'disk.example', volumeHandle: name },
  },
});
const attachment = (name: string, nodeName: string) => ({
  metadata: { name },
  spec: { attacher: 'disk.example', nodeName, source: { persistentVolumeName: name } },
});
export const slice = (name: string, nodeName: string) => ({
  metadata: { name },
  spec: {
    nodeName,
    driver: 'gpu.example',
    pool: { name: nodeName, generation: 1, resourceSliceCount: 1 },
  },
});

/** In the order in which they are made. */
const objects: readonly (readonly [resource: string, namespace: string, object: object])[] = [
  ...['shop', 'kube-node-lease', 'elsewhere'].map(
    (name) => ['/namespaces', '', { metadata: { name } }] as const,
  ),
  ...['n1', 'n2'].map((name) => ['/nodes', '', { metadata: { name } }] as const),
  ['/serviceaccounts', shop, { metadata: { name: 'default' } }],
  ...['used', 'other'].flatMap((name) => [
    ['/serviceaccounts', shop, { metadata: { name } }] as const,
    ['/secrets', shop, { metadata: { name } }] as const,
    ['/configmaps', shop, { metadata: { name } }] as const,
    ['/persistentvolumes', '', volume(name)] as const,
    ['/persistentvolumeclaims', shop, claim(name)] as const,
    ['resource.k8s.io/resourceclaims', shop, { metadata: { name }, spec: {} }] as const,
  ]),
  ['/pods', shop, podOn('used', 'n1', 'used')],
  ['/pods', shop, podOn('evicted', 'n1', 'used')],
  ['/pods', shop, podOn('other', 'n2', 'other')],
  ['storage.k8s.io/volumeattachments', '', attachment('used', 'n1')],
  ['storage.k8s.io/volumeattachments', '', attachment('other', 'n2')],
  ['resource.k8s.io/resourceslices', '', slice('used', 'n1')],
  ['resource.k8s.io/resourceslices', '', slice('other', 'n2')],
  ...['n1', 'n2'].flatMap((name) => [
    ['coordination.k8s.io/leases', 'kube-node-lease', { metadata: { name } }] as const,
    ['storage.k8s.io/csinodes', '', { metadata: { name }, spec: { drivers: [] } }] as const,
  ]),
];

/** Makes all that the release serves; throws for what it does not take. */
export async function createMatrixObjects(server: ServedCluster): Promise<void> {
  for (const [resource, namespace, body] of objects) {
    if (!server.resources.has(resource)) continue;
    const url = urlOf(server, { resource, namespace, name: '' });
    const answer = await server.call({ method: 'POST', url, body });
    const isThere = answer.status === 201 || answer.status === 409;
    if (!isThere) throw new Error(`${url}: ${JSON.stringify(answer.body)}`);
  }
}

export interface Place {
  /** `group/resource` or `group/resource/subresource`. */
  readonly resource: string;
  readonly namespace: string;
  /** Empty for the collection. */
  readonly name: string;
}

export function urlOf(server: ServedCluster, { resource, namespace, name }: Place): string {
  const served = server.resources.get(resource);
  if (served === undefined) throw new Error(`${resource} is not served`);
  const [plural = '', subresource] = served.name.split('/');
  const version = served.groupVersion;
  return [
    version.includes('/') ? `/apis/${version}` : `/api/${version}`,
    ...(served.namespaced && namespace !== '' ? ['namespaces', namespace] : []),
    plural,
    ...(name === '' ? [] : [name]),
    ...(subresource === undefined ? [] : [subresource]),
  ].join('/');
}

/** What is sent to create the object: that which NodeRestriction looks at. */
export function newObject(resource: string, name: string): object {
  switch (resource) {
    case 'resource.k8s.io/resourceslices':
      return slice(`new-${name}`, name === 'used' ? 'n1' : 'n2');
    case 'certificates.k8s.io/podcertificaterequests':
      return { metadata: { name }, spec: { nodeName: name === 'used' ? 'n1' : 'n2' } };
    case '/pods':
      return { metadata: { name: 'new' }, spec: { nodeName: 'n1', containers: [container] } };
    case '/pods/eviction':
    case '/nodes':
    case 'coordination.k8s.io/leases':
      return { metadata: { name } };
    case 'storage.k8s.io/csinodes':
      return { metadata: { name }, spec: { drivers: [] } };
    default:
      return {};
  }
}
