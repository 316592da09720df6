import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import { createCluster } from './create-cluster.ts';

const admissionregistration = { group: 'admissionregistration.k8s.io', version: 'v1' };
const rules = [
  { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] },
];
const asObject = (object: object) => object as unknown as KubeObject;

test('/metrics tells what policies decided', async (t) => {
  const cluster = await createCluster({ controllers: [] });
  t.after(() => cluster.close());
  const client = cluster.client();
  const of = (resource: string) => client.resource({ ...admissionregistration, resource });
  const policy = async (name: string, spec: object, validationActions: readonly string[]) => {
    await of('validatingadmissionpolicies').create(
      asObject({
        metadata: { name },
        spec: { matchConstraints: { resourceRules: rules }, ...spec },
      }),
    );
    await of('validatingadmissionpolicybindings').create(
      asObject({ metadata: { name: `${name}-b` }, spec: { policyName: name, validationActions } }),
    );
  };
  const never = { validations: [{ expression: 'false' }] };
  await policy('warns', never, ['Warn', 'Audit']);
  await policy('passes', { validations: [{ expression: 'true' }] }, ['Deny']);
  const missing = [{ expression: 'object.data.none == "x"' }];
  await policy('ignores', { failurePolicy: 'Ignore', validations: missing }, ['Deny']);
  const elsewhere = [{ name: 'c', expression: 'false' }];
  await policy('elsewhere', { ...never, matchConditions: elsewhere }, ['Deny']);
  const mutating = (name: string, expression: string, failurePolicy: string) =>
    of('mutatingadmissionpolicies').create(
      asObject({
        metadata: { name },
        spec: {
          matchConstraints: { resourceRules: rules },
          failurePolicy,
          reinvocationPolicy: 'Never',
          mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
        },
      }),
    );
  await mutating('labels', '[JSONPatch{op: "add", path: "/data/b", value: "2"}]', 'Fail');
  await mutating('broken', '[JSONPatch{op: "add", path: "/x/y/z", value: "2"}]', 'Ignore');
  for (const policyName of ['labels', 'broken'])
    await of('mutatingadmissionpolicybindings').create(
      asObject({ metadata: { name: `${policyName}-b` }, spec: { policyName } }),
    );
  const map = (name: string) => asObject({ metadata: { name }, data: { a: '1' } });
  const maps = client.resource({ group: '', version: 'v1', resource: 'configmaps' });
  await maps.namespace('default').create(map('m'));
  await policy('denies', never, ['Deny']);
  await assert.rejects(maps.namespace('default').create(map('n')));
  const bytes = await client.send({ method: 'GET', path: '/metrics' });
  const text = Buffer.from(bytes).toString();
  const counted = [...text.matchAll(/admission_policy_check_total(\{.*\}) (\d+)/g)].map(
    ([, labels, count]) => `${labels} ${count}`,
  );
  const row = (action: string, name: string, count: number, type = 'invalid_error') =>
    `{enforcement_action="${action}",error_type="${type}",policy="${name}",policy_binding="${name}-b"} ${count}`;
  const mutated = (name: string, count: number, type: string) =>
    `{error_type="${type}",policy="${name}",policy_binding="${name}-b"} ${count}`;
  assert.deepEqual(
    counted.toSorted(),
    [
      row('warn', 'warns', 2),
      row('audit', 'warns', 2),
      row('allow', 'ignores', 2),
      row('deny', 'denies', 1),
      mutated('labels', 2, 'no_error'),
      mutated('broken', 2, 'invalid_error'),
    ].toSorted(),
  );
});

test('/metrics tells what match conditions decided', async (t) => {
  const cluster = await createCluster({ controllers: [] });
  t.after(() => cluster.close());
  const client = cluster.client();
  const of = (resource: string) => client.resource({ ...admissionregistration, resource });
  const conditions = (...expressions: readonly string[]) =>
    expressions.map((expression, i) => ({ name: `c${i}`, expression }));
  const failing = 'object.data.none == "x"';
  const policy = async (name: string, ...expressions: readonly string[]) => {
    const matchConditions = conditions(...expressions);
    const matchConstraints = { resourceRules: rules };
    const validations = [{ expression: 'true' }];
    const failurePolicy = 'Ignore';
    await of('validatingadmissionpolicies').create(
      asObject({
        metadata: { name },
        spec: { matchConstraints, matchConditions, validations, failurePolicy },
      }),
    );
    await of('validatingadmissionpolicybindings').create(
      asObject({ metadata: { name }, spec: { policyName: name, validationActions: ['Deny'] } }),
    );
  };
  await policy('none');
  await policy('holds', "authorizer.group('').resource('pods').check('get').allowed()");
  await policy('fails', failing, failing, 'true');
  await policy('fails-and-is-false', failing, 'false', failing);
  for (const [kind, name, expression] of [
    ['mutating', 'mutating.example.com', 'false'],
    ['validating', 'validating.example.com', failing],
  ] as const)
    await of(`${kind}webhookconfigurations`).create(
      asObject({
        metadata: { name: 'hooks' },
        webhooks: [
          {
            name,
            clientConfig: { url: 'https://127.0.0.1:1/' },
            rules,
            failurePolicy: 'Ignore',
            matchConditions: conditions(expression),
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
          },
        ],
      }),
    );
  const maps = client.resource({ group: '', version: 'v1', resource: 'configmaps' });
  await maps.namespace('default').create(asObject({ metadata: { name: 'm' }, data: { a: '1' } }));
  const text = Buffer.from(await client.send({ method: 'GET', path: '/metrics' })).toString();
  const counted = (name: string) =>
    Array.from(
      text.matchAll(
        new RegExp(
          `^apiserver_admission_match_condition_${name}\\{kind="(.*)",name="(.*)",operation="CREATE",type="(.*)"\\} (.*)$`,
          'gm',
        ),
      ),
      ([, ...row]) => row.join(' '),
    ).toSorted();
  assert.deepEqual(counted('evaluation_seconds_count'), [
    'policy fails validate 1',
    'policy fails-and-is-false validate 1',
    'policy holds validate 1',
    'webhook mutating.example.com admit 1',
    'webhook validating.example.com validating 1',
  ]);
  assert.deepEqual(counted('evaluation_errors_total'), [
    'policy fails validate 2',
    'policy fails-and-is-false validate 1',
    'webhook validating.example.com validating 1',
  ]);
  assert.deepEqual(counted('exclusions_total'), [
    'webhook mutating.example.com admit 1',
    'webhook validating.example.com validating 1',
  ]);
});

test('until 1.30 policies are counted by state', async (t) => {
  const labels: readonly [release: string, checks: string, definitions: string | undefined][] = [
    [
      '1.30',
      '{enforcement_action="deny",policy="p",policy_binding="p",state="active"} 1',
      '{enforcement_action="deny",state="active"} 1',
    ],
    [
      '1.31',
      '{enforcement_action="deny",error_type="invalid_error",policy="p",policy_binding="p"} 1',
      undefined,
    ],
  ];
  for (const [emulatedVersion, checks, definitions] of labels) {
    const cluster = await createCluster({ controllers: [], emulatedVersion });
    t.after(() => cluster.close());
    const client = cluster.client();
    const of = (resource: string) => client.resource({ ...admissionregistration, resource });
    const validations = [{ expression: 'false' }];
    await of('validatingadmissionpolicies').create(
      asObject({
        metadata: { name: 'p' },
        spec: { matchConstraints: { resourceRules: rules }, validations },
      }),
    );
    await of('validatingadmissionpolicybindings').create(
      asObject({ metadata: { name: 'p' }, spec: { policyName: 'p', validationActions: ['Deny'] } }),
    );
    const maps = client.resource({ group: '', version: 'v1', resource: 'configmaps' });
    await assert.rejects(maps.namespace('default').create(asObject({ metadata: { name: 'm' } })));
    const text = Buffer.from(await client.send({ method: 'GET', path: '/metrics' })).toString();
    const found = (name: string) =>
      new RegExp(`^apiserver_validating_admission_policy_${name}(\\{.*)$`, 'm').exec(text)?.[1];
    assert.equal(found('check_total'), checks);
    assert.equal(found('definition_total'), definitions);
  }
});
