import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import { createObjectStore } from './object-store.ts';

const pod = (namespace: string, name: string, node = ''): KubeObject => ({
  metadata: { namespace, name },
  spec: { nodeName: node },
});
const names = (objects: readonly KubeObject[]) => objects.map((o) => o.metadata.name).toSorted();

test('objects by namespace, name and index', () => {
  const store = createObjectStore<KubeObject>({
    node: ({ spec }) => [(spec as { nodeName: string }).nodeName].filter((n) => n !== ''),
  });
  store.put(pod('a', 'x', 'n1'));
  store.put(pod('b', 'x', 'n1'));
  store.put(pod('a', 'y'));
  assert.equal(store.size, 3);
  assert.deepEqual(names(store.list('a')), ['x', 'y']);
  assert.deepEqual(names(store.list()), ['x', 'x', 'y']);
  assert.equal(store.byIndex('node', 'n1').length, 2);
  assert.equal(store.get('b', 'y'), undefined);

  // A changed object is found under its new values only.
  const old = store.get('a', 'x');
  assert.equal(store.put(pod('a', 'x', 'n2')), old);
  assert.deepEqual(
    store.byIndex('node', 'n1').map((o) => o.metadata.namespace),
    ['b'],
  );
  assert.deepEqual(names(store.byIndex('node', 'n2')), ['x']);

  assert.equal(store.remove('a', 'nothing'), undefined);
  store.remove('a', 'x');
  assert.deepEqual(store.byIndex('node', 'n2'), []);
  assert.equal(store.size, 2);
  assert.throws(() => store.byIndex('colour', 'red'), /there is no index "colour"/);
});

test('cluster-scoped objects are in the namespace without a name', () => {
  const store = createObjectStore<KubeObject>();
  store.put({ metadata: { name: 'n1' } });
  assert.equal(store.get('', 'n1')?.metadata.name, 'n1');
  assert.deepEqual(names(store.list('')), ['n1']);
});

test('an index may be added later, once', () => {
  const store = createObjectStore<KubeObject>();
  store.put(pod('a', 'x', 'n1'));
  const nodeOf = ({ spec }: KubeObject) => [(spec as { nodeName: string }).nodeName];
  store.addIndex('node', nodeOf);
  store.addIndex('node', () => ['never asked']);
  store.put(pod('b', 'y', 'n1'));
  assert.deepEqual(names(store.byIndex('node', 'n1')), ['x', 'y']);
  assert.deepEqual(store.byIndex('node', 'never asked'), []);
  store.remove('a', 'x');
  assert.deepEqual(names(store.byIndex('node', 'n1')), ['y']);
});
