import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import { isShared, multiAttachText, standingOf } from './attachment-state.ts';

const inUse = { volumesInUse: ['other', 'v'] };
const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
const silent = { conditions: [{ type: 'Ready', status: 'Unknown' }] };
const outOfService = [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }];
const minuteMs = 60_000;

interface Row {
  readonly isWanted?: true;
  readonly node?: Partial<Node>;
  readonly unwantedMs?: number;
  readonly isBelieved?: true;
}
const rows: readonly (readonly [what: string, row: Row, standing: string])[] = [
  ['a pod wants it', { isWanted: true, node: { status: ready } }, 'wanted'],
  ['a pod of a node that is gone', { isWanted: true }, 'wanted'],
  ['nobody wants it', { node: { status: ready } }, 'free'],
  ['another volume is in use', { node: { status: { ...ready, volumesInUse: ['w'] } } }, 'free'],
  ['the node is gone', {}, 'free'],
  ['the node uses it', { node: { status: { ...ready, ...inUse } } }, 'in-use'],
  [
    'a healthy node is believed for ever',
    { node: { status: { ...ready, ...inUse } }, unwantedMs: 60 * minuteMs },
    'in-use',
  ],
  ['a silent node', { node: { status: { ...silent, ...inUse } } }, 'in-use 360000'],
  [
    'a silent node, at the last moment',
    { node: { status: { ...silent, ...inUse } }, unwantedMs: 6 * minuteMs - 1 },
    'in-use 1',
  ],
  [
    'a silent node is believed for six minutes',
    { node: { status: { ...silent, ...inUse } }, unwantedMs: 6 * minuteMs },
    'free',
  ],
  [
    'a silent node that is believed for ever',
    {
      node: { status: { ...silent, ...inUse } },
      unwantedMs: 60 * minuteMs,
      isBelieved: true,
    },
    'in-use',
  ],
  [
    'a node out of service is not',
    {
      node: { status: { ...silent, ...inUse }, spec: { taints: outOfService } },
      isBelieved: true,
    },
    'free',
  ],
  [
    'a node that says nothing of itself',
    { node: { status: inUse }, unwantedMs: 6 * minuteMs },
    'free',
  ],
  [
    'a node out of service is not waited for',
    { node: { status: { ...silent, ...inUse }, spec: { taints: outOfService } } },
    'free',
  ],
  [
    'another taint changes nothing',
    {
      node: {
        status: { ...silent, ...inUse },
        spec: { taints: [{ key: 'drain', effect: 'NoExecute' }] },
      },
    },
    'in-use 360000',
  ],
];
for (const [what, row, expected] of rows)
  test(`${what}: ${expected}`, () => {
    const { isWanted = false, node, unwantedMs = 0, isBelieved = false } = row;
    const standing = standingOf({
      isWanted,
      node: node && ({ metadata: { name: 'n' }, ...node } as Node),
      nodeVolume: 'v',
      unwantedMs,
      isBelieved,
    });
    const waitMs = standing.is === 'in-use' ? standing.waitMs : undefined;
    assert.equal([standing.is, ...(waitMs === undefined ? [] : [waitMs])].join(' '), expected);
  });

test('which volumes may be attached to several nodes', () => {
  const table: [accessModes: string[], expected: boolean][] = [
    [['ReadWriteOnce'], false],
    [['ReadWriteOncePod'], false],
    [['ReadWriteOnce', 'ReadOnlyMany'], true],
    [['ReadWriteMany'], true],
    [[], true],
  ];
  for (const [accessModes, expected] of table)
    assert.equal(isShared({ metadata: {}, spec: { accessModes } }), expected, accessModes.join());
});

test('what pods are told of a volume that another node has', () => {
  const pod = (name: string): Pod => ({ metadata: { name }, spec: { containers: [] } });
  assert.deepEqual(
    [multiAttachText('v', []), multiAttachText('v', [pod('a'), pod('b')])],
    [
      'Multi-Attach error for volume "v" Volume is already exclusively attached to one node and ' +
        "can't be attached to another",
      'Multi-Attach error for volume "v" Volume is already used by pod(s) a, b',
    ],
  );
});
