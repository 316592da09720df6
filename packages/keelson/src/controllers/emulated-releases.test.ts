// What controllers do differently by release: as the feature gates of the emulated one say.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ReplicaSet, StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type { CronJob, Job } from '@keelson/apimachinery/types/batch.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import type { ClusterOptions } from '../create-cluster.ts';
import { core, simulateCluster } from '../testing/simulated-cluster.ts';

const apps = (resource: string) => ({ group: 'apps', version: 'v1', resource });
const batch = (resource: string) => ({ group: 'batch', version: 'v1', resource });
const labels = { app: 'web' };
const selector = { matchLabels: labels };
const containers = [{ name: 'c', image: 'i' }];
const template = { metadata: { labels }, spec: { containers } };
const jobSpec = { template: { spec: { containers, restartPolicy: 'Never' } } };

async function onlyPod(client: Client): Promise<Pod> {
  const { items } = await client.resource<Pod>(core('pods')).namespace('default').list();
  assert.equal(items.length, 1);
  return items[0] as Pod;
}

interface Behaviour {
  readonly what: string;
  act(client: Client): Promise<unknown>;
  see(client: Client): Promise<unknown>;
  /** By release, or by what its gates are set to. */
  readonly sees: readonly (readonly [ClusterOptions, unknown])[];
}

const release = (emulatedVersion: string): ClusterOptions => ({ emulatedVersion });
const indexKey = 'batch.kubernetes.io/job-completion-index';

const behaviours: readonly Behaviour[] = [
  {
    what: 'the ordinal of a StatefulSet’s pod is a label',
    act: (client) =>
      client
        .resource<StatefulSet>(apps('statefulsets'))
        .namespace('default')
        .create({ metadata: { name: 's' }, spec: { selector, template, serviceName: 's' } }),
    see: async (client) =>
      (await onlyPod(client)).metadata.labels?.['apps.kubernetes.io/pod-index'],
    sees: [
      [release('1.26'), undefined],
      [release('1.27'), undefined],
      [release('1.28'), '0'],
      [{ emulatedVersion: '1.28', featureGates: { PodIndexLabel: false } }, undefined],
      [release('1.36'), '0'],
    ],
  },
  {
    what: 'the index of a Job’s pod is a label, and its variable reads that',
    act: (client) =>
      client
        .resource<Job>(batch('jobs'))
        .namespace('default')
        .create({
          metadata: { name: 'j' },
          spec: { ...jobSpec, completionMode: 'Indexed', completions: 1 },
        }),
    async see(client) {
      const { metadata, spec } = await onlyPod(client);
      const path = spec.containers?.[0]?.env?.[0]?.valueFrom?.fieldRef?.fieldPath;
      const annotation = metadata.annotations?.[indexKey];
      return { label: metadata.labels?.[indexKey], annotation, path };
    },
    sees: [
      [
        release('1.27'),
        { label: undefined, annotation: '0', path: `metadata.annotations['${indexKey}']` },
      ],
      [release('1.28'), { label: '0', annotation: '0', path: `metadata.labels['${indexKey}']` }],
      [release('1.36'), { label: '0', annotation: '0', path: `metadata.labels['${indexKey}']` }],
    ],
  },
  {
    what: 'a CronJob’s Job says for when it was planned',
    act: (client) =>
      client
        .resource<CronJob>(batch('cronjobs'))
        .namespace('default')
        .create({
          metadata: { name: 'c' },
          spec: { schedule: '* * * * *', jobTemplate: { spec: jobSpec } },
        }),
    async see(client) {
      const { items } = await client.resource<Job>(batch('jobs')).namespace('default').list();
      const key = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
      return items.map(({ metadata }) => metadata.annotations?.[key] !== undefined);
    },
    sees: [
      [release('1.27'), [false]],
      [release('1.28'), [true]],
      [release('1.36'), [true]],
    ],
  },
  {
    what: 'a Job counts its pods on their way out',
    act: (client) =>
      client
        .resource<Job>(batch('jobs'))
        .namespace('default')
        .create({ metadata: { name: 'j' }, spec: jobSpec }),
    see: async (client) =>
      (await client.resource<Job>(batch('jobs')).namespace('default').get('j')).status?.terminating,
    sees: [
      [release('1.28'), undefined],
      [release('1.29'), 0],
      [release('1.36'), 0],
    ],
  },
  {
    what: 'a ReplicaSet counts its pods on their way out',
    act: (client) =>
      client
        .resource<ReplicaSet>(apps('replicasets'))
        .namespace('default')
        .create({ metadata: { name: 'r' }, spec: { selector, template } }),
    see: async (client) =>
      (await client.resource<ReplicaSet>(apps('replicasets')).namespace('default').get('r')).status
        ?.terminatingReplicas,
    sees: [
      [release('1.32'), undefined],
      [release('1.34'), undefined],
      [release('1.35'), 0],
      [release('1.36'), 0],
    ],
  },
];

for (const { what, act, see, sees } of behaviours)
  describe(what, () => {
    for (const [options, expected] of sees)
      it(`${JSON.stringify(options)}: ${JSON.stringify(expected)}`, async (t) => {
        const { client, clock, warnings } = await simulateCluster(t, options);
        await act(client);
        await clock.advance(70_000);
        assert.deepEqual(await see(client), expected);
        assert.deepEqual(warnings, []);
      });
  });
