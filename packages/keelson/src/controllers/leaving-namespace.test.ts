import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '@keelson/apimachinery';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const labels = { app: 'x' };
const selector = { matchLabels: labels };
const podSpec = { containers: [{ name: 'c', image: 'app:1' }] };
const template = { metadata: { labels }, spec: podSpec };
const run = { template: { spec: { ...podSpec, restartPolicy: 'Never' } } };

interface Workload extends KubeObject {
  readonly spec?: object;
  readonly status?: { readonly conditions?: readonly { readonly type: string }[] };
}

/** `spec` needs nothing at first, then `change` wants something new in the namespace. */
const rows: [
  kind: string,
  group: string,
  resource: string,
  of: { spec: object; change: JsonObject; says?: string },
][] = [
  [
    'ReplicationController',
    '',
    'replicationcontrollers',
    { spec: { replicas: 0, selector: labels, template }, change: { replicas: 3 } },
  ],
  [
    'ReplicaSet',
    'apps',
    'replicasets',
    { spec: { replicas: 0, selector, template }, change: { replicas: 3 } },
  ],
  [
    'Deployment',
    'apps',
    'deployments',
    {
      spec: { replicas: 0, selector, template },
      change: { template: { spec: { containers: [{ name: 'c', image: 'app:2' }] } } },
      says: 'Available Progressing',
    },
  ],
  [
    'StatefulSet',
    'apps',
    'statefulsets',
    { spec: { replicas: 0, selector, template }, change: { replicas: 3 } },
  ],
  [
    'DaemonSet',
    'apps',
    'daemonsets',
    {
      spec: {
        selector,
        template: { ...template, spec: { ...podSpec, nodeSelector: { is: 'no' } } },
      },
      change: { template: { spec: { nodeSelector: null } } },
    },
  ],
  [
    'Job',
    'batch',
    'jobs',
    { spec: { ...run, suspend: true }, change: { suspend: false }, says: 'Suspended' },
  ],
  [
    'CronJob',
    'batch',
    'cronjobs',
    {
      spec: { schedule: '* * * * *', suspend: true, jobTemplate: { spec: run } },
      change: { suspend: false },
    },
  ],
];

for (const [kind, group, resource, { spec, change, says = '' }] of rows)
  test(`a ${kind} does not insist in a namespace that takes nothing new`, async (t) => {
    const { client, namespaces, clock, warnings } = await simulateCluster(t, {
      controllers: ['*', '-namespace-controller'],
    });
    await client.resource(core('nodes')).create({ metadata: { name: 'n' } });
    await namespaces.create({ metadata: { name: 'leaving' } });
    const workloads = client.resource<Workload>({ group, version: 'v1', resource });
    const there = workloads.namespace('leaving');
    await there.create({ metadata: { name: 'x' }, spec });
    await clock.advance(5_000);
    await namespaces.delete('leaving');
    await there.patch('x', 'strategic', { spec: change });
    await clock.advance(70_000);
    const pods = client.resource(core('pods')).namespace('leaving');
    assert.deepEqual((await pods.list()).items, []);
    const { status, metadata } = await there.get('x');
    const types = (status?.conditions ?? []).map(({ type }) => type);
    assert.equal(types.toSorted().join(' '), says);
    await clock.advance(600_000);
    const { resourceVersion } = (await there.get('x')).metadata;
    assert.equal(resourceVersion, metadata.resourceVersion);
    const complaints = warnings.filter((warning) => warning.startsWith(`${kind} not`));
    assert.deepEqual(complaints, []);
  });
