import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { JsonObject, JsonValue } from '../json.ts';
import { tableStruct } from '../schema/table.ts';
import type { StructType } from '../schema/types.ts';
import { PatchError, type PatchErrorKind } from './patch-error.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

function struct(name: string): StructType {
  const type = tableStruct(`io.k8s.api.${name}`);
  assert.ok(type);
  return type;
}
const podSpec = struct('core.v1.PodSpec');
const deploymentSpec = struct('apps.v1.DeploymentSpec');
const pod = struct('core.v1.Pod');

const spec: JsonObject = {
  containers: [
    {
      name: 'web',
      image: 'web:1',
      args: ['x', 'y'],
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    },
    { name: 'log', image: 'log:1' },
  ],
  nodeSelector: { a: '1', b: '2' },
  tolerations: [{ key: 'k', operator: 'Exists' }],
  volumes: [{ name: 'v', emptyDir: {} }],
};

describe('applyStrategicMergePatch of lists', () => {
  const container = (changes: JsonObject) => ({ containers: [{ name: 'web', ...changes }] });
  const read = (patched: JsonObject, field: string) =>
    ((patched['containers'] as JsonObject[]).find((c) => c['name'] === 'web') ?? {})[field];
  const rows: [name: string, patch: JsonObject, field: string, want: JsonValue][] = [
    ['merges an item', container({ image: 'web:2' }), 'image', 'web:2'],
    ['keeps other members', container({ image: 'web:2' }), 'args', ['x', 'y']],
    ['replaces lists without a strategy', container({ args: ['z'] }), 'args', ['z']],
    [
      'puts items of the patch first',
      container({
        env: [
          { name: 'C', value: '3' },
          { name: 'A', value: '9' },
        ],
      }),
      'env',
      [
        { name: 'C', value: '3' },
        { name: 'A', value: '9' },
        { name: 'B', value: '2' },
      ],
    ],
    [
      'deletes an item',
      container({ env: [{ name: 'A', $patch: 'delete' }] }),
      'env',
      [{ name: 'B', value: '2' }],
    ],
    [
      'deletes nothing that is not there',
      container({ env: [{ name: 'Z', $patch: 'delete' }] }),
      'env',
      [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    ],
    [
      'replaces all items',
      container({ env: [{ name: 'C' }, { $patch: 'replace' }] }),
      'env',
      [{ name: 'C' }],
    ],
    [
      'removes members of items',
      container({ env: [{ name: 'A', value: null }] }),
      'env',
      [{ name: 'A' }, { name: 'B', value: '2' }],
    ],
    [
      'deletes values also from lists without a strategy',
      container({ '$deleteFromPrimitiveList/args': ['x'] }),
      'args',
      ['y'],
    ],
    [
      'orders items',
      container({ '$setElementOrder/env': [{ name: 'B' }, { name: 'A' }] }),
      'env',
      [
        { name: 'B', value: '2' },
        { name: 'A', value: '1' },
      ],
    ],
    [
      'orders merged items',
      container({
        '$setElementOrder/env': [{ name: 'C' }, { name: 'B' }, { name: 'A' }],
        env: [{ name: 'C', value: '3' }],
      }),
      'env',
      [
        { name: 'C', value: '3' },
        { name: 'B', value: '2' },
        { name: 'A', value: '1' },
      ],
    ],
  ];
  for (const [name, patch, field, want] of rows) {
    it(name, () => {
      assert.deepEqual(read(applyStrategicMergePatch(spec, patch, podSpec), field), want);
    });
  }

  it('weaves items of the server between those of the patch', () => {
    const list = (names: string[]) => ({ volumes: names.map((name) => ({ name })) });
    const live = list(['a', 'b', 'c', 'd', 'e']);
    const order = (names: string[]) => ({
      '$setElementOrder/volumes': names.map((name) => ({ name })),
    });
    const names = (patched: JsonObject) =>
      (patched['volumes'] as JsonObject[]).map((v) => v['name']).join('');
    const rowsOfOrder: [JsonObject, string][] = [
      [list(['d', 'b']), 'acdbe'],
      [list(['x', 'c']), 'xabcde'],
      [order(['e', 'a']), 'bcdea'],
      [{ ...order(['d', 'x', 'a']), ...list(['x']) }, 'bcdxae'],
    ];
    for (const [patch, want] of rowsOfOrder) {
      assert.equal(names(applyStrategicMergePatch(live, patch, podSpec)), want);
    }
  });

  it('unites lists of scalars', () => {
    const metadata = (finalizers: string[]) => ({ metadata: { finalizers } });
    const patched = applyStrategicMergePatch(metadata(['a', 'b']), metadata(['c', 'a']), pod);
    assert.deepEqual(patched, metadata(['c', 'a', 'b']));
    const both = {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['d'] },
    };
    assert.deepEqual(
      applyStrategicMergePatch(metadata(['a', 'b']), both, pod),
      metadata(['d', 'b']),
    );
  });
});

describe('applyStrategicMergePatch of objects', () => {
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } };
  const rows: [name: string, patch: JsonObject, want: JsonObject][] = [
    ['merges', { strategy: { type: 'Recreate' } }, { strategy: { ...strategy, type: 'Recreate' } }],
    ['removes', { strategy: { rollingUpdate: null } }, { strategy: { type: 'RollingUpdate' } }],
    ['deletes', { strategy: { $patch: 'delete' } }, { strategy: {} }],
    ['replaces', { strategy: { $patch: 'replace', type: 'X' } }, { strategy: { type: 'X' } }],
    [
      'retains keys',
      { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
      { strategy: { type: 'Recreate' } },
    ],
    ['takes another kind over', { strategy: 'x' }, { strategy: 'x' }],
    [
      'drops nulls and directives of new values',
      { template: { spec: { hostname: null, overhead: { $patch: 'delete' }, nodeName: 'n' } } },
      { strategy, template: { spec: { nodeName: 'n' } } },
    ],
  ];
  for (const [name, patch, want] of rows) {
    it(name, () => {
      assert.deepEqual(applyStrategicMergePatch({ strategy }, patch, deploymentSpec), want);
    });
  }
  it('merges maps and keeps unknown members for the decoder to judge', () => {
    const patched = applyStrategicMergePatch(
      spec,
      { nodeSelector: { b: null, c: '3' }, bogus: 1 },
      podSpec,
    );
    assert.deepEqual(patched['nodeSelector'], { a: '1', c: '3' });
    assert.equal(patched['bogus'], 1);
  });
  it('changes neither input', () => {
    const patch = { containers: [{ name: 'web', $retainKeys: ['name', 'image'], image: 'i' }] };
    const before = JSON.stringify([spec, patch]);
    applyStrategicMergePatch(spec, patch, podSpec);
    assert.equal(JSON.stringify([spec, patch]), before);
  });
  it('does not reach prototypes', () => {
    const patch = JSON.parse('{"nodeSelector":{"__proto__":{"polluted":"yes"}}}') as JsonObject;
    const patched = applyStrategicMergePatch(spec, patch, podSpec);
    assert.equal(Reflect.get({}, 'polluted'), undefined);
    assert.equal(Reflect.get(patched['nodeSelector'] as object, 'polluted'), undefined);
  });
});

describe('applyStrategicMergePatch refuses', () => {
  const rows: [patch: JsonObject, kind: PatchErrorKind, message: string][] = [
    [
      { nodeSelector: { $patch: 'explode' } },
      'internal',
      'unknown patch type: explode in map: map[$patch:explode]',
    ],
    [
      { containers: [{ name: 'web', $patch: 'explode' }] },
      'internal',
      'unknown patch type: explode in map: map[$patch:explode name:web]',
    ],
    [
      { containers: [{ $patch: 5 }] },
      'internal',
      'unknown patch type: %!s(int64=5) in map: map[$patch:5]',
    ],
    [
      { containers: [{ name: 'web', $patch: 'merge' }] },
      'internal',
      'merging lists cannot yet be specified in the patch',
    ],
    [
      { containers: [{ image: 'x' }] },
      'internal',
      'map: map[image:x] does not contain declared merge key: name',
    ],
    [
      { containers: [{ $patch: 'delete' }] },
      'internal',
      'map: map[$patch:delete] does not contain declared merge key: name',
    ],
    [
      { containers: ['x'] },
      'internal',
      `list element types are not identical: [[map[args:[x y] env:[map[name:A value:1] map[name:B value:2]] image:web:1 name:web] map[image:log:1 name:log]] [x]]`,
    ],
    [
      { containers: [[]] },
      'internal',
      `list element types are not identical: [[map[args:[x y] env:[map[name:A value:1] map[name:B value:2]] image:web:1 name:web] map[image:log:1 name:log]] [[]]]`,
    ],
    [{ nodeSelector: { $retainKeys: 'x' } }, 'bad-request', 'invalid patch format of retainKeys'],
    [
      { nodeSelector: { $retainKeys: ['a'], b: '1' } },
      'bad-request',
      'invalid patch format of retainKeys',
    ],
    [{ $deleteFromPrimitiveList: ['x'] }, 'bad-request', 'invalid patch format of primitive list'],
    [{ $setElementOrder: [] }, 'bad-request', 'invalid patch format of setElementOrder list'],
    [
      { '$setElementOrder/containers': 'x' },
      'internal',
      'expected a []interface {}, but received a string',
    ],
    [
      {
        '$setElementOrder/containers': [{ name: 'log' }],
        containers: [{ name: 'x', image: 'x:1' }],
      },
      'internal',
      "The order in patch list:\n[map[image:x:1 name:x]]\n doesn't match $setElementOrder list:\n[map[name:log]]\n",
    ],
    [
      { '$setElementOrder/bogus': [] },
      'internal',
      'unable to find api field in struct PodSpec for the json field "bogus"',
    ],
  ];
  for (const [patch, kind, message] of rows) {
    it(JSON.stringify(patch), () => {
      assert.throws(
        () => applyStrategicMergePatch(spec, patch, podSpec),
        new PatchError(kind, message),
      );
    });
  }
  it('lists of lists', () => {
    assert.throws(
      () =>
        applyStrategicMergePatch(
          { metadata: { finalizers: [] } },
          { metadata: { finalizers: [['x']] } },
          pod,
        ),
      new PatchError('unprocessable', 'lists of lists are not supported'),
    );
  });
});
