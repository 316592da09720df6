import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCreate, runUpdate } from '../../testing/run-strategy.ts';
import { apiextensionsStrategies } from '../strategies.ts';

const strategy = apiextensionsStrategies['customresourcedefinitions'] ?? {};
const names = { plural: 'things', kind: 'Thing' };
const schema = { openAPIV3Schema: { type: 'object' } };
const version = { name: 'v1', served: true, storage: true, schema };

function definition(spec: object = {}, metadata: object = {}) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.example.com', ...metadata },
    spec: { group: 'example.com', scope: 'Namespaced', names, versions: [version], ...spec },
  };
}
const versions = (...list: object[]) =>
  definition({ versions: list.map((one) => ({ ...version, ...one })) });
const ofSchema = (more: object) =>
  versions({ schema: { openAPIV3Schema: { type: 'object', properties: { a: more } } } });
/**
 * COMPAT: what is the same in all versions is reported where it stood before there were versions.
 */
const field = 'spec.validation.openAPIV3Schema.properties[a]';

const rows: readonly (readonly [string, object, readonly (string | RegExp)[]])[] = [
  ['the least', definition(), []],
  [
    'another name',
    definition({}, { name: 'x.example.com' }),
    ['metadata.name: Invalid value: "x.example.com": must be spec.names.plural+"."+spec.group'],
  ],
  [
    'a group without a dot',
    definition({ group: 'example' }, { name: 'things.example' }),
    ['spec.group: Invalid value: "example": should be a domain with at least one dot'],
  ],
  ['no scope', definition({ scope: '' }), [/^spec.scope: Required value$/]],
  [
    'no storage version',
    versions({ storage: false }),
    [
      /^spec.versions: Invalid value: .*: must have exactly one version marked as storage version$/s,
      /^status.storedVersions: Invalid value: null: must have at least one stored version$/,
    ],
  ],
  [
    'two storage versions',
    versions({}, { name: 'v2' }),
    [
      /must have exactly one version marked as storage version$/,
      'status.storedVersions: Invalid value: ["v1"]: must have the storage version v2',
    ],
  ],
  ['versions of one name', versions({}, { storage: false }), [/must contain unique version names/]],
  [
    'no schema',
    versions({ schema: undefined }),
    ['spec.versions[0].schema.openAPIV3Schema: Required value'],
  ],
  [
    'a field without type',
    ofSchema({ minLength: 1 }),
    [`${field}.type: Required value: must not be empty for specified object fields`],
  ],
  [
    'an unknown type',
    ofSchema({ type: 'text' }),
    [
      new RegExp(
        `^${field.replace(/[[\]]/g, '\\$&')}.type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"$`,
      ),
    ],
  ],
  [
    'a pattern that cannot be read',
    ofSchema({ type: 'string', pattern: '(' }),
    [
      /pattern: Invalid value: "\(": must be a valid regular expression, but isn't: error parsing regexp: missing closing \): `\(`$/,
    ],
  ],
  [
    'a default of another type',
    ofSchema({ type: 'integer', default: 'x' }),
    [/default: Invalid value: "string": .*must be of type integer: "string"$/],
  ],
  [
    'a map without keys',
    ofSchema({ type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'map' }),
    [
      /x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map$/,
    ],
  ],
  [
    'a column without a path',
    versions({ additionalPrinterColumns: [{ name: 'A', type: 'string' }] }),
    [/^spec.additionalPrinterColumns\[0\].JSONPath: Required value$/],
  ],
  [
    'a column of an unknown type',
    versions({ additionalPrinterColumns: [{ name: 'A', type: 'text', jsonPath: '.a' }] }),
    [
      /additionalPrinterColumns\[0\].type: Invalid value: "text": must be one of boolean,date,integer,number,string$/,
    ],
  ],
  [
    'scale of nothing',
    versions({
      subresources: {
        scale: { specReplicasPath: '.replicas', statusReplicasPath: '.status.replicas' },
      },
    }),
    [/scale.specReplicasPath: Invalid value: ".replicas": should be a json path under .spec$/],
  ],
  [
    'a protected group',
    definition({ group: 'x.k8s.io' }, { name: 'things.x.k8s.io' }),
    [
      /^metadata.annotations\[api-approved.kubernetes.io\]: Required value: protected groups must have approval annotation/,
    ],
  ],
  [
    'conversion by nobody',
    definition({ conversion: { strategy: 'Webhook' } }),
    [
      /^spec.conversion.webhook/,
      /^spec.conversion.conversionReviewVersions|^spec.conversion.webhook.conversionReviewVersions/,
    ],
  ],
];

for (const [name, object, expected] of rows) {
  test(`definition: ${name}`, () => {
    const { errors } = runCreate(strategy, object);
    assert.equal(errors.length, expected.length, errors.join('\n'));
    expected.forEach((one, i) => {
      if (typeof one === 'string') assert.equal(errors[i], one);
      else assert.match(errors[i] ?? '', one);
    });
  });
}

const established = {
  ...definition(),
  status: {
    acceptedNames: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
    conditions: [{ type: 'Established', status: 'True' }],
    storedVersions: ['v1'],
  },
};

test('what is served does not change its group, scope and kind', () => {
  const { errors } = runUpdate(strategy, [definition({ scope: 'Cluster' }), established]);
  assert.deepEqual(errors, ['spec.scope: Invalid value: "Cluster": field is immutable']);
});

test('a version that objects are stored in cannot go', () => {
  const { errors } = runUpdate(strategy, [versions({ name: 'v2' }), established]);
  assert.equal(errors.length, 1);
  assert.match(
    errors[0] ?? '',
    /^status.storedVersions\[0\]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version/,
  );
});

test('defaults and status of a new definition', () => {
  const { object } = runCreate(strategy, definition());
  const { spec, status } = object as unknown as Record<string, Record<string, unknown>>;
  assert.deepEqual(spec?.['names'], { ...names, singular: 'thing', listKind: 'ThingList' });
  assert.deepEqual(spec?.['conversion'], { strategy: 'None' });
  assert.deepEqual(status?.['storedVersions'], ['v1']);
});
