import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container } from '@keelson/apimachinery/types/core.v1';
import { aggregateRequests } from './aggregate-resources.ts';

const asking = (name: string, cpu: string, restartPolicy?: string): Container => ({
  name,
  image: 'i',
  resources: { requests: { cpu } },
  ...(restartPolicy === undefined ? {} : { restartPolicy }),
});

const rows: readonly (readonly [string, Container[], Container[], string])[] = [
  ['containers run side by side', [asking('a', '1'), asking('b', '500m')], [], '1500m'],
  ['a greedy init container decides', [asking('a', '1')], [asking('i', '3')], '3'],
  ['init containers run one by one', [asking('a', '1')], [asking('i', '2'), asking('j', '2')], '2'],
  ['a sidecar stays', [asking('a', '1')], [asking('s', '1', 'Always')], '2'],
  [
    'an init container beside a sidecar',
    [asking('a', '1')],
    [asking('s', '1', 'Always'), asking('i', '3')],
    '4',
  ],
];

for (const [what, containers, initContainers, cpu] of rows) {
  test(`requests of a pod: ${what}`, () => {
    assert.equal(aggregateRequests({ containers, initContainers }).get('cpu'), cpu);
  });
}
