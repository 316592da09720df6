// What a decision says of policies in CEL: which expression, by which binding, and the values that
// made it so.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { JsonValue } from '@keelson/apimachinery';
import { createCluster, type Cluster } from './index.ts';

const registration = '/apis/admissionregistration.k8s.io/v1';
const inDefault = '/api/v1/namespaces/default';

async function post(cluster: Cluster, path: string, body: unknown) {
  return cluster.decide({ method: 'POST', path, body: body as JsonValue });
}

async function clusterWith(t: TestContext, policies: readonly object[]): Promise<Cluster> {
  const cluster = await createCluster({ controllers: [] });
  t.after(() => cluster.close());
  for (const policy of policies) {
    const { kind } = policy as { kind: string };
    const resource = kind.endsWith('Policy') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
    const path = `${registration}/${resource.toLowerCase()}`;
    const { status, body } = await post(cluster, path, policy);
    assert.equal(status, 201, JSON.stringify(body));
  }
  return cluster;
}

const validating = (name: string, resource: string, spec: object) => ({
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name },
  spec: { matchConstraints: matching(resource), ...spec },
});
const matching = (resource: string) => ({
  resourceRules: [
    { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: [resource] },
  ],
});
const binding = (policyName: string, spec: object = { validationActions: ['Deny'] }) => ({
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name: `${policyName}-everywhere` },
  spec: { policyName, ...spec },
});

const stepsOf = ({ steps }: Awaited<ReturnType<typeof post>>) =>
  steps.filter(({ detail }) => detail?.['policy'] !== undefined);

test('a refusal names policy, binding, parameters, expression and the values that decided', async (t) => {
  const cluster = await clusterWith(t, [
    validating('limits', 'configmaps', {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      variables: [{ name: 'size', expression: 'object.data.size()' }],
      validations: [
        { expression: 'has(object.data)' },
        { expression: 'variables.size <= int(params.data.max)' },
      ],
    }),
    binding('limits', {
      validationActions: ['Deny'],
      paramRef: { name: 'limits', namespace: 'kube-system', parameterNotFoundAction: 'Allow' },
    }),
  ]);
  const limits = { metadata: { name: 'limits' }, data: { max: '1' } };
  await post(cluster, '/api/v1/namespaces/kube-system/configmaps', limits);
  const data = { a: '1', b: '2' };
  const refused = await post(cluster, `${inDefault}/configmaps`, { metadata: { name: 'x' }, data });
  assert.equal(refused.status, 422);
  const [step] = stepsOf(refused);
  assert.equal(step?.outcome, 'deny');
  assert.deepEqual(step?.detail, {
    policy: 'limits',
    binding: 'limits-everywhere',
    params: 'kube-system/limits',
    actions: ['Deny'],
    denials: [{ index: 1, message: 'failed expression: variables.size <= int(params.data.max)' }],
    conditions: [],
    validations: [
      {
        expression: 'has(object.data)',
        value: 'true',
        decided: [{ text: 'has(object.data)', value: 'true', line: 1, column: 3 }],
        variables: [],
      },
      {
        expression: 'variables.size <= int(params.data.max)',
        value: 'false',
        decided: [
          { text: 'variables.size', value: '2', line: 1, column: 0 },
          { text: 'int(params.data.max)', value: '1', line: 1, column: 21 },
          { text: 'params.data.max', value: '"1"', line: 1, column: 22 },
        ],
        variables: [
          {
            name: 'size',
            expression: 'object.data.size()',
            decided: [
              { text: 'object.data.size()', value: '2', line: 1, column: 0 },
              { text: 'object.data', value: '{"a": "1", "b": "2"}', line: 1, column: 0 },
            ],
          },
        ],
      },
    ],
  });
});

test('what was not asked, or did not hold, or only warned, says so', async (t) => {
  const cluster = await clusterWith(t, [
    validating('about-secrets', 'secrets', { validations: [{ expression: 'false' }] }),
    binding('about-secrets'),
    validating('conditional', 'configmaps', {
      matchConditions: [{ name: 'named-y', expression: "object.metadata.name == 'y'" }],
      validations: [{ expression: 'false' }],
    }),
    binding('conditional'),
    validating('warning', 'configmaps', {
      validations: [{ expression: 'object.none == 1', message: 'm' }],
    }),
    binding('warning', { validationActions: ['Warn'] }),
  ]);
  const decision = await post(cluster, `${inDefault}/configmaps`, { metadata: { name: 'x' } });
  assert.equal(decision.status, 201);
  assert.deepEqual(
    stepsOf(decision).map(({ outcome, reason, detail }) => [detail?.['policy'], outcome, reason]),
    [
      ['conditional', 'no-opinion', 'match conditions are not met'],
      ['warning', 'allow', "expression 'object.none == 1' resulted in error: no such key: none"],
    ],
  );
  const unmatched = decision.steps.find(({ by }) => by === 'match');
  assert.deepEqual(unmatched?.detail, { policies: ['about-secrets'] });
});

test('a mutation says what it came from', async (t) => {
  const name = 'stamp';
  const expression =
    'Object{metadata: Object.metadata{labels: {"size": string(object.data.size())}}}';
  const cluster = await clusterWith(t, [
    {
      kind: 'MutatingAdmissionPolicy',
      metadata: { name },
      spec: {
        matchConstraints: matching('configmaps'),
        reinvocationPolicy: 'Never',
        mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
      },
    },
    { kind: 'MutatingAdmissionPolicyBinding', metadata: { name }, spec: { policyName: name } },
  ]);
  const object = { metadata: { name: 'x' }, data: { a: '1' } };
  const [step] = stepsOf(await post(cluster, `${inDefault}/configmaps`, object));
  assert.equal(step?.outcome, 'changed');
  assert.equal(step?.detail?.['binding'], name);
});

test('values of Secrets are in no step', async (t) => {
  const expressions = [
    "object.data.password != 'aHVudGVyMg=='",
    "object.data.?password.orValue('').startsWith('x')",
    'object.data.none == object.data.password',
  ];
  const validations = expressions.map((expression) => ({ expression, message: 'no' }));
  const cluster = await clusterWith(t, [
    validating('strong', 'secrets', { validations }),
    binding('strong'),
    validating('known', 'configmaps', {
      paramKind: { apiVersion: 'v1', kind: 'Secret' },
      validations: [{ expression: 'object.data.p == params.data.password', message: 'no' }],
    }),
    binding('known', {
      validationActions: ['Deny'],
      paramRef: { name: 'key', namespace: 'kube-system', parameterNotFoundAction: 'Deny' },
    }),
  ]);
  const secret = (name: string) => ({ metadata: { name }, data: { password: 'aHVudGVyMg==' } });
  const about = await post(cluster, `${inDefault}/secrets`, secret('x'));
  assert.equal(about.status, 422);
  await cluster.decide({
    method: 'DELETE',
    path: `${registration}/validatingadmissionpolicybindings/strong-everywhere`,
  });
  await post(cluster, '/api/v1/namespaces/kube-system/secrets', secret('key'));
  const given = { metadata: { name: 'x' }, data: { p: 'guess' } };
  const withParams = await post(cluster, `${inDefault}/configmaps`, given);
  assert.equal(withParams.status, 422);
  for (const decision of [about, withParams]) {
    const text = JSON.stringify(stepsOf(decision).map(({ detail }) => detail?.['validations']));
    const values = [...text.matchAll(/"value":"([^"]*)"/g)].map(([, value]) => value);
    assert.ok(values.length > 0);
    for (const value of values) assert.match(value ?? '', /^(?:true|false|.*\[?redacted.*)$/);
  }
});
