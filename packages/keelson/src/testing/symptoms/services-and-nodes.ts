// What is missed without the controllers of Services and nodes, and of autoscaling.

import type { HorizontalPodAutoscaler } from '@keelson/apimachinery/types/autoscaling.v2';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import { core } from '../simulated-cluster.ts';
import { stateOf, type Scene, type Symptom } from './symptom.ts';

const slices = { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' };
const autoscalers = {
  group: 'autoscaling',
  version: 'v2',
  resource: 'horizontalpodautoscalers',
};
const serviceCidrs = { group: 'networking.k8s.io', version: 'v1', resource: 'servicecidrs' };
const containers = [{ name: 'c', image: 'app' }];
const ofWeb = { labelSelector: 'kubernetes.io/service-name=web' };

function addService(scene: Scene, selector?: Record<string, string>) {
  const spec = { ports: [{ port: 80 }], ...(selector !== undefined && { selector }) };
  return scene.in(core('services')).create({ metadata: { name: 'web' }, spec });
}
async function slicesOfWeb(scene: Scene): Promise<string> {
  return `${(await scene.in(slices).list(ofWeb)).items.length} slices`;
}
function addNode(scene: Scene, spec: object) {
  const status = { conditions: [{ type: 'Ready', status: 'True' }] };
  return scene.client.resource(core('nodes')).create({ metadata: { name: 'n' }, spec, status });
}
const nodeOf = (scene: Scene) => scene.client.resource<Node>(core('nodes')).get('n');
function addPod(scene: Scene, spec: object) {
  return scene.in(core('pods')).create({ metadata: { name: 'p' }, spec: { containers, ...spec } });
}

export const serviceAndNodeSymptoms = {
  'endpoints-controller': {
    act: (scene) => addService(scene, { app: 'web' }),
    see: (scene) => stateOf(scene.in(core('endpoints')), 'web'),
    with: 'there',
    without: 'gone',
  },
  'endpointslice-controller': {
    act: (scene) => addService(scene, { app: 'web' }),
    see: slicesOfWeb,
    with: '1 slices',
    without: '0 slices',
  },
  'endpointslice-mirroring-controller': {
    async act(scene) {
      await addService(scene);
      const subsets = [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80 }] }];
      await scene.in(core('endpoints')).create({ metadata: { name: 'web' }, subsets });
    },
    see: slicesOfWeb,
    with: '1 slices',
    without: '0 slices',
  },
  'node-ipam-controller': {
    options: { controllerSettings: { nodeCidrs: { clusterCidr: '10.244.0.0/16' } } },
    act: (scene) => addNode(scene, {}),
    see: async (scene) => (await nodeOf(scene)).spec.podCIDR ?? 'none',
    with: '10.244.0.0/24',
    without: 'none',
  },
  'node-lifecycle-controller': {
    act: (scene) => addNode(scene, { unschedulable: true }),
    async see(scene) {
      const { taints = [] } = (await nodeOf(scene)).spec;
      return taints.some(({ key }) => key.endsWith('/unschedulable')) ? 'tainted' : 'not tainted';
    },
    with: 'tainted',
    without: 'not tainted',
  },
  'taint-eviction-controller': {
    async act(scene) {
      await addNode(scene, { taints: [{ key: 'drain', effect: 'NoExecute' }] });
      await addPod(scene, { nodeName: 'n' });
    },
    see: (scene) => stateOf(scene.in(core('pods')), 'p'),
    with: 'Terminating',
    without: 'there',
  },
  'ttl-controller': {
    act: (scene) => addNode(scene, {}),
    see: async (scene) =>
      (await nodeOf(scene)).metadata.annotations?.['node.alpha.kubernetes.io/ttl'] ?? 'none',
    with: '0',
    without: 'none',
  },
  'pod-garbage-collector-controller': {
    act: (scene) => addPod(scene, { nodeName: 'gone' }),
    see: (scene) => stateOf(scene.in(core('pods')), 'p'),
    with: 'gone',
    without: 'there',
  },
  'horizontal-pod-autoscaler-controller': {
    act: (scene) =>
      scene.in(autoscalers).create({
        metadata: { name: 'h' },
        spec: {
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
          maxReplicas: 2,
        },
      }),
    async see(scene) {
      const { status } = await scene.in<HorizontalPodAutoscaler>(autoscalers).get('h');
      return status?.conditions?.[0]?.reason ?? 'nothing';
    },
    with: 'FailedGetScale',
    without: 'nothing',
  },
  'service-cidr-controller': {
    act: (scene) =>
      scene.client
        .resource(serviceCidrs)
        .create({ metadata: { name: 'extra' }, spec: { cidrs: ['10.200.0.0/24'] } }),
    async see(scene) {
      const { metadata } = await scene.client.resource(serviceCidrs).get('extra');
      return `${metadata.finalizers?.length ?? 0} finalizers`;
    },
    with: '1 finalizers',
    without: '0 finalizers',
  },
} as const satisfies Record<string, Symptom>;
