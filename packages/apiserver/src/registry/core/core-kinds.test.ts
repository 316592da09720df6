import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObject, runCreate, runUpdate, testContext } from '../testing/run-strategy.ts';
import { testCreates, testUpdates } from '../testing/strategy-tables.ts';
import { configMapStrategy } from './configmaps/strategy.ts';
import { endpointsStrategy } from './endpoints/strategy.ts';
import { namespaceStrategy } from './namespaces/strategy.ts';
import { serviceAccountStrategy } from './serviceaccounts/strategy.ts';

const make = (kind: string, fields: object) => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'x', namespace: 'n', resourceVersion: '1' },
  ...fields,
});

const map = (more: object) => make('ConfigMap', more);
const frozen = 'field is immutable when `immutable` is set';
testCreates(configMapStrategy, [
  ['text', map({ data: { 'a.b': 'c' } }), []],
  [
    'a key in both',
    map({ data: { a: 'b' }, binaryData: { a: '' } }),
    [
      'data[a]: Invalid value: "a": duplicate of key present in binaryData',
      'binaryData[a]: Invalid value: "a": duplicate of key present in data',
    ],
  ],
  [
    'too much',
    map({ data: { a: 'x'.repeat(1024 * 1024 + 1) } }),
    [': Too long: may not be more than 1048576 bytes'],
  ],
]);
testUpdates(configMapStrategy, [
  ['text', map({ data: { a: 'c' } }), map({ data: { a: 'b' } }), []],
  [
    'frozen text',
    map({ immutable: true, data: { a: 'c' } }),
    map({ immutable: true, data: { a: 'b' } }),
    [`data: Forbidden: ${frozen}`],
  ],
]);

const endpoints = (...subsets: object[]) => make('Endpoints', { subsets });
testCreates(endpointsStrategy, [
  ['an address', endpoints({ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }), []],
  [
    'nobody',
    endpoints({ ports: [{ port: 80 }] }),
    ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
  ],
  [
    'this host',
    endpoints({ addresses: [{ ip: '127.0.0.1' }] }),
    [
      'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
  ],
  [
    'ports without names',
    endpoints({ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }, { port: 81 }] }),
    ['subsets[0].ports[0].name: Required value', 'subsets[0].ports[1].name: Required value'],
  ],
]);

test('kubectl shows the first three addresses of Endpoints', () => {
  const addresses = [1, 2, 3, 4].map((n) => ({ ip: `10.0.0.${n}` }));
  const shown = readObject(endpoints({ addresses, ports: [{ port: 80 }] }));
  const cells = endpointsStrategy.tableCells?.(shown as never, testContext.nowMs);
  assert.equal(cells?.[1], '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...');
});

const namespace = (spec: object, more: object = {}) => ({
  ...make('Namespace', { spec, ...more }),
  metadata: { name: 'shop', resourceVersion: '1', ...more },
});
const unknownFinalizer = 'name is neither a standard finalizer name nor is it fully qualified';
testCreates(namespaceStrategy, [
  ['a finalizer with a domain', namespace({ finalizers: ['example.com/f'] }), []],
  [
    'a finalizer without one',
    namespace({ finalizers: ['mine'] }),
    [`spec.finalizers: Invalid value: "mine": ${unknownFinalizer}`],
  ],
]);

test('a namespace is active, has its name as a label and waits for the controller when it goes', () => {
  const { object } = runCreate(namespaceStrategy, namespace({ finalizers: ['example.com/f'] }));
  assert.deepEqual(object.metadata.labels, { 'kubernetes.io/metadata.name': 'shop' });
  assert.deepEqual(object['spec'], { finalizers: ['example.com/f', 'kubernetes'] });
  assert.deepEqual(object['status'], { phase: 'Active' });
  assert.equal(namespaceStrategy.isFinalized?.(object as never), false);
});

test('finalizers of a namespace change through the subresource only', () => {
  const [now, old] = [namespace({ finalizers: [] }), namespace({ finalizers: ['kubernetes'] })];
  const changed = (subresource?: string) =>
    runUpdate(namespaceStrategy, [now, old], subresource).object as never;
  assert.equal(namespaceStrategy.isFinalized?.(changed()), false);
  assert.equal(namespaceStrategy.isFinalized?.(changed('finalize')), true);
});

test('an account keeps nothing but the names of its secrets', () => {
  const given = make('ServiceAccount', {
    secrets: [{ name: 's', kind: 'Secret', namespace: 'm' }],
  });
  assert.deepEqual(runCreate(serviceAccountStrategy, given).object['secrets'], [{ name: 's' }]);
});
