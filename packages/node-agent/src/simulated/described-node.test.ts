import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeDescriptionError, parseDescribedNode } from './described-node.ts';
import { defaultNodeShape } from './node-object.ts';

const { capacity } = defaultNodeShape;

test('what a description says, and what it leaves as it is', () => {
  for (const [text, name, shape] of [
    ['small', 'small', {}],
    ['small,cpu=500m', 'small', { capacity: { ...capacity, cpu: '500m' } }],
    [
      'gpu-1.example.com,cpu=32,memory=128Gi,pods=0,example.com/gpu=4',
      'gpu-1.example.com',
      {
        capacity: { ...capacity, cpu: '32', memory: '128Gi', pods: '0', 'example.com/gpu': '4' },
      },
    ],
    [
      'edge,label:topology.kubernetes.io/zone=a,label:empty=',
      'edge',
      { labels: { 'topology.kubernetes.io/zone': 'a', empty: '' } },
    ],
    [
      'edge,taint:dedicated=gpu:NoSchedule,taint:old:NoExecute',
      'edge',
      {
        taints: [
          { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' },
          { key: 'old', effect: 'NoExecute' },
        ],
      },
    ],
    ['edge,cloud-provider=external', 'edge', { cloudProvider: 'external' }],
  ] as const)
    assert.deepEqual(parseDescribedNode(text), { name, shape: { ...defaultNodeShape, ...shape } });
});

test('what is no description is refused, with the reason', () => {
  for (const [text, why] of [
    ['', /"" is no name of a node/],
    ['cpu=4', /"cpu=4" is no name/],
    ['Big', /"Big" is no name/],
    ['n,cpu', /"cpu" is not of the form KEY=VALUE/],
    ['n,', /"" is not of the form/],
    ['n,cpu=lots', /"lots" is no amount/],
    ['n,cpu=-1', /"-1" is no amount/],
    ['n,cpu=', /"" is no amount/],
    ['n,a b=1', /"a b" is no key/],
    ['n,label:zone', /"zone" is not of the form/],
    ['n,label:zone=a b', /"a b" is no value/],
    ['n,cloud-provider', /"cloud-provider" is not of the form/],
    ['n,cloud-provider=', /"" is no cloud provider: external/],
    ['n,cloud-provider=aws', /"aws" is no cloud provider: external/],
    ['n,taint:dedicated', /is no taint: KEY\[=VALUE\]:NoSchedule/],
    ['n,taint:dedicated=gpu:Never', /is no taint/],
    ['n,taint::NoSchedule', /"" is no key/],
    ['n,taint:a=b c:NoSchedule', /"b c" is no value/],
  ] as const)
    assert.throws(
      () => parseDescribedNode(text),
      (error: unknown) => error instanceof NodeDescriptionError && why.test(error.message),
      text,
    );
});
