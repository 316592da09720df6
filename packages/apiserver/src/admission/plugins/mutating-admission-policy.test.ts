import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  asJson,
  asKubeObject,
  builtinType,
  StatusError,
  type JsonObject,
  type KubeObject,
} from '@keelson/apimachinery';
import { createFeatures } from '../../features/create-features.ts';
import type { ObjectSource } from '../../object-source.ts';
import { expressionsOf } from '../../registry/expressions/expressions.ts';
import { createAdmissionChain } from '../chain.ts';
import type { AdmissionPlugin } from '../admission.ts';
import type { RequestVersions } from '../request-versions.ts';
import { createTestAttributes } from '../testing.ts';
import { createMutatingAdmissionPolicy } from './mutating-admission-policy.ts';

const { storedExpressions } = expressionsOf(createFeatures({})).environments;

function sourceOf(objects: readonly KubeObject[]): ObjectSource {
  return {
    get: (_namespace, name) => objects.find(({ metadata }) => metadata.name === name),
    list: () => objects,
    subscribe: () => () => {},
  };
}

const sameVersion: RequestVersions = {
  equivalents: (gvr) => [gvr],
  kindOf: () => undefined,
  show: async ({ object, oldObject }) => ({ object, oldObject }),
  take: async (_attributes, _gvr, changed) => asKubeObject(changed),
};

const named = (name: string, spec: object): KubeObject => ({ metadata: { name }, spec });
const rules = [
  { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
];

function pluginOf(...policies: readonly object[]): AdmissionPlugin {
  const all = policies.map((spec, i) =>
    named(`p${i}`, { failurePolicy: 'Fail', matchConstraints: { resourceRules: rules }, ...spec }),
  );
  return createMutatingAdmissionPolicy({
    policies: sourceOf(all),
    bindings: sourceOf(all.map((_, i) => named(`b${i}`, { policyName: `p${i}` }))),
    namespaces: sourceOf([named('shop', {})]),
    versions: sameVersion,
    params: { find: () => undefined },
    authorizer: { name: 'none', authorize: () => ({ decision: 'no-opinion', reason: '' }) },
    environment: storedExpressions,
    typeOf: () => builtinType('io.k8s.api.core.v1.Pod'),
  });
}

const pod: KubeObject = asKubeObject({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', labels: { a: 'b' } },
  spec: { containers: [{ name: 'c', image: 'i', args: ['x'] }], nodeSelector: { n: 'm' } },
});

const configuration = (expression: string) => ({
  mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
});
const patch = (expression: string) => ({
  mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
});

async function mutate(
  plugins: readonly AdmissionPlugin[],
): Promise<{ readonly object: JsonObject; readonly error?: StatusError }> {
  const attributes = createTestAttributes({ object: pod });
  const shown = () => asJson(attributes.object ?? { metadata: {} }) as JsonObject;
  try {
    await createAdmissionChain(plugins).mutate(attributes);
    return { object: shown() };
  } catch (error) {
    if (error instanceof StatusError) return { object: shown(), error };
    throw error;
  }
}

const original = asJson(pod) as JsonObject;
const withLabels = (labels: Record<string, string>): JsonObject => ({
  ...original,
  metadata: { name: 'web', labels },
});
const label = (name: string, value = '"1"') =>
  configuration(`Object{metadata: Object.metadata{labels: {"${name}": ${value}}}}`);

describe('MutatingAdmissionPolicy', () => {
  const rows: readonly [name: string, policies: readonly object[], expected: JsonObject][] = [
    ['merges what a configuration sets', [label('x')], withLabels({ a: 'b', x: '1' })],
    [
      'merges items of lists by key',
      [
        configuration(
          'Object{spec: Object.spec{containers: [Object.spec.containers{name: "c", image: "j"}]}}',
        ),
      ],
      {
        ...original,
        spec: { containers: [{ name: 'c', image: 'j', args: ['x'] }], nodeSelector: { n: 'm' } },
      },
    ],
    [
      'applies patches',
      [patch('[JSONPatch{op: "remove", path: "/metadata/labels/a"}]')],
      withLabels({}),
    ],
    [
      'writes objects in patches',
      [
        patch(
          '[JSONPatch{op: "replace", path: "/spec", value: Object.spec{hostNetwork: true, containers: []}}]',
        ),
      ],
      { ...original, spec: { hostNetwork: true, containers: [] } },
    ],
    [
      'does nothing when a test fails',
      [
        patch(
          '[JSONPatch{op: "test", path: "/metadata/labels/a", value: "z"}, JSONPatch{op: "remove", path: "/spec"}]',
        ),
      ],
      original,
    ],
    [
      'shows each mutation what those before it made',
      [label('x'), label('y', 'object.metadata.labels.x + "!"')],
      withLabels({ a: 'b', x: '1', y: '1!' }),
    ],
    [
      'leaves out what conditions exclude',
      [{ ...label('x'), matchConditions: [{ name: 'c', expression: 'false' }] }],
      original,
    ],
    [
      'leaves out what may fail',
      [{ ...label('x', 'object.none'), failurePolicy: 'Ignore' }],
      original,
    ],
    [
      'has variables',
      [
        {
          ...label('x', 'variables.v'),
          variables: [{ name: 'v', expression: 'object.metadata.name' }],
        },
      ],
      withLabels({ a: 'b', x: 'web' }),
    ],
  ];
  for (const [name, policies, expected] of rows) {
    it(name, async () => {
      const { object, error } = await mutate([pluginOf(...policies)]);
      assert.equal(error, undefined);
      assert.deepEqual(object, expected);
    });
  }

  const refusals: readonly [name: string, policy: object, why: string][] = [
    [
      'what is atomic',
      configuration(
        'Object{spec: Object.spec{containers: [Object.spec.containers{name: "c", args: ["y"]}]}}',
      ),
      'error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.containers[name="c"].args',
    ],
    [
      'what is no field',
      configuration('Object{spec: Object.spec{none: 1}}'),
      'error applying patch: failed to convert patch object to typed object: .spec.none: field not declared in schema',
    ],
    [
      'types in the wrong place',
      configuration('Object{spec: Object.status{phase: "x"}}'),
      'type mismatch: unexpected type name "Object.status", expected "Object.spec", which matches field name path from root Object type',
    ],
    [
      'patches that do not apply',
      patch('[JSONPatch{op: "remove", path: "/none"}]'),
      'JSON Patch: ',
    ],
    [
      'expressions that fail',
      label('x', 'object.none'),
      `expression 'Object{metadata: Object.metadata{labels: {"x": object.none}}}' resulted in error: no such key: none`,
    ],
  ];
  for (const [name, policy, why] of refusals) {
    it(`refuses ${name}`, async () => {
      const { object, error } = await mutate([pluginOf(policy)]);
      assert.ok(error);
      const start = `policy 'p0' with binding 'b0' denied request: ${why}`;
      assert.equal(error.message.slice(0, start.length), start);
      assert.deepEqual([error.code, error.reason], [403, 'Invalid']);
      assert.deepEqual(error.status.details?.causes, [{ message: error.message }]);
      assert.deepEqual(object, original);
    });
  }

  it('runs again what asks for it after others changed the object', async () => {
    const seen = {
      reinvocationPolicy: 'IfNeeded',
      ...label('seen', 'string("late" in object.metadata.labels)'),
    };
    const late: AdmissionPlugin = {
      name: 'Late',
      handles: () => true,
      mutate(attributes, reinvocation) {
        const labels = attributes.object?.metadata.labels;
        if (labels === undefined || labels['late'] !== undefined) return;
        labels['late'] = 'yes';
        reinvocation?.require();
      },
    };
    const again = await mutate([pluginOf(seen), late]);
    assert.deepEqual(again.object, withLabels({ a: 'b', seen: 'true', late: 'yes' }));
    const once = await mutate([pluginOf({ ...seen, reinvocationPolicy: 'Never' }), late]);
    assert.deepEqual(once.object, withLabels({ a: 'b', seen: 'false', late: 'yes' }));
  });
});
