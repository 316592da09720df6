import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinResources } from '@keelson/apimachinery';
import { createResourceIndex, type ResourceEndpoint } from '../../registry/resource-endpoint.ts';
import { createOpenApiDocuments, type OpenApiDocument } from './documents.ts';
import { encodeOpenApiV2 } from './openapi-v2-protobuf.ts';

interface WireField {
  readonly number: number;
  readonly value: number | Buffer;
}

/** The fields of one message, by nothing but the wire format. */
function fieldsOf(bytes: Uint8Array): WireField[] {
  const buffer = Buffer.from(bytes);
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): number => {
    let result = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = buffer.readUInt8(at++);
      result += (byte & 0x7f) * factor;
      if (byte < 0x80) return result;
    }
  };
  while (at < buffer.length) {
    const header = varint();
    const number = Math.floor(header / 8);
    const wire = header % 8;
    if (wire === 0) fields.push({ number, value: varint() });
    else if (wire === 1) fields.push({ number, value: buffer.readDoubleLE((at += 8) - 8) });
    else {
      assert.equal(wire, 2);
      const length = varint();
      assert.ok(at + length <= buffer.length);
      fields.push({ number, value: buffer.subarray(at, (at += length)) });
    }
  }
  return fields;
}

/** What is at a path of field numbers, all occurrences of it. */
function at(bytes: Uint8Array, ...path: readonly number[]): (number | Buffer)[] {
  return path.reduce<(number | Buffer)[]>(
    (found, number) =>
      found.flatMap((v) =>
        typeof v === 'number'
          ? assert.fail('a scalar has no fields')
          : fieldsOf(v)
              .filter((f) => f.number === number)
              .map((f) => f.value),
      ),
    [Buffer.from(bytes)],
  );
}
const texts = (found: readonly (number | Buffer)[]): string[] => found.map(String);

/** The first schema of a document with this one definition. */
const encodedSchema = (schema: object): Buffer =>
  at(encodeOpenApiV2({ definitions: { a: schema } }), 9, 1, 2)[0] as Buffer;

const schemas: readonly (readonly [string, object, readonly number[], readonly unknown[]])[] = [
  ['a reference', { $ref: '#/definitions/b' }, [1], ['#/definitions/b']],
  ['a type', { type: 'object' }, [22, 1], ['object']],
  ['items', { items: { format: 'int32' } }, [23, 1, 2], ['int32']],
  ['names of properties', { properties: { x: {}, y: {} } }, [25, 1, 1], ['x', 'y']],
  ['properties named like extensions', { properties: { 'x-y': {} } }, [25, 1, 1], ['x-y']],
  ['values of properties', { properties: { x: { title: 't' } } }, [25, 1, 2, 3], ['t']],
  ['a schema of more', { additionalProperties: { title: 't' } }, [21, 1, 3], ['t']],
  ['that there is more', { additionalProperties: true }, [21, 2], [1]],
  ['that there is no more', { additionalProperties: false }, [21, 2], [0]],
  ['required names', { required: ['x', 'y'] }, [19], ['x', 'y']],
  ['choices', { enum: ['x', 1] }, [20, 2], ['"x"\n', '1\n']],
  ['a default', { default: { x: [1] } }, [5, 2], ['{"x":[1]}\n']],
  ['a bound', { maximum: 2.5 }, [7], [2.5]],
  ['a length', { maxLength: 300 }, [11], [300]],
  ['the name of an extension', { 'x-k': ['y'] }, [31, 1], ['x-k']],
  ['the value of an extension', { 'x-k': ['y'] }, [31, 2, 2], ['["y"]\n']],
  ['nothing for what is undefined', { title: undefined }, [3], []],
  ['no empty string', { title: '' }, [3], []],
];
for (const [what, schema, path, wanted] of schemas) {
  test(`a schema has ${what}`, () => {
    const found = at(encodedSchema(schema), ...path);
    assert.deepEqual(
      found.map((v) => (typeof v === 'number' ? v : v.toString())),
      wanted,
    );
  });
}

test('a small document has these bytes', () => {
  assert.equal(
    Buffer.from(encodeOpenApiV2({ swagger: '2.0', info: { title: 'a', version: 'b' } })).toString(
      'hex',
    ),
    '0a03322e3012060a0161120162',
  );
});

test('operations have parameters by their place and responses by their code', () => {
  const get = {
    operationId: 'op',
    parameters: [
      { in: 'body', name: 'b', schema: {} },
      { in: 'header', name: 'h', type: 'string' },
      { in: 'formData', name: 'f', type: 'string' },
      { in: 'query', name: 'q', type: 'string', uniqueItems: true },
      { in: 'path', name: 'p', type: 'string', required: true },
      { $ref: '#/parameters/r' },
    ],
    responses: { 200: { description: 'OK', schema: { title: 't' } }, default: { $ref: 'e' } },
    'x-kubernetes-action': 'get',
  };
  const bytes = encodeOpenApiV2({ paths: { '/a': { get } } });
  assert.deepEqual(texts(at(bytes, 8, 2, 1)), ['/a']);
  const operation = at(bytes, 8, 2, 2, 2)[0] as Buffer;
  assert.deepEqual(texts(at(operation, 5)), ['op']);
  assert.deepEqual(texts(at(operation, 8, 1, 1, 2)), ['b']);
  const names = [1, 2, 3, 4].map((place) => texts(at(operation, 8, 1, 2, place, 4)));
  assert.deepEqual(names, [['h'], ['f'], ['q'], ['p']]);
  assert.deepEqual(at(operation, 8, 1, 2, 3, 20), [1], 'unique items of query parameters');
  assert.deepEqual(at(operation, 8, 1, 2, 4, 1), [1], 'required path parameters');
  assert.deepEqual(texts(at(operation, 8, 2, 1)), ['#/parameters/r']);
  assert.deepEqual(texts(at(operation, 9, 1, 1)), ['200', 'default']);
  assert.deepEqual(texts(at(operation, 9, 1, 2, 1, 2, 1, 3)), ['t']);
  assert.deepEqual(texts(at(operation, 9, 1, 2, 2, 1)), ['e']);
  assert.deepEqual(texts(at(operation, 13, 2, 2)), ['"get"\n']);
});

const refused: readonly (readonly [string, object, RegExp])[] = [
  ['a key of no message', { openapi: '3.0' }, /Document has no field "openapi"/],
  ['one deep inside', { definitions: { a: { nullable: true } } }, /Schema has no field "nullable"/],
  ['an inherited name', { constructor: {} }, /Document has no field "constructor"/],
  ['another type', { swagger: 2 }, /expected a string, got 2/],
  ['a list that is none', { schemes: 'https' }, /expected an array/],
  ['an object that is none', { info: [] }, /expected an object/],
  ['half a length', { definitions: { a: { maxLength: 1.5 } } }, /expected an integer/],
  [
    'an extension of a reference',
    { paths: { a: { parameters: [{ $ref: 'r', 'x-a': 1 }] } } },
    /x-a/,
  ],
  ['a parameter of no place', { parameters: { a: { in: 'cookie' } } }, /no form for "cookie"/],
];
for (const [what, document, reason] of refused) {
  test(`${what} is refused`, () => assert.throws(() => encodeOpenApiV2(document), reason));
}

const textOf = ({ chunks }: OpenApiDocument) => Buffer.concat(chunks).toString();

function builtinIndex() {
  const index = createResourceIndex();
  for (const definition of builtinResources())
    index.put({ definition, custom: false } as unknown as ResourceEndpoint);
  return index;
}

test('the document of all built-in resources keeps every path and definition', async () => {
  const documents = createOpenApiDocuments(builtinIndex(), 'v1.0.0');
  const document = JSON.parse(textOf(await documents.v2())) as {
    paths: Record<string, object>;
    definitions: Record<string, { properties?: object }>;
  };
  const bytes = Buffer.concat((await documents.v2Protobuf()).chunks);
  const occurrences = (...path: readonly number[]) => texts(at(bytes, ...path)).toSorted();
  assert.deepEqual(occurrences(8, 2, 1), Object.keys(document.paths).toSorted());
  assert.deepEqual(occurrences(9, 1, 1), Object.keys(document.definitions).toSorted());
  assert.deepEqual(
    occurrences(9, 1, 2, 25, 1, 1),
    Object.values(document.definitions)
      .flatMap((d) => Object.keys(d.properties ?? {}))
      .toSorted(),
  );
  assert.deepEqual(occurrences(13, 1, 2, 2, 2), ['authorization']);
  assert.deepEqual(occurrences(12, 1, 1), ['BearerToken']);
});

test('paths and definitions are in order, whatever parts they come from', async () => {
  const documents = createOpenApiDocuments(builtinIndex(), 'v1.0.0');
  const { paths, definitions } = JSON.parse(textOf(await documents.v2())) as Record<string, object>;
  for (const names of [Object.keys(paths ?? {}), Object.keys(definitions ?? {})]) {
    assert.ok(names.length > 100);
    assert.deepEqual(names, names.toSorted());
  }
});

test('both forms are kept until the served resources change', async () => {
  const index = builtinIndex();
  const documents = createOpenApiDocuments(index, 'v1.0.0');
  const first = await documents.v2Protobuf();
  assert.equal(await documents.v2Protobuf(), first);
  assert.notEqual(first.hash, (await documents.v2()).hash);
  const { group, version, resource } = index.list()[0]!.definition;
  index.remove({ group, version, resource });
  assert.notEqual((await documents.v2Protobuf()).hash, first.hash);
});
