import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Strategy } from '../strategy.ts';
import { runCreate } from '../testing/run-strategy.ts';
import type { ExpressionChecker } from '../validation/expression-checker.ts';
import {
  admissionregistrationStrategies,
  createAdmissionregistrationStrategies,
} from './strategies.ts';

const apiVersion = 'admissionregistration.k8s.io/v1';
const kinds: Readonly<Record<string, string>> = {
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: 'validatingadmissionpolicybindings',
  MutatingAdmissionPolicy: 'mutatingadmissionpolicies',
  ValidatingWebhookConfiguration: 'validatingwebhookconfigurations',
};
const rule = {
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  operations: ['CREATE'],
  resources: ['deployments'],
};
const policy = {
  matchConstraints: { resourceRules: [rule] },
  validations: [{ expression: 'true' }],
};
const hook = {
  name: 'a.example.com',
  clientConfig: { url: 'https://a' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
};

function strategyOf(kind: string, strategies = admissionregistrationStrategies): Strategy {
  return strategies[kinds[kind] ?? ''] ?? {};
}
const resources = (...list: string[]) => ({
  ...policy,
  matchConstraints: { resourceRules: [{ ...rule, resources: list }] },
});
const ofPolicy = (spec: object) => ({ spec });
const hooks = (...more: object[]) => ({ webhooks: more.map((one) => ({ ...hook, ...one })) });

const rows: readonly (readonly [string, string, object, readonly (string | RegExp)[]])[] = [
  ['a policy', 'ValidatingAdmissionPolicy', ofPolicy(policy), []],
  [
    'nothing to match',
    'ValidatingAdmissionPolicy',
    ofPolicy({ ...policy, matchConstraints: undefined }),
    ['spec.matchConstraints: Required value'],
  ],
  [
    'nothing to say',
    'ValidatingAdmissionPolicy',
    ofPolicy({ ...policy, validations: [] }),
    [/^spec.validations: Required value/, /^spec.auditAnnotations: Required value/],
  ],
  [
    'no expression',
    'ValidatingAdmissionPolicy',
    ofPolicy({ ...policy, validations: [{ expression: ' ' }] }),
    ['spec.validations[0].expression: Required value: expression is not specified'],
  ],
  [
    'an unknown operation',
    'ValidatingAdmissionPolicy',
    ofPolicy({
      ...policy,
      matchConstraints: { resourceRules: [{ ...rule, operations: ['READ'] }] },
    }),
    [/^spec.matchConstraints.resourceRules\[0\].operations\[0\]: Unsupported value: "READ"/],
  ],
  [
    'all resources beside one',
    'ValidatingAdmissionPolicy',
    ofPolicy(resources('*', 'pods')),
    [
      /resources: Invalid value: \["\*","pods"\]: if '\*' is present, must not specify other resources without subresources/,
    ],
  ],
  [
    'a binding',
    'ValidatingAdmissionPolicyBinding',
    ofPolicy({ policyName: 'p', validationActions: ['Deny'] }),
    [],
  ],
  [
    'a binding to nothing',
    'ValidatingAdmissionPolicyBinding',
    ofPolicy({ validationActions: ['Deny', 'Warn'] }),
    [
      'spec.policyName: Required value',
      /^spec.validationActions: Invalid value: \["Deny","Warn"\]: must not contain both Deny and Warn/,
    ],
  ],
  ['webhooks', 'ValidatingWebhookConfiguration', hooks({}), []],
  [
    'a webhook without a domain',
    'ValidatingWebhookConfiguration',
    hooks({ name: 'a' }),
    [
      /^webhooks\[0\].name: Invalid value: "a": should be a domain with at least three segments separated by dots$/,
    ],
  ],
  [
    'webhooks of one name',
    'ValidatingWebhookConfiguration',
    hooks({}, {}),
    ['webhooks[1].name: Duplicate value: "a.example.com"'],
  ],
  [
    'a timeout',
    'ValidatingWebhookConfiguration',
    hooks({ timeoutSeconds: 31 }),
    [
      /^webhooks\[0\].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds$/,
    ],
  ],
  [
    'versions that nobody speaks',
    'ValidatingWebhookConfiguration',
    hooks({ admissionReviewVersions: ['v9'] }),
    [
      /^webhooks\[0\].admissionReviewVersions: Invalid value: \["v9"\]: must include at least one of v1, v1beta1$/,
    ],
  ],
];

for (const [name, kind, more, expected] of rows) {
  test(`admission registration: ${name}`, () => {
    const object = { apiVersion, kind, metadata: { name: 'x' }, ...more };
    const { errors } = runCreate(strategyOf(kind), object);
    assert.equal(errors.length, expected.length, errors.join('\n'));
    expected.forEach((one, i) => {
      if (typeof one === 'string') assert.equal(errors[i], one);
      else assert.match(errors[i] ?? '', one);
    });
  });
}

test('expressions go through the checker, variables before those who use them', () => {
  const seen: string[] = [];
  const checker: ExpressionChecker = {
    begin: () => ({
      check({ expression }) {
        seen.push(expression);
        return expression === 'wrong' ? [{ kind: 'invalid', detail: 'compilation failed: x' }] : [];
      },
      declareVariable(name, { expression }) {
        seen.push(`${name} = ${expression}`);
        return [];
      },
    }),
  };
  const strategies = createAdmissionregistrationStrategies(checker);
  const kind = 'ValidatingAdmissionPolicy';
  const spec = {
    ...policy,
    validations: [{ expression: 'wrong' }],
    variables: [{ name: 'a', expression: '1' }],
  };
  const object = { apiVersion, kind, metadata: { name: 'x' }, spec };
  const { errors } = runCreate(strategyOf(kind, strategies), object);
  assert.deepEqual(errors, [
    'spec.validations[0].expression: Invalid value: "wrong": compilation failed: x',
  ]);
  assert.deepEqual(seen, ['a = 1', 'wrong']);
});

test('defaults of webhooks', () => {
  const kind = 'ValidatingWebhookConfiguration';
  const webhooks = [
    { ...hook, rules: [rule], clientConfig: { service: { namespace: 'a', name: 'b' } } },
  ];
  const { object } = runCreate(strategyOf(kind), {
    apiVersion,
    kind,
    metadata: { name: 'x' },
    webhooks,
  });
  const [first] = object['webhooks'] as Record<string, unknown>[];
  assert.equal(first?.['failurePolicy'], 'Fail');
  assert.equal(first?.['matchPolicy'], 'Equivalent');
  assert.equal(first?.['timeoutSeconds'], 10);
  assert.deepEqual(first?.['namespaceSelector'], {});
  assert.deepEqual(first?.['rules'], [{ ...rule, scope: '*' }]);
  assert.equal(object.metadata.generation, 1);
});
