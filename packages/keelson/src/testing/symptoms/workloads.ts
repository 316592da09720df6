// What is missed without the controllers that make pods, or keep them.

import type { JsonValue, KubeObject } from '@keelson/apimachinery';
import { core, namesIn } from '../simulated-cluster.ts';
import {
  answerTo,
  count,
  createPod,
  podSpec,
  workload,
  type Scene,
  type Symptom,
} from './symptom.ts';

const pods = core('pods');
const apps = (resource: string) => ({ group: 'apps', version: 'v1', resource });
const budgets = { group: 'policy', version: 'v1', resource: 'poddisruptionbudgets' };

const batch = (resource: string) => ({ group: 'batch', version: 'v1', resource });
const job = (more: object): KubeObject => {
  const template = { spec: { ...podSpec, restartPolicy: 'Never' } };
  return { metadata: { name: 'work' }, spec: { template, ...more } };
};
const everyMinute: KubeObject = {
  metadata: { name: 'often' },
  spec: { schedule: '* * * * *', jobTemplate: job({}) },
};

async function markReady(scene: Scene, name: string): Promise<void> {
  const status: JsonValue = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  await scene.in(pods).patch(name, 'strategic', { status }, { subresource: 'status' });
}

export const workloadSymptoms = {
  'deployment-controller': {
    act: (scene) => scene.in(apps('deployments')).create(workload()),
    see: (scene) => count(scene, apps('replicasets')),
    with: '1 replicasets',
    without: '0 replicasets',
  },
  'replicaset-controller': {
    act: (scene) => scene.in(apps('deployments')).create(workload()),
    see: (scene) => count(scene, pods),
    with: '2 pods',
    without: '0 pods',
  },
  'replicationcontroller-controller': {
    act: (scene) => scene.in(core('replicationcontrollers')).create(workload({ app: 'web' })),
    see: (scene) => count(scene, pods),
    with: '2 pods',
    without: '0 pods',
  },
  'job-controller': {
    act: (scene) => scene.in(batch('jobs')).create(job({})),
    see: (scene) => count(scene, pods),
    with: '1 pods',
    without: '0 pods',
  },
  'ttl-after-finished-controller': {
    async act(scene) {
      await scene.in(batch('jobs')).create(job({ ttlSecondsAfterFinished: 10 }));
      await scene.pass(1_000);
      for (const name of await namesIn(scene.in(pods)))
        await scene
          .in(pods)
          .patch(name, 'merge', { status: { phase: 'Succeeded' } }, { subresource: 'status' });
    },
    see: (scene) => count(scene, batch('jobs')),
    with: '0 jobs',
    without: '1 jobs',
  },
  'cronjob-controller': {
    act: (scene) => scene.in(batch('cronjobs')).create(everyMinute),
    see: async (scene) =>
      (await namesIn(scene.in(batch('jobs')))).length > 0 ? 'jobs' : 'no jobs',
    with: 'jobs',
    without: 'no jobs',
  },
  'daemonset-controller': {
    async act(scene) {
      await scene.client.resource(core('nodes')).create({ metadata: { name: 'n' } });
      const tolerations = [{ operator: 'Exists' }];
      const template = { metadata: { labels: { app: 'web' } }, spec: { ...podSpec, tolerations } };
      const spec = { selector: { matchLabels: { app: 'web' } }, template };
      await scene.in(apps('daemonsets')).create({ metadata: { name: 'agent' }, spec });
    },
    see: (scene) => count(scene, pods),
    with: '1 pods',
    without: '0 pods',
  },
  'statefulset-controller': {
    act: (scene) => scene.in(apps('statefulsets')).create(workload()),
    see: async (scene) => String(await namesIn(scene.in(pods))),
    with: 'web-0',
    without: '',
  },
  'disruption-controller': {
    async act(scene) {
      const spec = { maxUnavailable: 1, selector: { matchLabels: { app: 'web' } } };
      await scene.in(budgets).create({ metadata: { name: 'b' }, spec });
      await scene.in(apps('replicasets')).create(workload());
      await scene.pass(1_000);
      for (const name of await namesIn(scene.in(pods))) await markReady(scene, name);
    },
    async see(scene) {
      const [name = ''] = await namesIn(scene.in(pods));
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } };
      const options = { name, subresource: 'eviction' } as const;
      return answerTo(scene, scene.in(pods).create(eviction, options));
    },
    with: 'done',
    without: 'The disruption budget b is still being processed by the server.',
  },
  'garbage-collector-controller': {
    async act(scene) {
      await scene.in(apps('deployments')).create(workload());
      await scene.pass(1_000);
      await scene.in(apps('deployments')).delete('web', { propagationPolicy: 'Background' });
    },
    see: async (scene) => `${await count(scene, apps('replicasets'))}, ${await count(scene, pods)}`,
    with: '0 replicasets, 0 pods',
    without: '1 replicasets, 2 pods',
  },
  // COMPAT: admission holds a quota to what its status says is hard, so it limits nothing until then.
  'resourcequota-controller': {
    async act(scene) {
      const spec = { hard: { pods: '1' } };
      await scene.in(core('resourcequotas')).create({ metadata: { name: 'q' }, spec });
      await scene.pass(1_000);
      await createPod(scene, 'a');
    },
    see: (scene) => answerTo(scene, createPod(scene, 'b')),
    with: 'pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
    without: 'done',
  },
  'serviceaccount-controller': {
    async act(scene) {
      await scene.client.resource(core('namespaces')).create({ metadata: { name: 'shop' } });
    },
    see: (scene) => answerTo(scene, createPod(scene, 'a', 'shop')),
    with: 'done',
    without:
      'pods "a" is forbidden: error looking up service account shop/default: serviceaccount "default" not found',
  },
} as const satisfies Readonly<Record<string, Symptom>>;
