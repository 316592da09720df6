import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStoppedClock, createTestObjects } from '../authentication/testing.ts';
import { createFeatures } from '../features/create-features.ts';
import { createMetrics } from '../metrics.ts';
import {
  createPodSecurityMetrics,
  createTimedAdmission,
  withAdmissionMetrics,
} from './admission-metrics.ts';
import type { AdmissionPlugin } from './admission.ts';
import { createAlwaysDeny } from './plugins/always-deny.ts';
import { createPodSecurity } from './plugins/pod-security.ts';
import { createPriority } from './plugins/priority.ts';
import { admit, createTestAttributes } from './testing.ts';

const linesOf = (text: string, name: string) =>
  text.split('\n').filter((line) => line.startsWith(`${name}{`));
const pod = (spec: object) => ({ metadata: { name: 'web' }, spec });

test('plugins are timed in both phases, refusals are told apart', async () => {
  const metrics = createMetrics();
  const clock = createStoppedClock(0);
  const [priority, deny] = withAdmissionMetrics(
    [createPriority(createTestObjects()), createAlwaysDeny()],
    metrics,
    clock,
  );
  assert.ok(priority && deny);
  assert.equal(await admit(priority, createTestAttributes({ object: pod({}) })), undefined);
  assert.match((await admit(deny, createTestAttributes())) ?? '', /denying all/);
  assert.equal(priority.handles('DELETE'), false);
  const name = 'apiserver_admission_controller_admission_duration_seconds_count';
  assert.deepEqual(linesOf(metrics.render(), name), [
    `${name}{name="Priority",operation="CREATE",rejected="false",type="admit"} 1`,
    `${name}{name="Priority",operation="CREATE",rejected="false",type="validate"} 1`,
    `${name}{name="AlwaysDeny",operation="CREATE",rejected="true",type="admit"} 1`,
  ]);
});

test('a plugin without a phase has none afterwards', () => {
  const plugins = [{ name: 'Empty', handles: () => true }];
  const [empty] = withAdmissionMetrics(plugins, createMetrics(), createStoppedClock(0));
  assert.deepEqual([empty?.mutate, empty?.validate], [undefined, undefined]);
});

test('phases are timed as a whole, the second pass with the first', async () => {
  const metrics = createMetrics();
  const clock = createStoppedClock(0);
  let passes = 0;
  const slow: AdmissionPlugin = {
    name: 'Slow',
    handles: (operation) => operation !== 'CONNECT',
    mutate(_attributes, reinvocation) {
      passes++;
      clock.nowMs += 100;
      reinvocation?.require();
    },
    validate({ operation }) {
      clock.nowMs += 2_000;
      if (operation === 'DELETE') throw new Error('no');
    },
  };
  const chain = createTimedAdmission([slow], metrics, clock);
  await chain.mutate(createTestAttributes());
  await chain.validate(createTestAttributes());
  await assert.rejects(chain.validate(createTestAttributes({ operation: 'DELETE' })), /no/);
  assert.equal(passes, 2);
  assert.deepEqual([chain.handles('CREATE'), chain.handles('CONNECT')], [true, false]);
  const name = 'apiserver_admission_step_admission_duration_seconds';
  const text = metrics.render();
  const admitted = 'operation="CREATE",rejected="false",type="admit"';
  const validated = 'operation="CREATE",rejected="false",type="validate"';
  const refused = 'operation="DELETE",rejected="true",type="validate"';
  assert.deepEqual(linesOf(text, `${name}_bucket`).slice(0, 3), [
    `${name}_bucket{${admitted},le="0.005"} 0`,
    `${name}_bucket{${admitted},le="0.025"} 0`,
    `${name}_bucket{${admitted},le="0.1"} 0`,
  ]);
  for (const family of [name, `${name}_summary`]) {
    assert.deepEqual(linesOf(text, `${family}_sum`), [
      `${family}_sum{${admitted}} 0.2`,
      `${family}_sum{${validated}} 2`,
      `${family}_sum{${refused}} 2`,
    ]);
    assert.equal(linesOf(text, `${family}_count`).length, 3);
  }
  assert.match(text, new RegExp(`# TYPE ${name}_summary summary\n${name}_summary_sum`));
});

test('decisions of PodSecurity are counted', async () => {
  const metrics = createMetrics();
  const label = 'pod-security.kubernetes.io/';
  const plugin = createPodSecurity({
    namespaces: createTestObjects([
      { metadata: { name: 'shop', labels: { [`${label}enforce`]: 'baseline' } } },
      { metadata: { name: 'bad', labels: { [`${label}warn`]: 'nope' } } },
    ]),
    pods: createTestObjects(),
    features: createFeatures(),
    clock: createStoppedClock(0),
    configuration: {
      defaults: {
        enforce: 'privileged',
        'enforce-version': 'latest',
        audit: 'privileged',
        'audit-version': 'latest',
        warn: 'privileged',
        'warn-version': 'latest',
      },
      exemptions: { usernames: ['root'], namespaces: [], runtimeClasses: [] },
    },
    observe: createPodSecurityMetrics(metrics, 36),
  });
  const bad = { object: pod({ hostPID: true, containers: [] }) };
  await admit(plugin, createTestAttributes(bad));
  await admit(plugin, createTestAttributes({ ...bad, userName: 'root' }));
  await admit(plugin, createTestAttributes({ ...bad, namespace: 'bad' }));
  const text = metrics.render();
  const about = 'request_operation="create",resource="pod",subresource=""';
  const counted = (decision: string, level: string) =>
    `pod_security_evaluations_total{decision="${decision}",mode="enforce",policy_level="${level}",` +
    `policy_version="latest",${about}}`;
  assert.deepEqual(
    linesOf(text, 'pod_security_evaluations_total').filter((line) => line.includes('create')),
    [`${counted('allow', 'privileged')} 1`, `${counted('deny', 'baseline')} 1`],
  );
  assert.deepEqual(linesOf(text, 'pod_security_exemptions_total'), [
    `pod_security_exemptions_total{${about}} 1`,
  ]);
  assert.deepEqual(linesOf(text, 'pod_security_errors_total'), [
    `pod_security_errors_total{fatal="false",${about}} 1`,
  ]);
});
