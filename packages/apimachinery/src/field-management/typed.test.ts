import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { JsonObject, JsonValue } from '../json.ts';
import { tableStruct } from '../schema/table.ts';
import { atomOf, deducedAtom } from './atom.ts';
import { compareTyped, noDifference } from './compare-typed.ts';
import { parseFieldSet } from './field-set.ts';
import { mergeTyped } from './merge-typed.ts';
import { removeTyped } from './remove-typed.ts';
import { fieldSetOfTyped, reconcileFieldSet, withNamedFields } from './set-of-typed.ts';
import { validateTyped } from './validate-typed.ts';

const podSpec = atomOf(tableStruct('io.k8s.api.core.v1.PodSpec'));
const podMeta = atomOf(tableStruct('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'));
const containers = (...names: string[]) => ({ containers: names.map((name) => ({ name })) });
const item = (name: string) => `k:{"name":"${name}"}`;

describe('validateTyped', () => {
  const valid: JsonObject[] = [
    {},
    { containers: null, nodeName: null },
    containers('a', 'b'),
    {
      containers: [
        { name: 'a', ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'UDP' }] },
      ],
    },
    { containers: [{ image: 'the key has a default' }] },
    { nodeSelector: { any: 'key' }, terminationGracePeriodSeconds: 1.5 },
    { containers: [{ name: 'a', resources: { limits: { cpu: 1, memory: '1Gi' } } }] },
  ];
  for (const value of valid) {
    it(`accepts ${JSON.stringify(value)}`, () => {
      assert.equal(validateTyped(value, podSpec), undefined);
    });
  }
  const invalid: [JsonObject, string][] = [
    [{ bogus: 1 }, '.bogus: field not declared in schema'],
    [
      { containers: [{ name: 'a', bogus: 1 }] },
      '.containers[name="a"].bogus: field not declared in schema',
    ],
    [{ nodeName: 5 }, '.nodeName: expected string, got &value.valueUnstructured{Value:5}'],
    [
      { nodeName: { a: ['b', null] } },
      '.nodeName: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":[]interface {}{"b", interface {}(nil)}}}',
    ],
    [{ hostNetwork: 'yes' }, '.hostNetwork: expected boolean, got &{yes}'],
    [
      { terminationGracePeriodSeconds: '5' },
      '.terminationGracePeriodSeconds: expected numeric (int or float), got string',
    ],
    [{ nodeSelector: ['x'] }, '.nodeSelector: expected map, got &{[x]}'],
    [{ containers: 'x' }, '.containers: expected list, got &{x}'],
    [
      { containers: [null] },
      '.containers: element 0: associative list with keys may not have a null element',
    ],
    [
      { containers: ['x'] },
      '.containers: element 0: associative list with keys may not have non-map elements',
    ],
    [containers('a', 'a'), '.containers: duplicate entries for key [name="a"]'],
    [
      {
        containers: [
          { name: 'a', ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'TCP' }] },
        ],
      },
      '.containers[name="a"].ports: duplicate entries for key [containerPort=80,protocol="TCP"]',
    ],
    [
      { volumes: [{ emptyDir: {} }], nodeName: 5 },
      '.nodeName: expected string, got &value.valueUnstructured{Value:5}',
    ],
    [
      { nodeName: 5, hostname: true },
      'errors:\n  .nodeName: expected string, got &value.valueUnstructured{Value:5}\n  .hostname: expected string, got &value.valueUnstructured{Value:true}',
    ],
  ];
  for (const [value, message] of invalid) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      assert.equal(validateTyped(value, podSpec), message);
    });
  }
  it('wants the items of sets to be scalars, once each', () => {
    assert.equal(
      validateTyped({ finalizers: ['a', 'a'] }, podMeta),
      '.finalizers: duplicate entries for key [="a"]',
    );
    assert.equal(
      validateTyped({ finalizers: [{}] }, podMeta),
      ".finalizers: element 0: associative list without keys has an element that's a map type",
    );
    assert.equal(
      validateTyped({ finalizers: [[]] }, podMeta),
      '.finalizers: element 0: not supported: associative list with lists as elements',
    );
    assert.equal(
      validateTyped({ finalizers: [null] }, podMeta),
      ".finalizers: element 0: associative list without keys has an element that's an explicit null",
    );
  });
  it('accepts anything without a schema', () => {
    assert.equal(validateTyped({ a: [{ b: null }, 1], c: { d: 'e' } }, deducedAtom), undefined);
  });
});

describe('compareTyped', () => {
  type Sets = { added?: JsonObject; modified?: JsonObject; removed?: JsonObject };
  const rows: [name: string, before: JsonObject, after: JsonObject, sets: Sets][] = [
    ['nothing', containers('a'), containers('a'), {}],
    ['order of keyed items', containers('a', 'b'), containers('b', 'a'), {}],
    ['a scalar', { nodeName: 'a' }, { nodeName: 'b' }, { modified: { 'f:nodeName': {} } }],
    [
      'a new field with all below',
      {},
      containers('a'),
      { added: { 'f:containers': { '.': {}, [item('a')]: { '.': {}, 'f:name': {} } } } },
    ],
    ['a lost map', { nodeSelector: { a: 'b' } }, {}, { removed: { 'f:nodeSelector': {} } }],
    [
      'an atomic list',
      { tolerations: [{ key: 'a' }] },
      { tolerations: [{ key: 'b' }] },
      { modified: { 'f:tolerations': {} } },
    ],
    [
      'an atomic map',
      { nodeSelector: { a: 'b' } },
      { nodeSelector: { a: 'c' } },
      { modified: { 'f:nodeSelector': {} } },
    ],
    [
      'an item',
      containers('a', 'b'),
      containers('b', 'c'),
      {
        added: { 'f:containers': { [item('c')]: { '.': {}, 'f:name': {} } } },
        removed: { 'f:containers': { [item('a')]: { '.': {}, 'f:name': {} } } },
      },
    ],
    [
      'null for a list',
      containers('a'),
      { containers: null },
      { removed: { 'f:containers': { [item('a')]: { '.': {}, 'f:name': {} } } } },
    ],
    [
      'null for an empty list',
      { containers: [] },
      { containers: null },
      { modified: { 'f:containers': {} } },
    ],
    [
      'a first duplicate',
      containers('a'),
      containers('a', 'a'),
      {
        added: { 'f:containers': { [item('a')]: {} } },
        removed: { 'f:containers': { [item('a')]: { '.': {}, 'f:name': {} } } },
      },
    ],
    [
      'duplicates that change',
      { containers: [{ name: 'a' }, { name: 'a' }] },
      { containers: [{ name: 'a' }, { name: 'a', image: 'i' }] },
      { modified: { 'f:containers': { [item('a')]: {} } } },
    ],
  ];
  for (const [name, before, after, sets] of rows) {
    it(`finds ${name}`, () => {
      const { added = {}, modified = {}, removed = {} } = sets;
      assert.deepEqual(compareTyped(before, after, podSpec), { added, modified, removed });
      assert.deepEqual(compareTyped(after, before, podSpec).added, removed);
    });
  }
  it('does not allocate for equal values', () => {
    assert.equal(compareTyped(containers('a'), containers('a'), podSpec), noDifference);
  });
  it('deduces what no schema describes', () => {
    assert.deepEqual(compareTyped({ a: { b: 1 }, c: [1] }, { a: { b: 2 }, c: [2] }, deducedAtom), {
      added: {},
      modified: { 'f:a': { 'f:b': {} }, 'f:c': {} },
      removed: {},
    });
    assert.deepEqual(compareTyped({ a: 1 }, { a: { b: 1 } }, deducedAtom), {
      added: { 'f:a': { 'f:b': {} } },
      modified: { 'f:a': {} },
      removed: {},
    });
  });
});

describe('fieldSetOfTyped', () => {
  const rows: [JsonObject, JsonObject][] = [
    [{}, {}],
    [containers('a'), { 'f:containers': { [item('a')]: { '.': {}, 'f:name': {} } } }],
    [{ nodeSelector: { a: 'b' } }, { 'f:nodeSelector': {} }],
    [{ containers: [] }, {}],
    [{ securityContext: {} }, { 'f:securityContext': {} }],
    [{ securityContext: null }, { 'f:securityContext': {} }],
    [{ securityContext: { runAsUser: 1 } }, { 'f:securityContext': { 'f:runAsUser': {} } }],
    [
      { containers: [{ name: 'a', resources: { limits: { cpu: '1' } } }] },
      {
        'f:containers': {
          [item('a')]: { '.': {}, 'f:name': {}, 'f:resources': { 'f:limits': { 'f:cpu': {} } } },
        },
      },
    ],
  ];
  for (const [value, set] of rows) {
    it(JSON.stringify(value), () => assert.deepEqual(fieldSetOfTyped(value, podSpec), set));
  }
  it('owns members of maps and items of sets', () => {
    assert.deepEqual(fieldSetOfTyped({ labels: { b: '1', a: '2' }, finalizers: ['x'] }, podMeta), {
      'f:finalizers': { 'v:"x"': {} },
      'f:labels': { 'f:a': {}, 'f:b': {} },
    });
  });
});

describe('mergeTyped', () => {
  const names = (value: JsonValue) =>
    ((value as JsonObject)['containers'] as JsonObject[]).map((c) => c['name']).join('');
  const orders: [live: string, config: string, merged: string][] = [
    ['abc', 'abc', 'abc'],
    ['abc', 'c', 'abc'],
    ['abc', 'ca', 'bca'],
    ['abc', 'dc', 'abdc'],
    ['abc', 'cd', 'abcd'],
    ['', 'ba', 'ba'],
    ['ab', '', 'ab'],
    ['abcd', 'dxb', 'acdxb'],
  ];
  for (const [live, config, merged] of orders) {
    it(`orders ${live || 'nothing'} and ${config || 'nothing'} as ${merged}`, () => {
      assert.equal(names(mergeTyped(containers(...live), containers(...config), podSpec)), merged);
    });
  }
  it('replaces what is atomic and keeps what is not named', () => {
    const live = { nodeName: 'n', nodeSelector: { a: '1' }, tolerations: [{ key: 'a' }] };
    const config = { nodeSelector: { b: '2' }, tolerations: [{ key: 'b' }] };
    assert.deepEqual(mergeTyped(live, config, podSpec), { nodeName: 'n', ...config });
  });
  it('does not empty by null', () => {
    const live = { ...containers('a'), nodeName: 'n' };
    assert.deepEqual(mergeTyped(live, { containers: null, nodeName: null }, podSpec), {
      ...containers('a'),
      nodeName: null,
    });
  });
  it('gives the live value when nothing changes', () => {
    const live = { containers: [{ name: 'a', image: 'i' }, { name: 'b' }] };
    assert.equal(mergeTyped(live, { containers: [{ name: 'a', image: 'i' }] }, podSpec), live);
  });
  it('keeps duplicates of the live value that the configuration does not name', () => {
    const merged = mergeTyped(containers('a', 'a', 'b'), containers('c'), podSpec);
    assert.equal(names(merged), 'aabc');
    assert.equal(names(mergeTyped(containers('a', 'a', 'b'), containers('a'), podSpec)), 'ab');
  });
});

describe('removeTyped', () => {
  const value = {
    nodeName: 'n',
    containers: [{ name: 'a', image: 'i' }, { name: 'b' }],
    nodeSelector: { x: '1' },
  };
  const rows: [JsonObject, JsonObject][] = [
    [{ 'f:nodeName': {} }, { containers: value.containers, nodeSelector: value.nodeSelector }],
    [{ 'f:containers': { [item('a')]: {} } }, { ...value, containers: [{ name: 'b' }] }],
    [
      { 'f:containers': { [item('a')]: { 'f:image': {} } } },
      { ...value, containers: [{ name: 'a' }, { name: 'b' }] },
    ],
    [{ 'f:containers': { [item('a')]: {}, [item('b')]: {} } }, { ...value, containers: null }],
    [{ 'f:nodeSelector': { 'f:x': {} } }, { ...value, nodeSelector: null }],
  ];
  for (const [set, rest] of rows) {
    it(JSON.stringify(set), () => {
      assert.deepEqual(removeTyped(value, parseFieldSet(set), podSpec), rest);
    });
  }
  it('gives the value when nothing of it goes', () => {
    assert.equal(removeTyped(value, parseFieldSet({ 'f:hostname': {} }), podSpec), value);
    assert.equal(removeTyped(value, {}, podSpec), value);
  });
});

describe('corrections of sets', () => {
  it('adds named fields', () => {
    const set = {
      'f:containers': { [item('a')]: { 'f:resources': { 'f:limits': { 'f:cpu': {} } } } },
    };
    assert.deepEqual(withNamedFields(set, podSpec), {
      'f:containers': {
        '.': {},
        [item('a')]: { 'f:resources': { '.': {}, 'f:limits': { '.': {}, 'f:cpu': {} } } },
      },
    });
  });
  it('owns the whole of what became atomic', () => {
    const set = { 'f:nodeSelector': { 'f:a': {} }, 'f:containers': { [item('a')]: {} } };
    assert.deepEqual(reconcileFieldSet(set, podSpec), { ...set, 'f:nodeSelector': {} });
    assert.equal(reconcileFieldSet(set, deducedAtom), set);
  });
});
