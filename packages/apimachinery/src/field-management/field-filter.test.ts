import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tableStruct } from '../schema/table.ts';
import type { JsonObject } from '../json.ts';
import { asKubeObject } from '../meta/object.ts';
import { systemClock } from '../clock.ts';
import { onlyFields, withoutFields, type FieldPaths } from './field-filter.ts';
import { createFieldManager } from './field-manager.ts';
import { parseFieldSet } from './field-set.ts';

const container = (fields: JsonObject): JsonObject => ({ 'k:{"name":"a"}': fields });
const set = {
  'f:metadata': { 'f:labels': { 'f:l': {} } },
  'f:spec': {
    'f:containers': container({ '.': {}, 'f:image': {}, 'f:resources': { 'f:limits': {} } }),
    'f:nodeName': {},
  },
};

describe('only these fields', () => {
  const rows: readonly [name: string, paths: FieldPaths, kept: object][] = [
    ['one', [['spec', 'nodeName']], { 'f:spec': { 'f:nodeName': {} } }],
    [
      'one of every item, and the items',
      [['spec', 'containers', '*', 'image']],
      { 'f:spec': { 'f:containers': container({ '.': {}, 'f:image': {} }) } },
    ],
    [
      'one and all below it',
      [['spec', 'containers', '*', 'resources']],
      { 'f:spec': { 'f:containers': container({ '.': {}, 'f:resources': { 'f:limits': {} } }) } },
    ],
    [
      'several',
      [
        ['spec', 'nodeName'],
        ['metadata', 'labels'],
      ],
      { 'f:metadata': { 'f:labels': { 'f:l': {} } }, 'f:spec': { 'f:nodeName': {} } },
    ],
    [
      'the whole of what a longer path names a part of',
      [['spec'], ['spec', 'nodeName']],
      { 'f:spec': set['f:spec'] },
    ],
    ['what is not there', [['status']], {}],
    ['nothing', [], {}],
  ];
  for (const [name, paths, kept] of rows)
    it(name, () => assert.deepEqual(onlyFields(paths).keep(parseFieldSet(set)), kept));
});

it('all but these fields', () => {
  const { keep } = withoutFields({ 'f:spec': {} });
  assert.deepEqual(keep(parseFieldSet(set)), { 'f:metadata': set['f:metadata'] });
  const same = parseFieldSet(set);
  assert.equal(withoutFields({}).keep(same), same);
});

it('an update and an apply own what their endpoint has', () => {
  const pods = createFieldManager({
    type: tableStruct('io.k8s.api.core.v1.Pod'),
    clock: systemClock,
  });
  const pod = (image: string) =>
    asKubeObject({
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'p', labels: { l: image } },
      spec: { containers: [{ name: 'a', image, command: [image] }] },
    });
  const ownedFields = [['spec', 'containers', '*', 'image']];
  const by = { manager: 'm', apiVersion: 'v1', subresource: 'part', ownedFields };
  const fieldsOf = (object: ReturnType<typeof pod>) => object.metadata.managedFields?.[0]?.fieldsV1;
  const image = (item: JsonObject) => ({ 'f:spec': { 'f:containers': container(item) } });
  assert.deepEqual(fieldsOf(pods.update(pod('i'), pod('j'), by)), image({ 'f:image': {} }));
  const applied = pods.apply(pod('i'), pod('j'), { ...by, force: true });
  assert.deepEqual(fieldsOf(applied), image({ '.': {}, 'f:image': {} }));
});
