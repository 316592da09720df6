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
