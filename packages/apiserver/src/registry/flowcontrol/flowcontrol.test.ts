import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObject, runCreate, runUpdate, testContext } from '../testing/run-strategy.ts';
import { mandatoryFlowSchemas, mandatoryPriorityLevels } from './mandatory-objects.ts';
import { flowSchemaStrategy } from './flowschemas/strategy.ts';
import { priorityLevelConfigurationStrategy } from './prioritylevelconfigurations/strategy.ts';
import type { Strategy } from '../strategy.ts';

const schemas = flowSchemaStrategy as Strategy;
const levels = priorityLevelConfigurationStrategy as Strategy;
const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';

function schema(spec: object, name = 'fs') {
  const priorityLevelConfiguration = { name: 'global' };
  return {
    apiVersion,
    kind: 'FlowSchema',
    metadata: { name },
    spec: { priorityLevelConfiguration, ...spec },
  };
}
function level(spec: object, name = 'plc') {
  return { apiVersion, kind: 'PriorityLevelConfiguration', metadata: { name }, spec };
}
const rule = (more: object) =>
  schema({
    rules: [
      {
        subjects: [{ kind: 'User', user: { name: 'ann' } }],
        nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }],
        ...more,
      },
    ],
  });
const resourceRule = (more: object) =>
  rule({
    resourceRules: [
      { verbs: ['get'], apiGroups: [''], resources: ['pods'], namespaces: ['*'], ...more },
    ],
  });
const urls = (...nonResourceURLs: string[]) =>
  rule({ nonResourceRules: [{ verbs: ['*'], nonResourceURLs }] });
const limited = (more: object) =>
  level({ type: 'Limited', limited: { limitResponse: { type: 'Reject' }, ...more } });
const queuing = (more: object) => limited({ limitResponse: { type: 'Queue', queuing: more } });

const at = 'spec.rules[0]';
const refused: readonly (readonly [string, Strategy, object, readonly string[]])[] = [
  ['a rule', schemas, rule({}), []],
  [
    'precedence',
    schemas,
    schema({ matchingPrecedence: 10001 }),
    ['spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000'],
  ],
  [
    'precedence of the exempt',
    schemas,
    schema({ matchingPrecedence: 1 }),
    [
      "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
    ],
  ],
  [
    'distinguisher',
    schemas,
    schema({ distinguisherMethod: { type: 'ByName' } }),
    [
      'spec.distinguisherMethod.type: Unsupported value: {"Type":"ByName"}: supported values: "ByNamespace", "ByUser"',
    ],
  ],
  [
    'no level',
    schemas,
    schema({ priorityLevelConfiguration: { name: '' } }),
    ['spec.priorityLevelConfiguration.name: Required value: must reference a priority level'],
  ],
  [
    'an empty rule',
    schemas,
    rule({ subjects: [], nonResourceRules: [] }),
    [
      `${at}.subjects: Required value: subjects must contain at least one value`,
      `${at}: Required value: at least one of resourceRules and nonResourceRules has to be non-empty`,
    ],
  ],
  [
    'a subject of two kinds',
    schemas,
    rule({ subjects: [{ kind: 'Group', user: { name: 'ann' } }] }),
    [
      `${at}.subjects[0].group: Required value: group is required when subject kind is 'Group'`,
      `${at}.subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'`,
    ],
  ],
  [
    'a service account of nowhere',
    schemas,
    rule({ subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: '*' } }] }),
    [
      `${at}.subjects[0].serviceAccount.namespace: Required value: must specify namespace for service account`,
    ],
  ],
  [
    'verbs beside all verbs',
    schemas,
    resourceRule({ verbs: ['*', 'get'] }),
    [
      `${at}.resourceRules[0].verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs`,
    ],
  ],
  [
    'an unknown verb',
    schemas,
    resourceRule({ verbs: ['fetch'] }),
    [
      `${at}.resourceRules[0].verbs: Unsupported value: ["fetch"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"`,
    ],
  ],
  [
    'neither cluster nor namespaces',
    schemas,
    resourceRule({ namespaces: [] }),
    [
      `${at}.resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace`,
    ],
  ],
  ['of the cluster', schemas, resourceRule({ namespaces: [], clusterScope: true }), []],
  ['URLs', schemas, urls('/', '/a', '/a/*'), []],
  [
    'wrong URLs',
    schemas,
    urls('', 'a', '/a b', '/a//b', '/a*', '/*/a'),
    [
      `${at}.nonResourceRules[0].nonResourceURLs[0]: Invalid value: "": must not be empty`,
      `${at}.nonResourceRules[0].nonResourceURLs[1]: Invalid value: "a": must start with slash`,
      `${at}.nonResourceRules[0].nonResourceURLs[2]: Invalid value: "/a b": must not contain white-space`,
      `${at}.nonResourceRules[0].nonResourceURLs[3]: Invalid value: "/a//b": must not contain double slash`,
      `${at}.nonResourceRules[0].nonResourceURLs[4]: Invalid value: "/a*": wildcard can only do suffix matching`,
      `${at}.nonResourceRules[0].nonResourceURLs[5]: Invalid value: "/*/a": wildcard can only do suffix matching`,
    ],
  ],
  ['a level', levels, queuing({}), []],
  [
    'no type',
    levels,
    level({}),
    ['spec.type: Unsupported value: "": supported values: "Exempt", "Limited"'],
  ],
  [
    'exempt under another name',
    levels,
    level({ type: 'Exempt' }),
    [`spec.type: Invalid value: "Exempt": type must be 'Exempt' if and only if name is 'exempt'`],
  ],
  [
    'not limited after all',
    levels,
    level({ type: 'Limited', exempt: {} }),
    [
      'spec.exempt: Forbidden: must be nil if the type is Limited',
      'spec.limited: Required value: must not be empty when type is Limited',
    ],
  ],
  [
    'negative shares',
    levels,
    limited({ nominalConcurrencyShares: -1, lendablePercent: 101, borrowingLimitPercent: -1 }),
    [
      'spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer',
      'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
      'spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer',
    ],
  ],
  [
    'queues without queuing',
    levels,
    limited({ limitResponse: { type: 'Reject', queuing: {} } }),
    [
      'spec.limited.limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited',
    ],
  ],
  [
    'a hand larger than the deck',
    levels,
    queuing({ queues: 4, handSize: 5 }),
    [
      'spec.limited.limitResponse.queuing.handSize: Invalid value: 5: should not be greater than queues (4)',
    ],
  ],
  [
    'too many hands',
    levels,
    queuing({ queues: 512, handSize: 8 }),
    [
      'spec.limited.limitResponse.queuing.handSize: Invalid value: 8: required entropy bits of deckSize 512 and handSize 8 should not be greater than 60',
    ],
  ],
  [
    'no queue',
    levels,
    queuing({ queues: -1 }),
    [
      'spec.limited.limitResponse.queuing.queues: Invalid value: -1: must be positive',
      'spec.limited.limitResponse.queuing.handSize: Invalid value: 8: should not be greater than queues (-1)',
    ],
  ],
];

for (const [name, strategy, object, expected] of refused) {
  test(`flow control: ${name}`, () => {
    assert.deepEqual(runCreate(strategy, object).errors, expected);
  });
}

for (const name of ['exempt', 'catch-all']) {
  test(`${name} is accepted as it is, and not with other rules`, () => {
    assert.deepEqual(runCreate(schemas, schema(mandatoryFlowSchemas[name] ?? {}, name)).errors, []);
    assert.deepEqual(
      runCreate(levels, level(mandatoryPriorityLevels[name] ?? {}, name)).errors,
      [],
    );
    const changed = { ...mandatoryFlowSchemas[name], rules: [] };
    const [error = ''] = runCreate(schemas, schema(changed, name)).errors;
    assert.match(error, new RegExp(`: spec of '${name}' must equal the fixed value$`));
  });
}

test('shares of the exempt level may be changed', () => {
  const spec = { type: 'Exempt', exempt: { nominalConcurrencyShares: 7 } };
  assert.deepEqual(runCreate(levels, level(spec, 'exempt')).errors, []);
});

test('defaults', () => {
  assert.deepEqual(runCreate(schemas, schema({})).object['spec'], {
    priorityLevelConfiguration: { name: 'global' },
    matchingPrecedence: 1000,
  });
  assert.deepEqual(runCreate(levels, queuing({})).object['spec'], {
    type: 'Limited',
    limited: {
      limitResponse: { type: 'Queue', queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } },
      nominalConcurrencyShares: 30,
      lendablePercent: 0,
    },
  });
});

const withStatus = {
  ...schema({}),
  metadata: { name: 'fs', generation: 4, labels: { a: 'b' } },
  status: { conditions: [{ type: 'Dangling', status: 'True' }] },
};

test('an update keeps the status and counts a changed spec', () => {
  const same = runUpdate(schemas, [schema({}), withStatus]).object;
  assert.equal(same.metadata.generation, 4);
  assert.deepEqual(same['status'], readObject(withStatus)['status']);
  const changed = runUpdate(schemas, [schema({ matchingPrecedence: 5 }), withStatus]).object;
  assert.equal(changed.metadata.generation, 5);
});

test('a status update changes nothing else', () => {
  const wanted = {
    ...schema({ matchingPrecedence: 5 }),
    status: { conditions: [{ type: 'A' }, { type: 'A' }, {}] },
  };
  const { object, errors } = runUpdate(schemas, [wanted, withStatus], 'status');
  assert.deepEqual(object.metadata.labels, { a: 'b' });
  assert.equal((object['spec'] as { matchingPrecedence: number }).matchingPrecedence, 1000);
  assert.deepEqual(errors, [
    'status.conditions[1].type: Duplicate value: "A"',
    'status.conditions[2].type: Required value: must not be empty',
  ]);
});

test('rows', () => {
  const { object } = runCreate(levels, queuing({}));
  const { nowMs } = testContext;
  assert.deepEqual(levels.tableCells?.(object, nowMs), [
    'plc',
    'Limited',
    30,
    64,
    8,
    50,
    '<unknown>',
  ]);
  const made = runCreate(schemas, schema({ distinguisherMethod: { type: 'ByUser' } })).object;
  assert.deepEqual(schemas.tableCells?.(made, nowMs), [
    'fs',
    'global',
    1000,
    'ByUser',
    '<unknown>',
    '?',
  ]);
});
