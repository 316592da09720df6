// The least that a cloud-controller-manager does, over the API alone and with the rights that such
// programs ask for: completes nodes that kubelets registered with `--cloud-provider=external`, and
// keeps load balancers for Services. Its cloud is made up.

import type { Node, Service } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import type { Cluster } from '../create-cluster.ts';
import { core } from './simulated-cluster.ts';

export const uninitialized = 'node.cloudprovider.kubernetes.io/uninitialized';
export const balancerFinalizer = 'service.kubernetes.io/load-balancer-cleanup';
const providedAddress = 'alpha.kubernetes.io/provided-node-ip';
const user = 'system:serviceaccount:kube-system:cloud-controller-manager';
const status = { subresource: 'status' } as const;

export interface CloudControllers {
  /** One round of its node controller. */
  initializeNodes(): Promise<void>;
  /** One round of its service controller. */
  balanceServices(): Promise<void>;
}

export async function createCloudControllers(cluster: Cluster): Promise<CloudControllers> {
  await grant(cluster.client());
  const client = cluster.client({ name: user });
  return {
    async initializeNodes() {
      for (const node of (await client.resource<Node>(core('nodes')).list()).items)
        if (node.spec.taints?.some(({ key }) => key === uninitialized) === true)
          await initialize(client, node);
    },
    async balanceServices() {
      for (const service of (await client.resource<Service>(core('services')).list()).items)
        await balance(client, service);
    },
  };
}

async function initialize(client: Client, { metadata, spec }: Node): Promise<void> {
  const { name = '', annotations = {} } = metadata;
  const nodes = client.resource<Node>(core('nodes'));
  const labels = {
    'node.kubernetes.io/instance-type': 'small',
    'topology.kubernetes.io/zone': 'zone-a',
    'topology.kubernetes.io/region': 'region-1',
  };
  const addresses = [
    { type: 'InternalIP', address: annotations[providedAddress] ?? '' },
    { type: 'ExternalIP', address: '198.51.100.7' },
    { type: 'Hostname', address: name },
  ];
  await nodes.patch(name, 'strategic', { status: { addresses } }, status);
  const taints = (spec.taints ?? []).filter(({ key }) => key !== uninitialized);
  await nodes.patch(name, 'merge', {
    metadata: { labels },
    spec: { providerID: `example://region-1/${name}`, taints: taints.map((one) => ({ ...one })) },
  });
}

async function balance(client: Client, service: Service): Promise<void> {
  const { namespace = '', name = '', deletionTimestamp, finalizers = [] } = service.metadata;
  const services = client.resource<Service>(core('services')).namespace(namespace);
  const isBalanced = finalizers.includes(balancerFinalizer);
  const isWanted =
    deletionTimestamp === undefined &&
    service.spec.type === 'LoadBalancer' &&
    service.spec.loadBalancerClass === undefined;
  if (isWanted === isBalanced) return;
  const ingress = isWanted ? [{ ip: '203.0.113.10' }] : [];
  const kept = finalizers.filter((one) => one !== balancerFinalizer);
  const finalize = () =>
    services.patch(
      name,
      'merge',
      { metadata: { finalizers: isWanted ? [...kept, balancerFinalizer] : kept } },
      status,
    );
  const tell = () =>
    services.patch(name, 'merge', { status: { loadBalancer: { ingress } } }, status);
  // What there is to clean up is marked before it is there, until it is gone.
  for (const step of isWanted ? [finalize, tell] : [tell, finalize]) await step();
}

/** What the documentation of cloud-controller-managers has their account be given. */
async function grant(client: Client): Promise<void> {
  const rbac = (resource: string) => ({
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    resource,
  });
  const name = 'cloud-controller-manager';
  const rules = [
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'patch', 'update', 'watch'] },
    { apiGroups: [''], resources: ['nodes/status', 'services/status'], verbs: ['patch'] },
    { apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'watch'] },
  ];
  await client.resource(rbac('clusterroles')).create({ metadata: { name }, rules });
  await client.resource(rbac('clusterrolebindings')).create({
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'User', name: user }],
  });
}
