// ValidatingAdmissionPolicy (KEP-3488) in a whole cluster. Each policy is in force when the creation
// of its binding returns, and is about objects with a label of its own.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  assertRefused,
  configMaps,
  customResources,
  definition,
  definitions,
  map,
  messageOf,
  registration,
  ruleFor,
  startCluster,
} from './cluster.ts';

const shared = await startCluster();
after(() => shared.cluster.close());
const { send, create, metric } = shared;

let policies = 0;
/** A policy for configuration maps and its binding; the label that its objects must have. */
async function bind(
  spec: object,
  binding: object = { validationActions: ['Deny'] },
  resourceRules: readonly object[] = [ruleFor('configmaps')],
) {
  const name = `p-${++policies}`;
  const labels = { about: name };
  await create(`${registration}/validatingadmissionpolicies`, {
    metadata: { name },
    spec: {
      matchConstraints: { resourceRules, objectSelector: { matchLabels: labels } },
      ...spec,
    },
  });
  await create(`${registration}/validatingadmissionpolicybindings`, {
    metadata: { name: `${name}-b` },
    spec: { policyName: name, validationActions: ['Deny'], ...binding },
  });
  return { name, labels };
}

const never = (more: object = {}) => ({ validations: [{ expression: 'false', ...more }] });
const denied = (policy: string, why: string) =>
  `ValidatingAdmissionPolicy '${policy}' with binding '${policy}-b' denied request: ${why}`;

describe('ValidatingAdmissionPolicy', () => {
  it('admission §4 (1): what is denied, in which words', async () => {
    const deployments = ruleFor('deployments', 'apps');
    const expression = 'object.spec.replicas <= 5';
    const { name, labels } = await bind({ validations: [{ expression }] }, {}, [deployments]);
    const deployment = (replicas: number) => ({
      metadata: { name: `d${replicas}`, labels },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'c', image: 'i' }] },
        },
      },
    });
    const path = '/apis/apps/v1/namespaces/default/deployments';
    await create(path, deployment(5));
    const decision = await send('POST', path, deployment(6));
    const why = denied(name, `failed expression: ${expression}`);
    assertRefused(decision, 422, `deployments.apps "d6" is forbidden: ${why}`);
  });

  it('admission §4 (2): the reason of a rule is that of the answer', async () => {
    for (const [reason, status] of [
      ['Forbidden', 403],
      ['Invalid', 422],
      ['RequestEntityTooLarge', 413],
    ] as const) {
      const { labels } = await bind(never({ reason }));
      const decision = await send('POST', configMaps, map('reason', {}, labels));
      assert.deepEqual(
        [decision.status, (decision.body as { reason: string }).reason],
        [status, reason],
      );
    }
  });

  it('admission §4 (3): Warn warns', async () => {
    const { name, labels } = await bind(never({ message: 'not so' }), {
      validationActions: ['Warn'],
    });
    const { warnings } = await create(configMaps, map('warned', {}, labels));
    const text = `Validation failed for ValidatingAdmissionPolicy '${name}' with binding '${name}-b': not so`;
    assert.deepEqual(warnings, [text]);
  });

  it('admission §4 (4): Audit writes it down', async () => {
    const { name, labels } = await bind(never({ message: 'm' }), { validationActions: ['Audit'] });
    const { warnings, auditAnnotations } = await create(configMaps, map('audited', {}, labels));
    assert.deepEqual(warnings, []);
    assert.equal(
      auditAnnotations['validation.policy.admission.k8s.io/validation_failure'],
      `[{"message":"m","policy":"${name}","binding":"${name}-b","expressionIndex":0,"validationActions":["Audit"]}]`,
    );
  });

  it('admission §4 (5): without binding, no effect', async () => {
    const { name, labels } = await bind(never());
    assertRefused(
      await send('POST', configMaps, map('unbound', {}, labels)),
      422,
      /denied request/,
    );
    await send('DELETE', `${registration}/validatingadmissionpolicybindings/${name}-b`);
    await create(configMaps, map('unbound', {}, labels));
  });

  const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' };
  const asParams = {
    paramKind,
    validations: [{ expression: 'int(object.data.n) <= int(params.data.max)' }],
  };
  it('admission §4 (6): parameters by name, and what their absence does', async () => {
    await create(configMaps, map('limit', { max: '3' }));
    const bound = (parameterNotFoundAction: string) =>
      bind(asParams, {
        paramRef: { name: 'limit', namespace: 'default', parameterNotFoundAction },
      });
    const strict = await bound('Deny');
    const lax = await bound('Allow');
    for (const { labels } of [strict, lax]) {
      assertRefused(
        await send('POST', configMaps, map('n', { n: '4' }, labels)),
        422,
        /failed expression/,
      );
      await create(configMaps, map('n', { n: '3' }, labels));
      await send('DELETE', `${configMaps}/n`);
    }
    await send('DELETE', `${configMaps}/limit`);
    const missing =
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction';
    assertRefused(
      await send('POST', configMaps, map('n', { n: '3' }, strict.labels)),
      422,
      `configmaps "n" is forbidden: ${denied(strict.name, missing)}`,
    );
    await create(configMaps, map('n', { n: '4' }, lax.labels));
    await send('DELETE', `${configMaps}/n`);
  });

  it('admission §4 (7): each of the parameters must allow it', async () => {
    for (const [name, max] of Object.entries({ wide: '9', narrow: '3' }))
      await create(configMaps, map(name, { max }, { limits: 'yes' }));
    const selector = { matchLabels: { limits: 'yes' } };
    const { labels } = await bind(asParams, {
      paramRef: { selector, namespace: 'default', parameterNotFoundAction: 'Deny' },
    });
    await create(configMaps, map('three', { n: '3' }, labels));
    assertRefused(
      await send('POST', configMaps, map('four', { n: '4' }, labels)),
      422,
      /failed expression/,
    );
  });

  it('admission §4 (8): a failure that is ignored is counted', async () => {
    const { name, labels } = await bind({
      failurePolicy: 'Ignore',
      validations: [{ expression: 'object.data.none == "x"' }],
    });
    await create(configMaps, map('ignored', {}, labels));
    const lines = await metric('apiserver_validating_admission_policy_check_total');
    assert.deepEqual(
      lines.filter((line) => line.includes(`policy="${name}"`)),
      [
        `apiserver_validating_admission_policy_check_total{enforcement_action="allow",error_type="invalid_error",policy="${name}",policy_binding="${name}-b"} 1`,
      ],
    );
  });

  it('admission §4 (9): other versions of what a rule names', async () => {
    const named = { plural: 'gauges', kind: 'Gauge', versions: ['v1', 'v2'] };
    await create(definitions, definition(named));
    const rules = [{ ...ruleFor('gauges', 'example.com'), apiVersions: ['v1'] }];
    const expression = 'object.apiVersion == "example.com/v1" && object.spec.n < 5';
    const { labels } = await bind({ validations: [{ expression }] }, {}, rules);
    const gauge = (name: string, n: number) => ({
      apiVersion: 'example.com/v2',
      kind: 'Gauge',
      metadata: { name, labels },
      spec: { n },
    });
    const path = customResources('gauges', 'v2');
    await create(path, gauge('small', 4));
    assertRefused(await send('POST', path, gauge('big', 5)), 422, /failed expression/);
    const objectSelector = { matchLabels: labels };
    const exactly = { matchPolicy: 'Exact', resourceRules: rules, objectSelector };
    await bind({ ...never(), matchConstraints: exactly });
    await create(path, gauge('exact', 4));
    assertRefused(
      await send('POST', customResources('gauges'), {
        ...gauge('v1', 4),
        apiVersion: 'example.com/v1',
      }),
      422,
      /failed expression: false/,
    );
  });

  it('admission §4 (10): a condition that is false keeps a rule from being asked', async () => {
    const matchConditions = [{ name: 'c', expression: 'object.metadata.name != "out"' }];
    const { labels } = await bind({ ...never(), matchConditions });
    await create(configMaps, map('out', {}, labels));
    assertRefused(await send('POST', configMaps, map('in', {}, labels)), 422, /denied request/);
  });

  it('admission §4 (11): a message that is too long is none', async () => {
    const messageExpression = 'string(object.data.text)';
    const { name, labels } = await bind(never({ message: 'short', messageExpression }));
    const answer = (length: number) =>
      send('POST', configMaps, map('long', { text: 'x'.repeat(length) }, labels));
    assert.ok(messageOf(await answer(5120)).endsWith('x'.repeat(5120)));
    for (const length of [5121, 6000])
      assertRefused(
        await answer(length),
        422,
        `configmaps "long" is forbidden: ${denied(name, 'short')}`,
      );
  });

  it('admission §4 (12): what the user may do elsewhere', async () => {
    const expression =
      "authorizer.group('').resource('pods').namespace('default').check('create').allowed()";
    const { labels } = await bind({ validations: [{ expression }] });
    const role = (name: string, resources: string[]) => ({
      metadata: { name },
      rules: [{ apiGroups: [''], resources, verbs: ['create'] }],
    });
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
    for (const [user, resources] of [
      ['ann', ['configmaps', 'pods']],
      ['bob', ['configmaps']],
    ] as const) {
      await create(`${rbac}/roles`, role(user, [...resources]));
      await create(`${rbac}/rolebindings`, {
        metadata: { name: user },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
      });
    }
    const as = (name: string) =>
      send('POST', configMaps, map(`of-${name}`, {}, labels), { user: { name } });
    assert.equal((await as('ann')).status, 201);
    assertRefused(await as('bob'), 422, /failed expression: authorizer/);
  });

  it('admission §4 (13): a variable knows those before it', async () => {
    const path = `${registration}/validatingadmissionpolicies`;
    const policy = (variables: object[]) => ({
      metadata: { name: 'variables' },
      spec: {
        matchConstraints: { resourceRules: [ruleFor('configmaps')] },
        variables,
        validations: [{ expression: 'variables.a == 1' }],
      },
    });
    const one = { name: 'one', expression: '1' };
    assertRefused(
      await send('POST', path, policy([{ name: 'a', expression: 'variables.one' }, one])),
      422,
      /spec\.variables\[0\]\.expression: Invalid value: "variables\.one": compilation failed: ERROR: <input>:1:10: undefined field 'one'/,
    );
    assertRefused(
      await send('POST', path, policy([{ name: 'a', expression: 'variables.a' }])),
      422,
      /undefined field 'a'/,
    );
    await create(path, policy([one, { name: 'a', expression: 'variables.one' }]));
  });

  it('admission §4 (14): a deletion has an old object only', async () => {
    const expression = "object == null && oldObject.data.keep != 'yes'";
    const { labels } = await bind({ validations: [{ expression }] }, {}, [
      ruleFor('configmaps', '', ['DELETE']),
    ]);
    for (const keep of ['yes', 'no']) await create(configMaps, map(keep, { keep }, labels));
    assertRefused(await send('DELETE', `${configMaps}/yes`), 422, /failed expression/);
    assert.equal((await send('DELETE', `${configMaps}/no`)).status, 200);
  });

  it('admission §4 (15): fields that no type has are told in the status', async (t) => {
    const controllers = ['validatingadmissionpolicy-status-controller'];
    const acting = await startCluster({ controllers });
    t.after(() => acting.cluster.close());
    const path = `${registration}/validatingadmissionpolicies`;
    await acting.create(path, {
      metadata: { name: 'p' },
      spec: {
        matchConstraints: { resourceRules: [ruleFor('deployments', 'apps')] },
        validations: [
          { expression: 'object.foo == 1' },
          { expression: 'object.spec.paused == true' },
        ],
      },
    });
    const { expressionWarnings } = await acting.cluster.eventually(async () => {
      const { body } = await acting.send('GET', `${path}/p`);
      const { status } = body as unknown as {
        status: { typeChecking?: { expressionWarnings: { fieldRef: string; warning: string }[] } };
      };
      assert.ok(status.typeChecking);
      return status.typeChecking;
    });
    assert.deepEqual(
      expressionWarnings.map(({ fieldRef }) => fieldRef),
      ['spec.validations[0].expression'],
    );
    assert.match(
      expressionWarnings[0]?.warning ?? '',
      /^apps\/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'foo'/,
    );
  });
});
