import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  builtinType,
  createFieldManager,
  createSimulatedClock,
  type KubeObject,
} from '@keelson/apimachinery';
import type { JsonSchema } from '../schema/json-schema.ts';
import { structuralType } from './structural-type.ts';

function managerOf(protocol: JsonSchema) {
  const item: JsonSchema = {
    type: 'object',
    properties: { port: { type: 'integer' }, protocol, note: { type: 'string' } },
  };
  const ports: JsonSchema = {
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['port', 'protocol'],
    items: item,
  };
  const objectMeta = builtinType('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  assert.ok(objectMeta);
  const schema: JsonSchema = { type: 'object', properties: { ports } };
  const type = structuralType(schema, { name: 'com.example.v1.Door', goName: 'Door', objectMeta });
  return createFieldManager({ type, clock: createSimulatedClock() });
}

const door = (ports: object[]): KubeObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Door',
  metadata: { name: 'front' },
  ports,
});
const by = { manager: 'm', apiVersion: 'example.com/v1', subresource: '', force: false };
const empty: KubeObject = { apiVersion: 'example.com/v1', kind: 'Door', metadata: {} };

test('an item that leaves out a key with a default is the item with the default', () => {
  const manager = managerOf({ type: 'string', default: 'TCP' });
  const stored = manager.apply(empty, door([{ port: 80, protocol: 'TCP' }]), by);
  const uid = { ...stored, metadata: { ...stored.metadata, uid: 'u' } };
  const other = { ...by, manager: 'other' };
  const applied = manager.apply(uid, door([{ port: 80, note: 'b' }]), other);
  assert.deepEqual(applied['ports'], [{ port: 80, protocol: 'TCP', note: 'b' }]);
});

test('without a default, it is another item', () => {
  for (const protocol of [{ type: 'string' }, { type: 'string', default: null }] as JsonSchema[]) {
    const manager = managerOf(protocol);
    const stored = manager.apply(empty, door([{ port: 80, protocol: 'TCP' }]), by);
    const uid = { ...stored, metadata: { ...stored.metadata, uid: 'u' } };
    const applied = manager.apply(uid, door([{ port: 80 }]), { ...by, manager: 'other' });
    assert.deepEqual(applied['ports'], [{ port: 80, protocol: 'TCP' }, { port: 80 }]);
  }
});
