// DefaultTolerationSeconds, ExtendedResourceToleration, LimitPodHardAntiAffinityTopology and
// TaintNodesByCondition.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import type { Toleration } from '@keelson/apimachinery/types/core.v1';
import { admit, createTestAttributes } from '../testing.ts';
import { createDefaultTolerationSeconds } from './default-toleration-seconds.ts';
import { createExtendedResourceToleration } from './extended-resource-toleration.ts';
import { createLimitPodHardAntiAffinityTopology } from './limit-pod-hard-anti-affinity-topology.ts';
import { createTaintNodesByCondition } from './taint-nodes-by-condition.ts';

const pod = (spec: object): KubeObject => ({ metadata: { name: 'web' }, spec });
const tolerationsOf = (object: KubeObject | undefined) =>
  (object?.['spec'] as { tolerations?: Toleration[] } | undefined)?.tolerations;

const notReady = 'node.kubernetes.io/not-ready';
const unreachable = 'node.kubernetes.io/unreachable';
const evicted = (key: string, tolerationSeconds = 300) => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds,
});

test('DefaultTolerationSeconds', async () => {
  const other = { key: 'x', operator: 'Exists', effect: 'NoExecute' };
  const rows: [given: Toleration[] | undefined, expected: Toleration[]][] = [
    [undefined, [evicted(notReady), evicted(unreachable)]],
    [[other], [other, evicted(notReady), evicted(unreachable)]],
    [[evicted(notReady, 5)], [evicted(notReady, 5), evicted(unreachable)]],
    [[{ key: unreachable }], [{ key: unreachable }, evicted(notReady)]],
    [[{ operator: 'Exists' }], [{ operator: 'Exists' }]],
    [
      [{ operator: 'Exists', effect: 'NoSchedule' }],
      [{ operator: 'Exists', effect: 'NoSchedule' }, evicted(notReady), evicted(unreachable)],
    ],
  ];
  for (const operation of ['CREATE', 'UPDATE'] as const) {
    for (const [tolerations, expected] of rows) {
      const attributes = createTestAttributes({ operation, object: pod({ tolerations }) });
      assert.equal(await admit(createDefaultTolerationSeconds(), attributes), undefined);
      assert.deepEqual(tolerationsOf(attributes.object), expected);
    }
  }
  const own = createTestAttributes({ object: pod({}) });
  await admit(createDefaultTolerationSeconds({ notReadySeconds: 0, unreachableSeconds: 7 }), own);
  assert.deepEqual(tolerationsOf(own.object), [evicted(notReady, 0), evicted(unreachable, 7)]);
  const status = createTestAttributes({
    operation: 'UPDATE',
    subresource: 'status',
    object: pod({}),
  });
  await admit(createDefaultTolerationSeconds(), status);
  assert.equal(tolerationsOf(status.object), undefined);
});

test('a pod without a specification gets one, for validation to refuse', async () => {
  const attributes = createTestAttributes({ object: { metadata: { name: 'web' } } });
  assert.equal(await admit(createDefaultTolerationSeconds(), attributes), undefined);
  assert.equal(tolerationsOf(attributes.object)?.length, 2);
});

test('ExtendedResourceToleration', async () => {
  const asks = (...names: string[]) => ({
    resources: { requests: Object.fromEntries(names.map((name) => [name, '1'])) },
  });
  const tolerates = (key: string) => ({ key, operator: 'Exists', effect: 'NoSchedule' });
  const rows: [spec: object, expected: object[] | undefined][] = [
    [{ containers: [asks('cpu', 'hugepages-2Mi', 'kubernetes.io/x')] }, undefined],
    [
      { containers: [asks('b.io/y')], initContainers: [asks('a.io/x', 'b.io/y')] },
      [tolerates('a.io/x'), tolerates('b.io/y')],
    ],
    [{ containers: [asks('b.io/y')], tolerations: [tolerates('b.io/y')] }, [tolerates('b.io/y')]],
    [
      {
        containers: [asks('b.io/y')],
        tolerations: [{ ...tolerates('b.io/y'), tolerationSeconds: 3 }, { key: 'z' }],
      },
      [tolerates('b.io/y'), { key: 'z' }],
    ],
    [{ ephemeralContainers: [asks('b.io/y')] }, undefined],
  ];
  for (const [spec, expected] of rows) {
    const attributes = createTestAttributes({ object: pod(spec) });
    assert.equal(await admit(createExtendedResourceToleration(), attributes), undefined);
    assert.deepEqual(tolerationsOf(attributes.object), expected);
  }
});

test('LimitPodHardAntiAffinityTopology', async () => {
  const away = (kind: string, terms: object[]) =>
    pod({
      affinity: { podAntiAffinity: { [`${kind}DuringSchedulingIgnoredDuringExecution`]: terms } },
    });
  const host = { topologyKey: 'kubernetes.io/hostname' };
  const zone = { topologyKey: 'topology.kubernetes.io/zone' };
  const refusal =
    'pods "web" is forbidden: affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ' +
    'topology.kubernetes.io/zone but only key kubernetes.io/hostname is allowed';
  const rows: [object: KubeObject, message: string | undefined][] = [
    [pod({}), undefined],
    [away('required', [host]), undefined],
    [away('required', [host, zone]), refusal],
    [away('preferred', [{ weight: 1, podAffinityTerm: zone }]), undefined],
  ];
  for (const [object, message] of rows)
    assert.equal(
      await admit(createLimitPodHardAntiAffinityTopology(), createTestAttributes({ object })),
      message,
    );
});

test('TaintNodesByCondition', async () => {
  const taint = { key: notReady, effect: 'NoSchedule' };
  const rows: [node: object, expected: unknown][] = [
    [{}, { taints: [taint] }],
    [{ spec: { podCIDR: 'x' } }, { podCIDR: 'x', taints: [taint] }],
    [{ spec: { taints: [taint] } }, { taints: [taint] }],
    [
      { spec: { taints: [{ key: notReady, effect: 'NoExecute' }] } },
      { taints: [{ key: notReady, effect: 'NoExecute' }, taint] },
    ],
  ];
  for (const [node, expected] of rows) {
    const object = { metadata: { name: 'n' }, ...node };
    const attributes = createTestAttributes({ resource: 'nodes', namespace: '', object });
    assert.equal(await admit(createTaintNodesByCondition(), attributes), undefined);
    assert.deepEqual(attributes.object?.['spec'], expected);
  }
  const update = createTestAttributes({
    operation: 'UPDATE',
    resource: 'nodes',
    object: { metadata: { name: 'n' } },
  });
  await admit(createTaintNodesByCondition(), update);
  assert.equal(update.object?.['spec'], undefined);
});
