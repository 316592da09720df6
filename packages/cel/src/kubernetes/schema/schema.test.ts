import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatType } from '../../types/format-type.ts';
import { isEqual } from '../../values/equality.ts';
import { fromJson, type JsonLike } from '../../values/json.ts';
import { concatLists } from '../../values/list.ts';
import { isError, isList, isMap } from '../../values/value.ts';
import { declareType } from './declared-type.ts';
import { escapeProperty } from './escaping.ts';
import type { StructuralSchema } from './schema.ts';
import { costEstimatorOf, typeProviderOf } from './schema-environment.ts';
import { schemaValue } from './schema-value.ts';

describe('names of properties', () => {
  const rows: readonly [name: string, identifier: string | undefined][] = [
    ['plain', 'plain'],
    ['foo-bar', 'foo__dash__bar'],
    ['a.b/c', 'a__dot__b__slash__c'],
    ['a__b', 'a__underscores__b'],
    ['namespace', '__namespace__'],
    ['for', '__for__'],
    ['1a', undefined],
    ['a$', undefined],
    ['', undefined],
  ];
  for (const [name, identifier] of rows) {
    it(`${name} is ${identifier}`, () => assert.equal(escapeProperty(name), identifier));
  }
});

const text: StructuralSchema = { type: 'string' };
const listOf = (items: StructuralSchema, more: StructuralSchema = {}): StructuralSchema => ({
  type: 'array',
  items,
  ...more,
});

describe('declared types', () => {
  const rows: readonly [schema: StructuralSchema, type: string | undefined, elementsMax: number][] =
    [
      [{ type: 'integer' }, 'int', 0],
      [{ type: 'number' }, 'double', 0],
      [{ type: 'boolean' }, 'bool', 0],
      [text, 'string', 3145726],
      [{ type: 'string', maxLength: 10 }, 'string', 40],
      [{ type: 'string', enum: ['a', 'long'] }, 'string', 4],
      [{ type: 'string', format: 'byte', maxLength: 10 }, 'bytes', 10],
      [{ type: 'string', format: 'duration' }, 'duration', 32],
      [{ type: 'string', format: 'date' }, 'timestamp', 12],
      [{ 'x-kubernetes-int-or-string': true }, 'dyn', 3145726],
      [listOf(text), 'list(string)', 1048575],
      [listOf(text, { maxItems: 5n }), 'list(string)', 5],
      [{ type: 'object', additionalProperties: { type: 'integer' } }, 'map(string, int)', 449389],
      [{ type: 'object', additionalProperties: text, maxProperties: 2 }, 'map(string, string)', 2],
      [{ type: 'array' }, undefined, 0],
      [{}, undefined, 0],
    ];
  for (const [schema, type, elementsMax] of rows) {
    it(`of ${JSON.stringify(schema, (_key, v: unknown) => (typeof v === 'bigint' ? Number(v) : v))}`, () => {
      const declared = declareType(schema, 'T');
      assert.equal(declared && formatType(declared.type), type);
      assert.equal(declared?.elementsMax ?? 0, elementsMax);
    });
  }

  const schema: StructuralSchema = {
    type: 'object',
    required: ['name', 'kept'],
    properties: {
      name: text,
      kept: { type: 'integer', default: 5 },
      'a-b': listOf({ type: 'object', properties: { namespace: text } }, { maxItems: 3 }),
      hidden: { 'x-kubernetes-int-or-string': false },
    },
  };

  it('of objects have fields, sizes and required parts', () => {
    const declared = declareType(schema, 'T');
    assert.ok(declared);
    assert.equal(declared.serializedSizeMin, 2 + 4 + 2 + 4);
    assert.deepEqual([...(declared.fields?.keys() ?? [])], ['name', 'kept', 'a__dash__b']);
    const types = typeProviderOf(declared);
    const item = types.findField('T', 'a__dash__b')?.type.parameters[0];
    assert.ok(item);
    assert.equal(types.findField(item.name, 'namespace')?.type.kind, 'string');
    assert.equal(types.findField('T', 'hidden'), undefined);
    assert.equal(types.findType('U'), undefined);
  });

  it('of resources always have their names', () => {
    const fields = declareType({ type: 'object' }, 'T', true)?.fields;
    assert.deepEqual([...(fields?.keys() ?? [])].sort(), ['apiVersion', 'kind', 'metadata']);
    assert.deepEqual(
      [...(fields?.get('metadata')?.fields?.keys() ?? [])],
      ['name', 'generateName'],
    );
  });

  it('bound the sizes of variables', () => {
    const declared = declareType(schema, 'T');
    assert.ok(declared);
    const estimator = costEstimatorOf(declared);
    const sizeAt = (...path: string[]) =>
      estimator.estimateSize({
        path,
        type: declared.type,
        expression: { id: 1, kind: 'identifier', name: 'self' },
        computedSize: undefined,
      });
    assert.deepEqual(sizeAt('self', 'a__dash__b'), { min: 0, max: 3 });
    assert.deepEqual(sizeAt('oldSelf', 'name'), { min: 0, max: 3145726 });
    assert.equal(sizeAt('self', 'nope'), undefined);
  });
});

describe('values of a schema', () => {
  const value = (json: JsonLike, schema: StructuralSchema, isResource = false) => {
    const found = schemaValue(json, schema, isResource);
    assert.ok(!isError(found), String(json));
    return found;
  };
  const equal = (schema: StructuralSchema, a: JsonLike, b: JsonLike) =>
    isEqual(value(a, schema), value(b, schema));

  const set = listOf(text, { 'x-kubernetes-list-type': 'set' });
  const byKey = listOf(
    { type: 'object', properties: { k: text, v: { type: 'integer' } } },
    { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'] },
  );

  it('compare sets and keyed lists without order', () => {
    assert.ok(equal(set, ['a', 'b'], ['b', 'a']));
    assert.ok(!equal(set, ['a', 'b'], ['a', 'c']));
    assert.ok(!equal(set, ['a'], ['a', 'b']));
    assert.ok(!equal(listOf(text), ['a', 'b'], ['b', 'a']));
    const [one, two] = [
      { k: 'a', v: 1 },
      { k: 'b', v: 2 },
    ];
    assert.ok(equal(byKey, [one, two], [two, one]));
    assert.ok(!equal(byKey, [one, two], [two, { k: 'a', v: 5 }]));
  });

  it('merge sets and keyed lists', () => {
    const merge = (schema: StructuralSchema, a: JsonLike, b: JsonLike) => {
      const [left, right] = [value(a, schema), value(b, schema)];
      assert.ok(isList(left) && isList(right));
      const merged = concatLists(left, right);
      assert.ok(isList(merged));
      return merged;
    };
    assert.ok(isEqual(merge(set, ['a', 'b'], ['b', 'c']), fromJson(['a', 'b', 'c'])));
    const keyed = merge(
      byKey,
      [
        { k: 'a', v: 1 },
        { k: 'b', v: 2 },
      ],
      [{ k: 'a', v: 9 }],
    );
    assert.equal(keyed.size, 2);
    assert.ok(isEqual(keyed.get(0), value({ k: 'a', v: 9 }, byKey.items as StructuralSchema)));
  });

  it('show declared fields only, null as absent', () => {
    const schema: StructuralSchema = {
      type: 'object',
      properties: { 'a-b': text, namespace: text, gone: text },
    };
    const object = value({ 'a-b': 'x', namespace: 'n', gone: null, other: 1 }, schema);
    assert.ok(isMap(object));
    assert.equal(object.get('a__dash__b'), 'x');
    assert.equal(object.get('a-b'), undefined);
    assert.equal(object.get('namespace'), 'n');
    assert.equal(object.get('__namespace__'), 'n');
    assert.equal(object.get('gone'), undefined);
    assert.equal(object.get('other'), undefined);
    assert.equal(object.get('constructor'), undefined);
    assert.deepEqual([...object.keys()], ['a__dash__b', '__namespace__']);
    assert.ok(
      !isEqual(object, value({ 'a-b': 'x', namespace: 'n', gone: null, other: 2 }, schema)),
    );
  });

  it('read texts by format', () => {
    const formatted = (format: string, json: string) =>
      schemaValue(json, { type: 'string', format });
    assert.deepEqual(formatted('byte', 'aGk='), new TextEncoder().encode('hi'));
    assert.deepEqual(formatted('duration', '1s'), {
      kind: 'duration',
      nanoseconds: 1_000_000_000n,
    });
    assert.deepEqual(formatted('date', '1970-01-01'), { kind: 'timestamp', nanoseconds: 0n });
    assert.ok(isError(formatted('date', 'never')));
  });

  it('that do not fit are errors', () => {
    for (const [json, schema] of [
      [null, text],
      [5, text],
      ['5', { type: 'integer' }],
      [1.5, { type: 'integer' }],
      [[], { type: 'object' }],
      [{}, listOf(text)],
      [true, { 'x-kubernetes-int-or-string': true }],
    ] as const) {
      assert.ok(isError(schemaValue(json, schema)), JSON.stringify(json));
    }
    assert.equal(value(null, { ...text, nullable: true }), null);
    assert.equal(value(5, { 'x-kubernetes-int-or-string': true }), 5n);
  });

  it('of a resource have its names', () => {
    const root = value({ metadata: { name: 'n', labels: {} } }, { type: 'object' }, true);
    assert.ok(isMap(root));
    const metadata = root.get('metadata');
    assert.ok(metadata && isMap(metadata));
    assert.equal(metadata.get('name'), 'n');
    assert.equal(metadata.get('labels'), undefined);
  });
});
