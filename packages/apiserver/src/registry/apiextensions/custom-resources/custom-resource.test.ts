import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  asKubeObject,
  builtinType,
  decodeValue,
  renderFieldError,
  type JsonObject,
} from '@keelson/apimachinery';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import { testContext } from '../../testing/run-strategy.ts';
import { createCustomResource } from './custom-resource.ts';

const type = builtinType('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
if (type === undefined) throw new Error('the schema of ObjectMeta is missing');
const objectMeta = type;

const openAPIV3Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer', format: 'int32', default: 1, maximum: 10 },
        color: { type: 'string' },
        names: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      },
    },
    status: { type: 'object', properties: { size: { type: 'integer' } } },
  },
} as NonNullable<CustomResourceDefinitionVersion['schema']>['openAPIV3Schema'];

const v1: CustomResourceDefinitionVersion = {
  name: 'v1',
  served: true,
  storage: true,
  schema: { openAPIV3Schema },
  subresources: {
    status: {},
    scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' },
  },
  selectableFields: [{ jsonPath: '.spec.color' }],
  additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
};
const v2: CustomResourceDefinitionVersion = {
  name: 'v2',
  served: true,
  storage: false,
  deprecated: true,
  schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } },
};

function resource(more: Partial<CustomResourceDefinition> = {}) {
  const crd: CustomResourceDefinition = {
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
      versions: [v1, v2, { ...v2, name: 'v3', served: false }],
    },
    ...more,
  };
  return createCustomResource(crd, {
    objectMeta,
    decodeMetadata(value) {
      const { value: metadata, strictErrors } = decodeValue(value, objectMeta, { strict: true });
      return { metadata, unknownFields: strictErrors };
    },
  });
}

function served(name = 'v1', more: Partial<CustomResourceDefinition> = {}) {
  const version = resource(more).versions.get(name);
  if (version === undefined) throw new Error(`${name} is not served`);
  return version;
}

const thing = (rest: JsonObject = {}): JsonObject => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name: 'a', namespace: 'ns' },
  ...rest,
});

test('served versions, and no others', () => {
  assert.deepEqual([...resource().versions.keys()], ['v1', 'v2']);
  assert.equal(resource().storageVersion, 'v1');
  assert.equal(served('v2').deprecationWarning, 'example.com/v2 Thing is deprecated');
});

test('the definition of a version', () => {
  const { definition } = served();
  assert.equal(definition.kind, 'Thing');
  assert.equal(definition.namespaced, true);
  assert.deepEqual(definition.subresources.map(({ name }) => name).sort(), ['scale', 'status']);
});

test('reading drops what is unknown and tells it', () => {
  const object = thing({ spec: { color: 'red', shade: 1 }, other: true });
  assert.deepEqual(served().coerce(object), ['other', 'spec.shade']);
  assert.deepEqual(object, thing({ spec: { color: 'red' } }));
});

test('metadata that cannot be read', () => {
  const object = thing({ metadata: { name: 1 } });
  assert.throws(() => served().coerce(object), /cannot be handled as a Thing/);
});

const invalid: readonly (readonly [string, JsonObject, readonly string[]])[] = [
  ['a thing', thing({ spec: { size: 2 } }), []],
  [
    'too large',
    thing({ spec: { size: 11 } }),
    ['spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10'],
  ],
  ['repetition', thing({ spec: { names: ['a', 'a'] } }), ['spec.names[1]: Duplicate value: "a"']],
  [
    'a negative scale',
    thing({ spec: { size: -1 } }),
    ['.spec.size: Invalid value: -1: should be a non-negative integer'],
  ],
  ['another kind', { ...thing(), kind: 'Other' }, ['kind: Invalid value: "Other": must be Thing']],
];

for (const [name, object, expected] of invalid) {
  test(`custom resource: ${name}`, () => {
    const errors = served().strategy.validate?.(asKubeObject(structuredClone(object)), testContext);
    assert.deepEqual(errors?.map(renderFieldError), expected);
  });
}

test('the status is not created, and not changed by updates', () => {
  const { strategy } = served();
  const created = asKubeObject(thing({ spec: {}, status: { size: 3 } }));
  strategy.applyDefaults?.(created, testContext.features);
  strategy.prepareForCreate?.(created, testContext);
  assert.deepEqual([created['spec'], created['status']], [{ size: 1 }, undefined]);
  assert.equal(created.metadata.generation, 1);

  const old = asKubeObject({ ...thing({ spec: { size: 1 }, status: { size: 3 } }) });
  const updated = asKubeObject(thing({ spec: { size: 2 }, status: { size: 4 } }));
  old.metadata.generation = 1;
  strategy.prepareForUpdate?.(updated, old, testContext);
  assert.deepEqual([updated['status'], updated.metadata.generation], [{ size: 3 }, 2]);
});

test('the status subresource changes the status only', () => {
  const status = served().strategy.subresources?.['status'];
  const old = asKubeObject(thing({ spec: { size: 1 } }));
  const updated = asKubeObject(thing({ spec: { size: 2 }, status: { size: 4 } }));
  status?.prepareForUpdate(updated, old, testContext);
  assert.deepEqual([updated['spec'], updated['status']], [{ size: 1 }, { size: 4 }]);
});

test('without a status subresource the status is a field like others', () => {
  const object = asKubeObject(thing({ status: { size: 3 } }));
  served('v2').strategy.prepareForCreate?.(object, testContext);
  assert.deepEqual(object['status'], { size: 3 });
});

test('cells and fields', () => {
  const object = asKubeObject(thing({ spec: { size: 2, color: 'red' } }));
  const { strategy } = served();
  assert.deepEqual(strategy.tableCells?.(object, 0), ['a', 2]);
  assert.deepEqual(strategy.fieldValues?.(object), { 'spec.color': 'red' });
});

test('scale', () => {
  const { scale } = served();
  const object = asKubeObject(thing({ spec: { size: 2 }, status: { size: 1 } }));
  const projected = scale?.project(object) as JsonObject | undefined;
  assert.deepEqual(
    [projected?.['spec'], projected?.['status']],
    [{ replicas: 2 }, { replicas: 1 }],
  );
});

test('conversion without a webhook changes the version and drops what that does not know', () => {
  const converted = resource().convert(thing({ spec: { size: 2 } }), 'v2');
  assert.deepEqual(converted, { ...thing({ spec: {} }), apiVersion: 'example.com/v2' });
});

test('nothing is created while the definition is being deleted', async () => {
  const status = { conditions: [{ type: 'Terminating', status: 'True' }] };
  const { strategy } = served('v1', { status });
  await assert.rejects(async () => strategy.beginCreate?.(asKubeObject(thing()), testContext), {
    message: /create is not supported/,
  });
});
