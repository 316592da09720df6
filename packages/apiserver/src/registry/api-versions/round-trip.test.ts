// No field is lost between the versions of a kind: what is stored comes back from every version in
// which it can be served, and what is served comes back from storage. Objects are made at random
// from the schemas, so every field occurs.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  builtinResources,
  createSeededRandom,
  decodeValue,
  optionalResources,
  formatApiVersion,
  systemClock,
  type Field,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type ResourceDefinition,
  type StructType,
  type TypeRef,
} from '@keelson/apimachinery';
import { createMetrics } from '../../metrics.ts';
import type { ObjectSource } from '../../object-source.ts';
import type { ObjectSources } from '../../object-sources.ts';
import { createFeatures } from '../../features/create-features.ts';
import { createBuiltinParts } from '../builtin-parts.ts';

const nothing = {
  get: () => undefined,
  list: () => [],
  subscribe: () => () => {},
} as unknown as ObjectSource;

const { conversions, strategies } = createBuiltinParts({
  sources: new Proxy({}, { get: () => nothing }) as unknown as ObjectSources,
  random: createSeededRandom(1),
  clock: systemClock,
  features: createFeatures({}),
  metrics: createMetrics(),
  authorizer: { name: 'nobody', authorize: async () => ({ decision: 'deny', reason: '' }) },
  serviceClusterIpRanges: ['10.96.0.0/16'],
  scopeOf: () => {
    throw new Error('no store is needed to convert');
  },
  creates: [],
});

const depthMax = 7;

function valueOf(ref: TypeRef, depth: number): fc.Arbitrary<JsonValue> {
  switch (ref.kind) {
    case 'bool':
      return fc.constant(true);
    case 'int32':
    case 'int64':
      return fc.integer({ min: 1, max: 1000 });
    case 'double':
      return fc.constantFrom(0.5, 2);
    case 'bytes':
      return fc.constantFrom('aGVsbG8=', 'eA==');
    case 'time':
      return fc.constant('2024-01-02T03:04:05Z');
    case 'micro-time':
      return fc.constant('2024-01-02T03:04:05.000006Z');
    case 'duration':
      return fc.constant('1m0s');
    case 'quantity':
      return fc.constantFrom('1', '250m', '2Gi');
    case 'int-or-string':
      return fc.constantFrom<JsonValue>(80, 'http');
    case 'any':
    case 'fields-v1':
      return fc.constant({ a: 1 });
    case 'list':
      return fc.array(valueOf(ref.items, depth + 1), { minLength: 1, maxLength: 2 });
    case 'map':
      return valueOf(ref.values, depth + 1).map((value) => ({ key: value }));
    case 'struct':
      return structOf(ref.type, depth + 1);
    default:
      return fc.constantFrom('a', 'b');
  }
}

function fieldOf(field: Field, depth: number): fc.Arbitrary<JsonValue | undefined> {
  const value =
    field.enum !== undefined && field.type.kind === 'string'
      ? fc.constantFrom(...field.enum.filter((word) => word !== ''))
      : valueOf(field.type, depth);
  return field.presence === 'always' ? value : fc.option(value, { nil: undefined, freq: 3 });
}

function structOf(type: StructType, depth: number): fc.Arbitrary<JsonObject> {
  const fields = type.fields.filter(({ name }) => name !== 'kind' && name !== 'apiVersion');
  const isDeep = depth > depthMax;
  const record = Object.fromEntries(
    fields
      .filter((field) => !isDeep || field.presence === 'always')
      .filter((field) => !(isDeep && field.type.kind !== 'string'))
      .map((field) => [field.name, fieldOf(field, depth)]),
  );
  return fc
    .record(record)
    .map(
      (object) =>
        Object.fromEntries(
          Object.entries(object).filter(([, value]) => value !== undefined),
        ) as JsonObject,
    );
}

function objectOf(definition: ResourceDefinition): fc.Arbitrary<KubeObject> {
  const head = { kind: definition.kind, apiVersion: formatApiVersion(definition) };
  const metadata = {
    name: 'a',
    uid: 'u',
    creationTimestamp: null,
    labels: { l: '1' },
    annotations: { a: '1' },
  };
  return structOf(definition.type, 0).map((content) =>
    defaulted(
      decoded({ ...head, ...content, metadata } as unknown as KubeObject, definition),
      definition,
    ),
  );
}

/** With the defaults of its version, as every object is when it is converted. */
function defaulted(object: KubeObject, { group, version, resource }: ResourceDefinition) {
  const key = `${group}/${version}/${resource}`;
  const stored = strategies[`${group}/${resource}`] ?? {};
  const own = { ...stored, ...conversions[key]?.strategy?.(stored), ...strategies[key] };
  own.applyDefaults?.(object, createFeatures({}));
  return object;
}

/** As it is after reading: zero values where Go has them, nothing that the schema does not have. */
function decoded(object: KubeObject, definition: ResourceDefinition): KubeObject {
  const { value, strictErrors } = decodeValue(
    structuredClone(object) as unknown as JsonObject,
    definition.type,
    { strict: true },
  );
  assert.deepEqual(strictErrors, []);
  return value as unknown as KubeObject;
}

const all = [...builtinResources(), ...optionalResources()];

// Only metrics that are valid survive in the annotations of v1; autoscaling.test.ts makes such.
const testedElsewhere = 'autoscaling/v1/horizontalpodautoscalers';

describe('versions of a kind', () => {
  for (const [key, conversion] of Object.entries(conversions)) {
    if (key === testedElsewhere) continue;
    const [group, version, resource] = key.split('/');
    const served = all.find(
      (d) => d.group === group && d.version === version && d.resource === resource,
    );
    const stored = all.find(
      (d) => d.keyPrefix === served?.keyPrefix && formatApiVersion(d) === d.storageVersion,
    );
    if (served === undefined || stored === undefined) throw new Error(`no definition of ${key}`);

    it(`${key}: what is stored comes back`, async () => {
      await fc.assert(
        fc.asyncProperty(objectOf(stored), async (object) => {
          const shown = decoded(await conversion.fromStored(structuredClone(object)), served);
          assert.equal(shown.apiVersion, formatApiVersion(served));
          assert.deepEqual(decoded(await conversion.toStored(shown), stored), object);
        }),
        { numRuns: 40 },
      );
    });

    it(`${key}: what is served comes back`, async () => {
      await fc.assert(
        fc.asyncProperty(objectOf(served), async (object) => {
          const kept = decoded(await conversion.toStored(structuredClone(object)), stored);
          assert.equal(kept.apiVersion, formatApiVersion(stored));
          assert.deepEqual(decoded(await conversion.fromStored(kept), served), object);
        }),
        { numRuns: 40 },
      );
    });
  }
});
