import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import type {
  RuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicySpec,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import { simulateCluster } from '../testing/simulated-cluster.ts';

const group = 'admissionregistration.k8s.io';
const resource = { group, version: 'v1', resource: 'validatingadmissionpolicies' };
const controllers = ['validatingadmissionpolicy-status-controller'];

const about = (groups: string, versions: string, ...resources: string[]): RuleWithOperations => ({
  apiGroups: groups.split(','),
  apiVersions: versions.split(','),
  operations: ['CREATE'],
  resources,
});
const deployments = about('apps', 'v1', 'deployments');

type Given = Partial<ValidatingAdmissionPolicySpec> & { readonly rules?: RuleWithOperations[] };

async function setUp(t: Parameters<typeof simulateCluster>[0]) {
  const { client, clock, warnings } = await simulateCluster(t, { controllers });
  const policies = client.resource<ValidatingAdmissionPolicy>(resource);
  const statusOf = async (name: string) => {
    await clock.advance(1_000);
    return (await policies.get(name)).status;
  };
  const create = ({ rules = [deployments], ...spec }: Given, name = 'p') =>
    policies.create({
      metadata: { name },
      spec: { matchConstraints: { resourceRules: rules }, ...spec },
    });
  return { client, policies, create, statusOf, warnings };
}

const expression = (text: string): Given => ({ validations: [{ expression: text }] });

describe('what is said about the types of expressions', () => {
  const none: readonly string[] = [];
  const rows: readonly (readonly [what: string, Given, readonly string[]])[] = [
    ['what there is', expression('object.spec.replicas > 1'), none],
    [
      'what there is not',
      expression('object.spec.nope > 1'),
      [
        "apps/v1, Kind=Deployment: ERROR: <input>:1:12: undefined field 'nope'\n | object.spec.nope > 1\n | ...........^\n",
      ],
    ],
    [
      'several kinds, sorted, and each kind once',
      {
        ...expression('object.replicas > 1'),
        rules: [about('apps', 'v1', 'replicasets', 'deployments'), deployments],
      },
      [
        "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^\n\n" +
          "apps/v1, Kind=ReplicaSet: ERROR: <input>:1:7: undefined field 'replicas'\n | object.replicas > 1\n | ......^\n",
      ],
    ],
    [
      'a wildcard for the group',
      { ...expression('object.x == 1'), rules: [about('*', 'v1', 'pods')] },
      none,
    ],
    [
      'a wildcard for the version',
      { ...expression('object.x == 1'), rules: [about('', '*', 'pods')] },
      none,
    ],
    [
      'wildcards and subresources among the resources',
      {
        ...expression('object.x == 1'),
        rules: [about('', 'v1', 'pods/status', '*/scale', 'secrets')],
      },
      ["/v1, Kind=Secret: ERROR: <input>:1:7: undefined field 'x'\n | object.x == 1\n | ......^\n"],
    ],
    [
      'one thing in two groups, and by its singular name',
      { ...expression('object.x == 1'), rules: [about('', 'v1', 'event')] },
      [
        "/v1, Kind=Event: ERROR: <input>:1:7: undefined field 'x'\n | object.x == 1\n | ......^\n\n" +
          "events.k8s.io/v1, Kind=Event: ERROR: <input>:1:7: undefined field 'x'\n | object.x == 1\n | ......^\n",
      ],
    ],
    [
      'a resource that is not there',
      { ...expression('object.x == 1'), rules: [about('', 'v1', 'nopes')] },
      none,
    ],
    [
      'what may be a number or a text',
      expression('object.spec.strategy.rollingUpdate.maxSurge == 1'),
      none,
    ],
    [
      'times',
      expression('object.metadata.creationTimestamp < timestamp("2026-01-01T00:00:00Z")'),
      none,
    ],
    [
      'types that do not fit',
      expression('object.spec.replicas == "x"'),
      [
        "apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_==_' applied to '(int, string)'\n | object.spec.replicas == \"x\"\n | .....................^\n",
      ],
    ],
    [
      'variables, typed where they are plain',
      {
        variables: [
          { name: 'count', expression: 'object.spec.replicas' },
          { name: 'bad', expression: 'object.nope' },
        ],
        validations: [{ expression: 'variables.count > 1 && variables.bad.anything == 1' }],
      },
      none,
    ],
    [
      'parameters of a known kind',
      { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' }, ...expression('params.dta.x == "1"') },
      [
        'apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field \'dta\'\n | params.dta.x == "1"\n | ......^\n',
      ],
    ],
    [
      'parameters of an unknown kind',
      { paramKind: { apiVersion: 'v1', kind: 'Nope' }, ...expression('params.x == "1"') },
      [
        "apps/v1, Kind=Deployment: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | params.x == \"1\"\n | ^\n",
      ],
    ],
    [
      'the authorizer, but for its request',
      {
        validations: [
          { expression: "authorizer.group('').resource('pods').check('get').allowed()" },
          { expression: "authorizer.requestResource.check('get').allowed()" },
        ],
      },
      [
        "apps/v1, Kind=Deployment: ERROR: <input>:1:11: undefined field 'requestResource'\n | authorizer.requestResource.check('get').allowed()\n | ..........^\n",
      ],
    ],
  ];
  for (const [what, given, expected] of rows)
    it(what, async (t) => {
      const { create, statusOf, warnings } = await setUp(t);
      await create(given);
      const status = await statusOf('p');
      assert.equal(status?.observedGeneration, 1);
      const found = status?.typeChecking?.expressionWarnings ?? [];
      assert.deepEqual(
        found.map(({ warning }) => warning),
        expected,
      );
      assert.deepEqual(warnings, []);
    });
});

test('messages are looked at, and each generation anew', async (t) => {
  const { policies, create, statusOf } = await setUp(t);
  await create({
    validations: [
      { expression: 'true' },
      { expression: 'object.a == 1', messageExpression: 'string(object.b)' },
    ],
  });
  const first = (await statusOf('p'))?.typeChecking?.expressionWarnings ?? [];
  assert.deepEqual(
    first.map(({ fieldRef }) => fieldRef),
    ['spec.validations[1].expression', 'spec.validations[1].messageExpression'],
  );
  await policies.patch('p', 'merge', { spec: { validations: [{ expression: 'true' }] } });
  assert.deepEqual(await statusOf('p'), { observedGeneration: 2 });
});

test('custom resources have the types of their definitions', async (t) => {
  const { client, create, statusOf } = await setUp(t);
  await client
    .resource({
      group: 'apiextensions.k8s.io',
      version: 'v1',
      resource: 'customresourcedefinitions',
    })
    .create({
      metadata: { name: 'widgets.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
              },
            },
          },
        ],
      },
    } as unknown as KubeObject);
  const rules = [about('example.com', 'v1', 'widgets')];
  const labelled = 'object.metadata.labels["a"] == "b"';
  await create({ ...expression(`object.spec.size > 1 && ${labelled}`), rules }, 'good');
  assert.equal((await statusOf('good'))?.typeChecking?.expressionWarnings, undefined);
  await create({ ...expression('object.spec.sze > 1'), rules }, 'bad');
  const [warning] = (await statusOf('bad'))?.typeChecking?.expressionWarnings ?? [];
  assert.match(
    warning?.warning ?? '',
    /^example.com\/v1, Kind=Widget: ERROR: <input>:1:12: undefined/,
  );
});
