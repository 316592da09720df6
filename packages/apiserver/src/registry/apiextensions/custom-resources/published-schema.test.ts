import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@keelson/apimachinery';
import {
  publishedSchemas,
  type OpenApiVersion,
  type PublishedResource,
} from './published-schema.ts';

const resource: PublishedResource = {
  group: 'example.com',
  version: 'v1',
  kind: 'Thing',
  listKind: 'ThingList',
  plural: 'things',
  typeName: 'com.example.v1.Thing',
  listTypeName: 'com.example.v1.ThingList',
  schema: undefined,
  preserveUnknownFields: false,
};

function published(openApi: OpenApiVersion, change: Partial<PublishedResource>): JsonObject {
  return publishedSchemas({ ...resource, ...change }, openApi)['com.example.v1.Thing'] ?? {};
}
const specOf = (openApi: OpenApiVersion, spec: JsonObject) => {
  const schema = { type: 'object', properties: { spec } };
  return (published(openApi, { schema })['properties'] as JsonObject)['spec'];
};

test('both definitions say which kinds they are, and have what every object has', () => {
  const schemas = publishedSchemas({ ...resource, schema: { type: 'object' } }, 3);
  assert.deepEqual(Object.keys(schemas), ['com.example.v1.Thing', 'com.example.v1.ThingList']);
  const [thing, list] = Object.values(schemas);
  assert.deepEqual(Object.keys(thing?.['properties'] ?? {}), ['apiVersion', 'kind', 'metadata']);
  assert.deepEqual(thing?.['x-kubernetes-group-version-kind'], [
    { group: 'example.com', kind: 'Thing', version: 'v1' },
  ]);
  assert.equal(list?.['description'], 'ThingList is a list of Thing');
  assert.deepEqual(list['required'], ['items']);
});

test('references are those of their version', () => {
  const metadata = (openApi: OpenApiVersion) =>
    (published(openApi, { schema: { type: 'object' } })['properties'] as JsonObject)['metadata'];
  const name = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
  assert.deepEqual((metadata(3) as JsonObject)['allOf'], [
    { $ref: `#/components/schemas/${name}` },
  ]);
  assert.equal((metadata(2) as JsonObject)['$ref'], `#/definitions/${name}`);
});

const shown: readonly (readonly [string, JsonObject, v3: JsonObject, v2: JsonObject])[] = [
  [
    'bounds, formats and extensions',
    { type: 'string', maxLength: 5, pattern: 'a', 'x-kubernetes-validations': [{ rule: 'true' }] },
    { type: 'string', maxLength: 5, pattern: 'a', 'x-kubernetes-validations': [{ rule: 'true' }] },
    { type: 'string', maxLength: 5, pattern: 'a', 'x-kubernetes-validations': [{ rule: 'true' }] },
  ],
  [
    'alternatives',
    { type: 'integer', anyOf: [{ minimum: 1 }], not: { enum: [3] } },
    { type: 'integer', anyOf: [{ minimum: 1 }], not: { enum: [3] } },
    { type: 'integer' },
  ],
  [
    'what may be null',
    { type: 'array', nullable: true, items: { type: 'string' } },
    { type: 'array', nullable: true, items: { type: 'string' } },
    {},
  ],
  [
    'what must be there and may be null',
    { type: 'object', required: ['a', 'b'], properties: { a: { type: 'string', nullable: true } } },
    { type: 'object', required: ['a', 'b'], properties: { a: { type: 'string', nullable: true } } },
    { type: 'object', required: ['b'], properties: { a: {} } },
  ],
  [
    'what may hold anything',
    {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { a: { type: 'string' } },
    },
    {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { a: { type: 'string' } },
    },
    { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  ],
  [
    'maps and lists, as deep as they go',
    { type: 'object', additionalProperties: { type: 'array', items: { nullable: true } } },
    { type: 'object', additionalProperties: { type: 'array', items: { nullable: true } } },
    { type: 'object', additionalProperties: { type: 'array', items: {} } },
  ],
  [
    'what nobody reads',
    { type: 'string', example: 'a', externalDocs: {} },
    { type: 'string' },
    { type: 'string' },
  ],
];
for (const [what, given, v3, v2] of shown)
  test(`${what} in both versions`, () => {
    const before = structuredClone(given);
    assert.deepEqual(specOf(3, given), v3);
    assert.deepEqual(specOf(2, given), v2);
    assert.deepEqual(given, before);
  });

test('embedded resources have what every object has', () => {
  const spec = specOf(3, { type: 'object', 'x-kubernetes-embedded-resource': true }) as JsonObject;
  assert.deepEqual(Object.keys(spec['properties'] as object), ['apiVersion', 'kind', 'metadata']);
});

test('without a schema, and in version 2 where anything goes, nothing is said', () => {
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  for (const [openApi, change] of [
    [3, {}],
    [2, {}],
    [2, { schema: open }],
    [2, { schema: { type: 'object' }, preserveUnknownFields: true }],
  ] as const)
    assert.equal(published(openApi, change)['properties'], undefined);
  assert.notEqual(published(3, { schema: open })['properties'], undefined);
});
