// PodGroupProtection, PodGroupWorkloadExists and JobValidation.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import { createTestObjects } from '../../authentication/testing.ts';
import { createFeatures } from '../../features/create-features.ts';
import { admit, createTestAttributes } from '../testing.ts';
import { createJobValidation } from './job-validation.ts';
import { createPodGroupProtection } from './pod-group-protection.ts';
import { createPodGroupWorkloadExists } from './pod-group-workload-exists.ts';

const on = createFeatures({ featureGates: { GenericWorkload: true, WorkloadWithJob: true } });
const off = createFeatures();
const about = { group: 'scheduling.k8s.io', resource: 'podgroups', namespace: 'shop' };
const finalizer = 'scheduling.k8s.io/podgroup-protection';

test('PodGroupProtection', async () => {
  const rows: readonly [
    where: object,
    finalizers: string[] | undefined,
    after: string[] | undefined,
  ][] = [
    [about, undefined, [finalizer]],
    [about, ['a'], ['a', finalizer]],
    [about, [finalizer], [finalizer]],
    [{ ...about, resource: 'workloads' }, undefined, undefined],
  ];
  for (const [where, finalizers, after] of rows) {
    const metadata = finalizers === undefined ? {} : { finalizers };
    const attributes = createTestAttributes({ ...where, object: { metadata } });
    await admit(createPodGroupProtection(on), attributes);
    assert.deepEqual(attributes.object?.metadata.finalizers, after);
  }
  assert.ok(!createPodGroupProtection(off).handles('CREATE'));
  assert.ok(!createPodGroupProtection(on).handles('UPDATE'));
});

test('PodGroupWorkloadExists', async () => {
  const spec = { podGroupTemplates: [{ name: 't' }] };
  const workload = (name: string, more: object = {}) => ({
    metadata: { name, namespace: 'shop', ...more },
    spec,
  });
  const plugin = createPodGroupWorkloadExists(
    createTestObjects([
      workload('w'),
      workload('going', { deletionTimestamp: '2024-01-01T00:00:00Z' }),
      { metadata: { name: 'elsewhere', namespace: 'other' }, spec },
    ]),
    on,
  );
  const refused = (why: string) =>
    `podgroups.scheduling.k8s.io "g" is forbidden: PodGroup rejected: ${why}`;
  const rows: readonly [
    workloadName: string | undefined,
    template: string,
    message: string | undefined,
  ][] = [
    [undefined, '', undefined],
    ['w', 't', undefined],
    ['absent', 't', refused('Workload "absent" not found')],
    ['elsewhere', 't', refused('Workload "elsewhere" not found')],
    ['going', 't', refused('Workload "going" is being deleted')],
    ['w', 'u', refused('PodGroupTemplate "u" not found in Workload "w"')],
  ];
  for (const [workloadName, podGroupTemplateName, message] of rows) {
    const podGroupTemplateRef =
      workloadName === undefined ? null : { workload: { workloadName, podGroupTemplateName } };
    const object = { metadata: { name: 'g' }, spec: { podGroupTemplateRef } };
    assert.equal(
      await admit(plugin, createTestAttributes({ ...about, name: 'g', object })),
      message,
    );
  }
  assert.ok(!createPodGroupWorkloadExists(createTestObjects([]), off).handles('CREATE'));
});

test('JobValidation', async () => {
  const group = (name: string, schedulingPolicy: object, owner?: string) => ({
    metadata: {
      name,
      namespace: 'shop',
      ...(owner && {
        ownerReferences: [
          { controller: true, uid: owner, kind: 'Job', name: 'j', apiVersion: 'batch/v1' },
        ],
      }),
    },
    spec: { schedulingPolicy },
  });
  const gang = { gang: { minCount: 2 } };
  const groups = createTestObjects([
    group('gang', gang),
    group('loose', { basic: {} }),
    group('owned', gang, 'owner'),
  ]);
  const plugin = createJobValidation(groups, on);
  const job = (parallelism: number, podGroupName?: string, uid = 'u') => ({
    metadata: { name: 'j', uid },
    spec: {
      parallelism,
      template: { spec: podGroupName === undefined ? {} : { schedulingGroup: { podGroupName } } },
    },
  });
  const refused = (name: string) =>
    `jobs.batch "j" is forbidden: cannot change parallelism for a Job referencing gang-scheduled PodGroup "${name}"`;
  const rows: readonly [
    before: KubeObject,
    after: KubeObject,
    message: string | undefined,
    subresource?: string,
  ][] = [
    [job(1, 'gang'), job(2, 'gang'), refused('gang')],
    [job(1, 'gang'), job(1, 'gang'), undefined],
    [job(1, 'loose'), job(2, 'loose'), undefined],
    [job(1, 'absent'), job(2, 'absent'), undefined],
    [job(1, undefined, 'owner'), job(2, undefined, 'owner'), refused('owned')],
    [job(1), job(2), undefined],
    [job(1, 'gang'), job(2, 'gang'), undefined, 'status'],
  ];
  for (const [oldObject, object, message, subresource = ''] of rows) {
    const request = {
      group: 'batch',
      resource: 'jobs',
      namespace: 'shop',
      name: 'j',
      operation: 'UPDATE',
      subresource,
      object,
      oldObject,
    } as const;
    assert.equal(await admit(plugin, createTestAttributes(request)), message);
  }
  for (const gates of [{ GenericWorkload: true }, { WorkloadWithJob: true }]) {
    const features = { ...off, enabled: (gate: string) => gate in gates };
    assert.ok(!createJobValidation(groups, features).handles('UPDATE'));
  }
});
