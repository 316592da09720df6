import { formatResourceList, type GroupResource, type KubeObject } from '@keelson/apimachinery';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStoppedClock, createTestObjects } from '../../../authentication/testing.ts';
import { createFeatures } from '../../../features/create-features.ts';
import { createTestAttributes, type TestRequest } from '../../testing.ts';
import type { QuotaScope } from './evaluator.ts';
import { createQuotaEvaluators } from './evaluators.ts';

const now = Date.parse('2024-01-01T00:00:00Z');
const deviceClasses = createTestObjects([
  { metadata: { name: 'gpu' }, spec: { extendedResourceName: 'example.com/gpu' } },
  { metadata: { name: 'nic' }, spec: {} },
]);
const owningPod: KubeObject = {
  metadata: { name: 'web', namespace: 'shop', uid: 'u1' },
  spec: { containers: [{ name: 'c', resources: { requests: { 'example.com/gpu': '2' } } }] },
};
const evaluatorsOf = (version = '1.36') =>
  createQuotaEvaluators({
    sources: { deviceClasses, pods: createTestObjects([owningPod]) },
    features: createFeatures({ emulatedVersion: version }),
    clock: createStoppedClock(now),
  });
function evaluatorOf(resource: string, group = '', version?: string) {
  const evaluator = evaluatorsOf(version).evaluatorOf({ group, resource });
  assert.ok(evaluator);
  return evaluator;
}
const usage = (resource: string, object: KubeObject, group = '', version?: string) =>
  formatResourceList(evaluatorOf(resource, group, version).usage(object));

test('some resources have no quota', () => {
  const rows: [resource: GroupResource, counted: boolean][] = [
    [{ group: '', resource: 'events' }, false],
    [{ group: 'events.k8s.io', resource: 'events' }, false],
    [{ group: '', resource: 'bindings' }, false],
    [{ group: 'authorization.k8s.io', resource: 'localsubjectaccessreviews' }, false],
    [{ group: '', resource: 'pods' }, true],
    [{ group: 'example.com', resource: 'events' }, true],
  ];
  for (const [resource, counted] of rows)
    assert.equal(evaluatorsOf().evaluatorOf(resource) !== undefined, counted);
});

test('objects are counted under the name of their resource', () => {
  const object = { metadata: {} };
  assert.equal(usage('configmaps', object), 'configmaps=1,count/configmaps=1');
  assert.equal(usage('widgets', object, 'example.com'), 'count/widgets.example.com=1');
  const evaluator = evaluatorOf('deployments', 'apps');
  const names = ['count/deployments.apps', 'count/deployments', 'deployments', 'pods'];
  assert.deepEqual(evaluator.matchingNames(names), ['count/deployments.apps']);
  const rows: [request: TestRequest, handled: boolean][] = [
    [{}, true],
    [{ operation: 'UPDATE' }, false],
    [{ subresource: 'scale' }, false],
  ];
  for (const [request, handled] of rows)
    assert.equal(evaluator.handles(createTestAttributes(request)), handled);
});

test('services', () => {
  const service = (spec: object) => ({ metadata: {}, spec });
  const ports = [{ port: 1 }, { port: 2, nodePort: 30001 }];
  const rows: [spec: object, loadBalancers: number, nodePorts: number][] = [
    [{ type: 'ClusterIP', ports }, 0, 0],
    [{ type: 'NodePort', ports }, 0, 2],
    [{ type: 'LoadBalancer', ports }, 1, 2],
    [{ type: 'LoadBalancer', ports, allocateLoadBalancerNodePorts: false }, 1, 1],
    [{ type: 'ExternalName' }, 0, 0],
  ];
  for (const [spec, loadBalancers, nodePorts] of rows)
    assert.equal(
      usage('services', service(spec)),
      `count/services=1,services=1,services.loadbalancers=${loadBalancers},` +
        `services.nodeports=${nodePorts}`,
    );
});

test('claims', () => {
  const claim = (spec: object, status: object = {}, annotations: Record<string, string> = {}) => ({
    metadata: { annotations },
    spec,
    status,
  });
  const resources = { requests: { storage: '1500m' } };
  const counts = 'count/persistentvolumeclaims=1,';
  const rows: [object: KubeObject, version: string, expected: string][] = [
    [claim({}), '1.36', `${counts}persistentvolumeclaims=1`],
    [claim({ resources }), '1.36', `${counts}persistentvolumeclaims=1,requests.storage=2`],
    [
      claim({ resources, storageClassName: 'gold' }),
      '1.36',
      `${counts}gold.storageclass.storage.k8s.io/persistentvolumeclaims=1,` +
        'gold.storageclass.storage.k8s.io/requests.storage=2,persistentvolumeclaims=1,' +
        'requests.storage=2',
    ],
    [
      claim({ resources }, { allocatedResources: { storage: '3' } }),
      '1.36',
      `${counts}persistentvolumeclaims=1,requests.storage=3`,
    ],
    [
      claim({ resources }, { allocatedResources: { storage: '3' } }),
      '1.30',
      `${counts}persistentvolumeclaims=1,requests.storage=2`,
    ],
  ];
  for (const [object, version, expected] of rows)
    assert.equal(usage('persistentvolumeclaims', object, '', version), expected);
  const scope = { scopeName: 'VolumeAttributesClass', operator: 'In', values: ['fast'] };
  const evaluator = evaluatorOf('persistentvolumeclaims');
  assert.ok(evaluator.matchesScope(scope, claim({ volumeAttributesClassName: 'fast' })));
  assert.ok(evaluator.matchesScope(scope, claim({}, { currentVolumeAttributesClassName: 'fast' })));
  assert.ok(!evaluator.matchesScope(scope, claim({ volumeAttributesClassName: 'slow' })));
});

const pod = (spec: object, status: object = {}, metadata: object = {}): KubeObject => ({
  metadata: { name: 'p', ...metadata },
  spec: { containers: [{ name: 'c' }], ...spec },
  status,
});
const asking = (requests: object, limits: object = {}) => ({
  containers: [{ name: 'c', resources: { requests, limits } }],
});

test('pods that live are charged for what they ask, dead ones only for being there', () => {
  const resources = asking({ cpu: '1', 'hugepages-2Mi': '4Mi', 'x.io/y': '3' }, { memory: '1Gi' });
  const all =
    'count/pods=1,cpu=1,hugepages-2Mi=4Mi,limits.memory=1Gi,pods=1,requests.cpu=1,' +
    'requests.hugepages-2Mi=4Mi,requests.x.io/y=3';
  const dying = (secondsAgo: number) => ({
    deletionTimestamp: new Date(now - secondsAgo * 1000).toISOString(),
    deletionGracePeriodSeconds: 30,
  });
  const rows: [object: KubeObject, expected: string][] = [
    [pod({}), 'count/pods=1,pods=1'],
    [pod(resources), all],
    [pod(resources, { phase: 'Running' }), all],
    [pod(resources, { phase: 'Failed' }), 'count/pods=1'],
    [pod(resources, { phase: 'Succeeded' }), 'count/pods=1'],
    [pod(resources, {}, dying(30)), all],
    [pod(resources, {}, dying(31)), 'count/pods=1'],
    [
      pod({ ...asking({ cpu: '1' }), overhead: { cpu: '10m' } }),
      'count/pods=1,cpu=1010m,pods=1,requests.cpu=1010m',
    ],
  ];
  for (const [object, expected] of rows) assert.equal(usage('pods', object), expected);
});

test('names that count pods', () => {
  const yes = [
    'count/pods',
    'pods',
    'cpu',
    'limits.memory',
    'requests.ephemeral-storage',
    'hugepages-1Gi',
    'requests.hugepages-1Gi',
    'requests.x.io/y',
    'requests.deviceclass.resource.kubernetes.io/gpu',
  ];
  const no = [
    'services',
    'x.io/y',
    'limits.x.io/y',
    'requests.storage',
    'requests.kubernetes.io/x',
  ];
  assert.deepEqual(evaluatorOf('pods').matchingNames([...yes, ...no]), yes);
});

test('containers must say how much processor time and memory they want', () => {
  const evaluator = evaluatorOf('pods');
  const names = ['limits.cpu', 'pods', 'requests.memory', 'limits.ephemeral-storage'];
  const rows: [spec: object, why: string | undefined][] = [
    [asking({ memory: '1' }, { cpu: '1' }), undefined],
    [
      { containers: [{ name: 'd' }, { name: 'c' }], initContainers: [{ name: 'i' }] },
      'must specify limits.cpu for: c,d,i; requests.memory for: c,d,i',
    ],
    [asking({ memory: '1' }), 'must specify limits.cpu for: c'],
    [{ resources: { requests: { cpu: '1' } } }, undefined],
  ];
  for (const [spec, why] of rows) assert.equal(evaluator.missing?.(names, pod(spec)), why);
  const before = evaluatorOf('pods', '', '1.31');
  assert.equal(
    before.missing?.(['limits.cpu'], pod({ resources: { requests: { cpu: '1' } } })),
    'must specify limits.cpu for: c',
  );
});

test('when pods are counted', () => {
  const rows: [request: TestRequest, handled: boolean][] = [
    [{ object: pod({}) }, true],
    [{ subresource: 'binding' }, false],
    [{ operation: 'UPDATE', object: pod({}), oldObject: pod({}) }, false],
    [{ operation: 'UPDATE', object: pod({ activeDeadlineSeconds: 5 }), oldObject: pod({}) }, true],
    [{ operation: 'UPDATE', subresource: 'resize', object: pod({}), oldObject: pod({}) }, true],
    [{ operation: 'UPDATE', subresource: 'status', object: pod({}), oldObject: pod({}) }, false],
    [{ operation: 'DELETE' }, false],
  ];
  for (const [request, handled] of rows)
    assert.equal(evaluatorOf('pods').handles(createTestAttributes(request)), handled);
});

test('scopes of pods', () => {
  const exists = (scopeName: string): QuotaScope => ({ scopeName, operator: 'Exists' });
  const priority = (operator: string, ...values: string[]): QuotaScope => ({
    scopeName: 'PriorityClass',
    operator,
    values,
  });
  const affine = (term: object) => ({
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
  });
  const preferred = {
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, podAffinityTerm: { topologyKey: 'k', namespaces: ['x'] } },
        ],
      },
    },
  };
  const high = { priorityClassName: 'high' };
  const rows: [scope: QuotaScope, spec: object, expected: boolean][] = [
    [exists('Terminating'), { activeDeadlineSeconds: 0 }, true],
    [exists('Terminating'), {}, false],
    [exists('NotTerminating'), {}, true],
    [exists('BestEffort'), {}, true],
    [exists('BestEffort'), asking({ cpu: '1' }), false],
    [exists('NotBestEffort'), asking({ cpu: '1' }), true],
    [priority('Exists'), high, true],
    [priority('Exists'), {}, false],
    [priority('DoesNotExist'), {}, true],
    [priority('In', 'high'), high, true],
    [priority('In', 'low'), high, false],
    [priority('NotIn', 'low'), high, true],
    [priority('NotIn', 'low'), {}, true],
    [exists('CrossNamespacePodAffinity'), affine({ topologyKey: 'k' }), false],
    [exists('CrossNamespacePodAffinity'), affine({ namespaceSelector: {} }), true],
    [exists('CrossNamespacePodAffinity'), preferred, true],
    [exists('Unheard'), {}, false],
  ];
  for (const [scope, spec, expected] of rows)
    assert.equal(
      evaluatorOf('pods').matchesScope(scope, pod(spec)),
      expected,
      JSON.stringify([scope, spec]),
    );
});

test('claims of devices', () => {
  const claim = (requests: object[], metadata: object = {}): KubeObject => ({
    metadata: { name: 'c', namespace: 'shop', ...metadata },
    spec: { devices: { requests } },
  });
  const exactly = (deviceClassName: string, count: number, allocationMode = 'ExactCount') => ({
    deviceClassName,
    allocationMode,
    count,
  });
  const made = (uid: string) => ({
    annotations: { 'resource.kubernetes.io/extended-resource-claim': 'true' },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web', uid, controller: true }],
  });
  const count = 'count/resourceclaims.resource.k8s.io=1';
  const of = (name: string, n: number) => `${name}.deviceclass.resource.k8s.io/devices=${n}`;
  const implicit = (name: string, n: number) =>
    `requests.deviceclass.resource.kubernetes.io/${name}=${n}`;
  const explicit = (n: number) => `requests.example.com/gpu=${n}`;
  const two = [{ exactly: exactly('gpu', 2) }];
  const rows: [object: KubeObject, version: string, expected: string[]][] = [
    [claim([]), '1.36', [count]],
    [claim(two), '1.35', [count, of('gpu', 2)]],
    [claim(two), '1.36', [count, of('gpu', 2), implicit('gpu', 2), explicit(2)]],
    [claim([{ exactly: exactly('nic', 0, 'All') }]), '1.35', [count, of('nic', 32)]],
    [claim([{ exactly: exactly('nic', 5, 'Odd') }]), '1.35', [count]],
    [
      claim([{ firstAvailable: [exactly('nic', 1), exactly('gpu', 4), exactly('nic', 3)] }]),
      '1.35',
      [count, of('gpu', 4), of('nic', 3)],
    ],
    [claim([...two, { exactly: exactly('gpu', 1) }]), '1.35', [count, of('gpu', 3)]],
    [claim(two, made('u1')), '1.36', [count, of('gpu', 2), implicit('gpu', 2)]],
    [claim(two, made('another')), '1.36', [count, of('gpu', 2), implicit('gpu', 2), explicit(2)]],
  ];
  for (const [object, version, expected] of rows)
    assert.equal(usage('resourceclaims', object, 'resource.k8s.io', version), expected.join(','));
});
