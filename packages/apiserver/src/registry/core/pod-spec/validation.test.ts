import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFieldError } from '@keelson/apimachinery';
import type { Container, PodSpec } from '@keelson/apimachinery/types/core.v1';
import { createFeatures } from '../../../features/create-features.ts';
import type { Errors } from '../../validation/checks.ts';
import { defaultPodSpec } from './defaults.ts';
import { podSpecOptions } from './options.ts';
import { podSpec } from './validation.ts';

const features = createFeatures();

/** The findings about a pod of one good container, with the given fields in place. */
function findings(fields: Partial<PodSpec>): string[] {
  const spec: PodSpec = { containers: [{ name: 'c', image: 'i' }], ...structuredClone(fields) };
  defaultPodSpec(spec, features);
  const errors: Errors = [];
  const options = podSpecOptions(features, { isPod: true });
  podSpec(errors, 'spec', { spec, podName: 'p', options });
  return errors.map(renderFieldError);
}

const container = (fields: Partial<Container>): Partial<PodSpec> => ({
  containers: [{ name: 'c', image: 'i', ...fields }],
});

type Row = readonly [what: string, fields: Partial<PodSpec>, expected: readonly string[]];

const accepted: readonly Row[] = [
  ['one container', {}, []],
  ['an init container of another name', { initContainers: [{ name: 'd', image: 'i' }] }, []],
  ['a mounted volume', { volumes: [{ name: 'v', emptyDir: {} }], ...mount('v', '/data') }, []],
  ['same port number, other protocol', container({ ports: [port(53), port(53, 'UDP')] }), []],
  [
    'a toleration of everything',
    { tolerations: [{ operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }] },
    [],
  ],
];

const refused: readonly Row[] = [
  ['no containers', { containers: [] }, ['spec.containers: Required value']],
  [
    'no name and no image',
    { containers: [{ name: '', image: '' }] },
    ['spec.containers[0].name: Required value', 'spec.containers[0].image: Required value'],
  ],
  [
    'two of one name',
    {
      containers: [
        { name: 'c', image: 'i' },
        { name: 'c', image: 'i' },
      ],
    },
    ['spec.containers[1].name: Duplicate value: "c"'],
  ],
  [
    'an unknown policy',
    { restartPolicy: 'Sometimes' },
    [
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ],
  ],
  [
    'an unknown DNS policy',
    { dnsPolicy: 'Mine' },
    [
      'spec.dnsPolicy: Unsupported value: "Mine": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
    ],
  ],
  [
    'a mount of nothing',
    mount('v', '/data'),
    ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
  ],
  [
    'a volume of two kinds',
    { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/a', type: '' } }] },
    ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
  ],
  [
    'a host path upwards',
    { volumes: [{ name: 'v', hostPath: { path: '/a/../b', type: '' } }] },
    ['spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain \'..\''],
  ],
  [
    'a port out of range',
    container({ ports: [port(0)] }),
    ['spec.containers[0].ports[0].containerPort: Required value'],
  ],
  [
    'a request above the limit',
    container({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
    [
      'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
    ],
  ],
  [
    'a probe of two kinds',
    container({ livenessProbe: { exec: { command: ['a'] }, tcpSocket: { port: 1 } } }),
    [
      'spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
    ],
  ],
  [
    'a toleration without key that compares',
    { tolerations: [{ key: '', operator: 'Equal' }] },
    [
      'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
    ],
  ],
];

for (const [what, fields, expected] of [...accepted, ...refused]) {
  test(`pod specification: ${what}`, () => {
    assert.deepEqual(findings(fields), expected);
  });
}

function mount(name: string, mountPath: string): Partial<PodSpec> {
  return container({ volumeMounts: [{ name, mountPath }] });
}

function port(containerPort: number, protocol = 'TCP') {
  return { containerPort, protocol };
}
