import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../generated/types/core.v1.ts';
import { parseQuantity } from '../quantity.ts';
import { isBestEffort, podLimits, podRequests } from './pod-resources.ts';
import { formatResourceList } from './resource-list.ts';

const container = (name: string, cpu: string, extra: object = {}) => ({
  name,
  resources: { requests: { cpu }, limits: { cpu } },
  ...extra,
});
const pod = (spec: object, status: object = {}) =>
  ({ metadata: { name: 'p' }, spec: { containers: [], ...spec }, status }) as unknown as Pod;
const plain = { podLevel: true };

test('requests are what runs together, or the most hungry moment of the start', () => {
  const sidecar = { restartPolicy: 'Always' };
  const rows: [spec: object, expected: string][] = [
    [{}, ''],
    [{ containers: [container('a', '1'), container('b', '500m')] }, 'cpu=1500m'],
    [{ containers: [container('a', '1')], initContainers: [container('i', '3')] }, 'cpu=3'],
    [
      {
        containers: [container('a', '1')],
        initContainers: [container('s', '1', sidecar), container('i', '2')],
      },
      'cpu=3',
    ],
    [
      {
        containers: [container('a', '1')],
        initContainers: [container('i', '2'), container('s', '1', sidecar)],
      },
      'cpu=2',
    ],
    [
      { containers: [container('a', '1')], resources: { requests: { cpu: '5', pods: '7' } } },
      'cpu=5',
    ],
  ];
  for (const [spec, expected] of rows)
    assert.equal(formatResourceList(podRequests(pod(spec), plain)), expected);
});

test('the overhead comes on top of requests, and of limits that are there', () => {
  const withOverhead = pod({
    containers: [container('a', '1')],
    overhead: { cpu: '10m', memory: '1Mi' },
  });
  const options = { podLevel: true, overhead: true };
  assert.equal(formatResourceList(podRequests(withOverhead, options)), 'cpu=1010m,memory=1Mi');
  assert.equal(formatResourceList(podLimits(withOverhead, options)), 'cpu=1010m');
  assert.equal(formatResourceList(podRequests(withOverhead, plain)), 'cpu=1');
});

test('pod level resources count only with their gate', () => {
  const own = pod({ containers: [container('a', '1')], resources: { requests: { cpu: '5' } } });
  assert.equal(formatResourceList(podRequests(own, { podLevel: false })), 'cpu=1');
});

test('what containers do not ask for can be assumed, container by container', () => {
  const assumed = new Map([['cpu', parseQuantity('100m')]]);
  const rows: [spec: object, expected: string][] = [
    [{ containers: [{ name: 'a' }, container('b', '1')] }, 'cpu=1100m'],
    [{ containers: [container('a', '0')] }, 'cpu=0'],
    [{ containers: [container('a', '1')], initContainers: [{ name: 'i' }] }, 'cpu=1'],
    [{ containers: [{ name: 'a' }], initContainers: [container('i', '300m')] }, 'cpu=300m'],
    [
      { containers: [{ name: 'a' }], initContainers: [{ name: 's', restartPolicy: 'Always' }] },
      'cpu=200m',
    ],
    [{ containers: [{ name: 'a' }], resources: { requests: { cpu: '5' } } }, 'cpu=5'],
  ];
  for (const [spec, expected] of rows)
    assert.equal(formatResourceList(podRequests(pod(spec), { ...plain, assumed })), expected);
});

test('while a pod as a whole is resized, the larger of wanted and actual counts', () => {
  const whole = (cpu: string, status: object) =>
    pod({ containers: [container('a', '1')], resources: { requests: { cpu } } }, status);
  const has = { resources: { requests: { cpu: '5' } }, allocatedResources: { cpu: '6' } };
  const infeasible = [{ type: 'PodResizePending', status: 'True', reason: 'Infeasible' }];
  const rows: [pod: Pod, expected: string][] = [
    [whole('2', {}), 'cpu=2'],
    [whole('2', has), 'cpu=6'],
    [whole('9', has), 'cpu=9'],
    [whole('9', { ...has, conditions: infeasible }), 'cpu=6'],
    [pod({ containers: [container('a', '1')] }, has), 'cpu=1'],
  ];
  for (const [subject, expected] of rows)
    assert.equal(formatResourceList(podRequests(subject, { ...plain, status: true })), expected);
  assert.equal(formatResourceList(podRequests(whole('2', has), plain)), 'cpu=2');
});

test('during a resize the larger of wanted and actual counts', () => {
  const actual = (cpu: string) => ({ name: 'a', resources: { requests: { cpu } } });
  const shrinking = pod(
    { containers: [container('a', '1')] },
    { containerStatuses: [actual('2')] },
  );
  const options = { podLevel: true, status: true };
  assert.equal(formatResourceList(podRequests(shrinking, options)), 'cpu=2');
  assert.equal(formatResourceList(podRequests(shrinking, plain)), 'cpu=1');
  const infeasible = pod(
    { containers: [container('a', '9')] },
    {
      containerStatuses: [actual('2')],
      conditions: [{ type: 'PodResizePending', status: 'True', reason: 'Infeasible' }],
    },
  );
  assert.equal(formatResourceList(podRequests(infeasible, options)), 'cpu=2');
});

test('best effort is who asks for no processor time and no memory', () => {
  const rows: [pod: Pod, expected: boolean][] = [
    [pod({ containers: [{ name: 'a' }] }), true],
    [pod({ containers: [container('a', '1m')] }), false],
    [pod({ containers: [container('a', '0')] }), true],
    [pod({ initContainers: [container('a', '1')] }), false],
    [pod({ containers: [{ name: 'a', resources: { limits: { memory: '1' } } }] }), false],
    [pod({ containers: [{ name: 'a', resources: { requests: { 'x.io/y': '1' } } }] }), true],
    [pod({ containers: [{ name: 'a' }] }, { qosClass: 'Burstable' }), false],
    [pod({ containers: [{ name: 'a' }], resources: { requests: { cpu: '1' } } }), false],
  ];
  for (const [subject, expected] of rows)
    assert.equal(isBestEffort(subject, true), expected, JSON.stringify(subject));
});
