// What is missed without the scheduler, and without what keeps the claims of pods to devices.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { addDevicePod, taintDevice } from '../device-cluster.ts';
import { core } from '../simulated-cluster.ts';
import { count, podSpec, stateOf, type Scene, type Symptom } from './symptom.ts';

const pods = core('pods');
const podGroups = { group: 'scheduling.k8s.io', version: 'v1alpha2', resource: 'podgroups' };
const devices = (resource: string) => ({ group: 'resource.k8s.io', version: 'v1', resource });

function addNode(scene: Scene) {
  const status = {
    allocatable: { cpu: '4', memory: '8Gi', pods: '10' },
    conditions: [{ type: 'Ready', status: 'True' }],
  };
  return scene.client.resource(core('nodes')).create({ metadata: { name: 'n' }, status });
}
function addPod(scene: Scene, spec: object = {}) {
  return scene.in(pods).create({ metadata: { name: 'p' }, spec: { ...podSpec, ...spec } });
}

export const schedulingSymptoms = {
  'kube-scheduler': {
    async act(scene) {
      await addNode(scene);
      await addPod(scene);
    },
    see: async (scene) => (await scene.in<Pod>(pods).get('p')).spec.nodeName ?? 'nowhere',
    with: 'n',
    without: 'nowhere',
  },
  'podgroup-protection-controller': {
    options: {
      featureGates: { GenericWorkload: true },
      runtimeConfig: 'scheduling.k8s.io/v1alpha2=true',
    },
    async act(scene) {
      const spec = { schedulingPolicy: { basic: {} } };
      await scene.in(podGroups).create({ metadata: { name: 'g' }, spec });
      await scene.in(podGroups).delete('g');
    },
    see: (scene) => stateOf(scene.in(podGroups), 'g'),
    with: 'gone',
    without: 'Terminating',
  },
  'resourceclaim-controller': {
    async act(scene) {
      const spec = { spec: { devices: { requests: [] } } };
      const template = { metadata: { name: 'gpu' }, spec };
      await scene.in(devices('resourceclaimtemplates')).create(template);
      await addPod(scene, { resourceClaims: [{ name: 'g', resourceClaimTemplateName: 'gpu' }] });
    },
    see: (scene) => count(scene, devices('resourceclaims')),
    with: '1 resourceclaims',
    without: '0 resourceclaims',
  },
  'device-taint-eviction-controller': {
    async act(scene) {
      await addDevicePod(scene.client);
      await scene.pass(10_000);
      await taintDevice(scene.client, [{ key: 'broken', effect: 'NoExecute' }]);
    },
    see: (scene) => stateOf(scene.in(pods), 'p'),
    with: 'Terminating',
    without: 'there',
  },
} satisfies Readonly<Record<string, Symptom>>;
