import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StatusError, type KubeObject } from '@keelson/apimachinery';
import type { AuthorizationResult, Authorizer } from '../../authorization/authorizer.ts';
import { createFeatures } from '../../features/create-features.ts';
import type { ObjectSource } from '../../object-source.ts';
import { expressionsOf } from '../../registry/expressions/expressions.ts';
import type { AdmissionAttributes } from '../admission.ts';
import type { ParamSource } from '../policy/params.ts';
import type { RequestVersions } from '../request-versions.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createValidatingAdmissionPolicy } from './validating-admission-policy.ts';

const environment = expressionsOf(createFeatures({})).environments.storedExpressions;

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
  take: async ({ object }) => object ?? { metadata: {} },
};

const named = (name: string, more: object = {}): KubeObject => ({ metadata: { name }, ...more });

const creation = {
  apiGroups: [''],
  apiVersions: ['v1'],
  operations: ['CREATE'],
  resources: ['pods'],
};

interface Cluster {
  readonly policy?: object;
  readonly binding?: object;
  readonly params?: readonly KubeObject[];
  readonly authorize?: () => AuthorizationResult | Promise<AuthorizationResult>;
}

const limits = { apiVersion: 'example.com/v1', kind: 'Limit' };

function pluginOf({ policy, binding, params = [], authorize }: Cluster) {
  const authorizer: Authorizer = {
    name: 'test',
    authorize: authorize ?? (() => ({ decision: 'no-opinion', reason: '' })),
  };
  const source: ParamSource = {
    find: ({ kind }) =>
      kind === 'Limit'
        ? {
            namespaced: true,
            get: async (_namespace, name) => params.find(({ metadata }) => metadata.name === name),
            list: async () => params,
          }
        : undefined,
  };
  const spec = {
    failurePolicy: 'Fail',
    matchConstraints: { resourceRules: [creation] },
    ...policy,
  };
  const bound = { policyName: 'p', validationActions: ['Deny'], ...binding };
  return createValidatingAdmissionPolicy({
    policies: sourceOf([named('p', { spec })]),
    bindings: sourceOf(binding === undefined ? [] : [named('b', { spec: bound })]),
    namespaces: sourceOf([named('shop', { metadata: { name: 'shop', labels: { env: 'prod' } } })]),
    params: source,
    versions: sameVersion,
    authorizer,
    environment,
  });
}

const pod = (labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', labels },
  spec: { nodeName: 'a' },
});

const rule = (expression: string, more: object = {}) => ({
  validations: [{ expression, ...more }],
});
const refused = (why: string, by = "'p' with binding 'b'") =>
  `pods "web" is forbidden: ValidatingAdmissionPolicy ${by} denied request: ${why}`;

describe('ValidatingAdmissionPolicy', () => {
  const onNodeB = 'object.spec.nodeName == "b"';
  const rows: readonly [name: string, cluster: Cluster, refusal?: string, request?: TestRequest][] =
    [
      ['a policy without binding', { policy: rule('false') }],
      ['a rule that holds', { policy: rule('object.spec.nodeName == "a"'), binding: {} }],
      [
        'a rule that does not',
        { policy: rule(onNodeB), binding: {} },
        refused(`failed expression: ${onNodeB}`),
      ],
      ['a message', { policy: rule('false', { message: ' no ' }), binding: {} }, refused('no')],
      [
        'a computed message',
        {
          policy: rule('false', { messageExpression: '"on " + object.spec.nodeName' }),
          binding: {},
        },
        refused('on a'),
      ],
      [
        'a message that fails',
        { policy: rule('false', { message: 'm', messageExpression: 'object.none' }), binding: {} },
        refused('m'),
      ],
      [
        'a rule that fails',
        { policy: rule('object.spec.none == 1'), binding: {} },
        refused("expression 'object.spec.none == 1' resulted in error: no such key: none"),
      ],
      [
        'a rule that fails and may',
        { policy: { ...rule('object.spec.none == 1'), failurePolicy: 'Ignore' }, binding: {} },
      ],
      [
        'a false rule that may not fail',
        { policy: { ...rule('false', { message: 'm' }), failurePolicy: 'Ignore' }, binding: {} },
        refused('m'),
      ],
      [
        'another operation',
        { policy: rule('false'), binding: {} },
        undefined,
        { operation: 'DELETE', oldObject: pod() },
      ],
      [
        'a subresource',
        { policy: rule('false'), binding: {} },
        undefined,
        { subresource: 'status' },
      ],
      [
        'policies themselves',
        {
          policy: {
            ...rule('false'),
            matchConstraints: {
              resourceRules: [{ ...creation, apiGroups: ['*'], resources: ['*'] }],
            },
          },
          binding: {},
        },
        undefined,
        { group: 'admissionregistration.k8s.io', resource: 'validatingadmissionpolicies' },
      ],
      [
        'names that are left out',
        {
          policy: {
            ...rule('false'),
            matchConstraints: {
              resourceRules: [creation],
              excludeResourceRules: [{ ...creation, resourceNames: ['web'] }],
            },
          },
          binding: {},
        },
      ],
      [
        'labels of the object that do not match',
        {
          policy: rule('false'),
          binding: { matchResources: { objectSelector: { matchLabels: { a: 'b' } } } },
        },
      ],
      [
        'labels of the namespace that match',
        {
          policy: rule('false', { message: 'm' }),
          binding: { matchResources: { namespaceSelector: { matchLabels: { env: 'prod' } } } },
        },
        refused('m'),
      ],
      [
        'a namespace that is not there',
        {
          policy: rule('false'),
          binding: { matchResources: { namespaceSelector: { matchLabels: { env: 'prod' } } } },
        },
        refused('failed to configure binding: namespaces "none" not found'),
        { namespace: 'none' },
      ],
      [
        'a condition that is false',
        {
          policy: {
            ...rule('false'),
            matchConditions: [{ name: 'c', expression: 'object.spec.nodeName == "b"' }],
          },
          binding: {},
        },
      ],
      [
        'a condition that fails',
        {
          policy: { ...rule('true'), matchConditions: [{ name: 'c', expression: 'object.none' }] },
          binding: {},
        },
        refused("expression 'object.none' resulted in error: no such key: none"),
      ],
      [
        'a false condition beside one that fails',
        {
          policy: {
            ...rule('false'),
            matchConditions: [
              { name: 'c', expression: 'object.none' },
              { name: 'd', expression: 'false' },
            ],
          },
          binding: {},
        },
      ],
      [
        'variables',
        {
          policy: {
            variables: [
              { name: 'a', expression: 'object.spec.nodeName' },
              { name: 'b', expression: 'variables.a + "!"' },
            ],
            ...rule('variables.b == "b!"', { messageExpression: '"b=" + variables.b' }),
          },
          binding: {},
        },
        refused('b=a!'),
      ],
      [
        'variables that fail',
        {
          policy: {
            variables: [{ name: 'a', expression: 'object.none' }],
            ...rule('variables.a == 1'),
          },
          binding: {},
        },
        refused(
          `expression 'variables.a == 1' resulted in error: composited variable "a" fails to evaluate: no such key: none`,
        ),
      ],
      [
        'a kind of parameters that is not served',
        {
          policy: { ...rule('true'), paramKind: { apiVersion: 'example.com/v1', kind: 'None' } },
          binding: { paramRef: { name: 'x' } },
        },
        refused(
          "failed to configure policy: failed to find resource referenced by paramKind: 'example.com/v1, Kind=None'",
          "'p'",
        ),
      ],
      [
        'parameters that are missing',
        {
          policy: { ...rule('true'), paramKind: limits },
          binding: { paramRef: { name: 'x', parameterNotFoundAction: 'Deny' } },
        },
        refused(
          'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
        ),
      ],
      [
        'parameters that may be missing',
        {
          policy: { ...rule('false'), paramKind: limits },
          binding: { paramRef: { name: 'x', parameterNotFoundAction: 'Allow' } },
        },
      ],
      [
        'parameters by name',
        {
          policy: {
            ...rule('object.spec.nodeName == params.want', {
              messageExpression: '"want " + params.want',
            }),
            paramKind: limits,
          },
          binding: { paramRef: { name: 'x', parameterNotFoundAction: 'Deny' } },
          params: [named('x', { want: 'z' })],
        },
        refused('want z'),
      ],
      [
        'parameters by labels',
        {
          policy: {
            ...rule('false', { messageExpression: 'params.metadata.name' }),
            paramKind: limits,
          },
          binding: {
            paramRef: { selector: { matchLabels: { on: 'yes' } }, parameterNotFoundAction: 'Deny' },
          },
          params: [named('off'), { metadata: { name: 'on', labels: { on: 'yes' } } }],
        },
        refused('on'),
      ],
      [
        'what the request is',
        {
          policy: rule('false', {
            messageExpression:
              'request.operation + " " + request.name + " in " + request.namespace + " by " + request.userInfo.username + " of " + namespaceObject.metadata.labels.env',
          }),
          binding: {},
        },
        refused('CREATE web in shop by ann of prod'),
      ],
      [
        'what the user may',
        {
          policy: rule('authorizer.requestResource.check("bind").allowed()', {
            message: 'may not',
          }),
          binding: {},
          authorize: () => ({ decision: 'allow', reason: '' }),
        },
      ],
      [
        'what the user may, said later',
        {
          policy: rule('!authorizer.group("").resource("pods").check("bind").allowed()', {
            message: 'may',
          }),
          binding: {},
          authorize: async () => ({ decision: 'allow', reason: '' }),
        },
        refused('may'),
      ],
      [
        'a rule that costs too much',
        {
          policy: rule(
            '[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, a+b+c+d+e > 0)))))',
            { message: 'm' },
          ),
          binding: {},
        },
        refused(
          "expression '[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, a+b+c+d+e > 0)))))' resulted in error: operation cancelled: actual cost limit exceeded",
        ),
      ],
    ];
  for (const [name, cluster, refusal, request = {}] of rows) {
    it(name, async () => {
      const attributes = createTestAttributes({ object: pod(), ...request });
      assert.equal(await admit(pluginOf(cluster), attributes), refusal);
    });
  }

  it('answers with the reason of the rule', async () => {
    const codes: readonly [reason: string | undefined, code: number][] = [
      [undefined, 422],
      ['Invalid', 422],
      ['Forbidden', 403],
      ['RequestEntityTooLarge', 413],
    ];
    for (const [reason, code] of codes) {
      const plugin = pluginOf({
        policy: rule('false', { message: 'm', ...(reason && { reason }) }),
        binding: {},
      });
      const error = await refusalOf(plugin.validate, createTestAttributes({ object: pod() }));
      assert.equal(error.code, code);
      assert.equal(error.reason, reason ?? 'Invalid');
      assert.deepEqual(error.status.details?.causes, [
        { message: "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: m" },
      ]);
    }
  });

  it('warns and annotates as the binding says', async () => {
    const plugin = pluginOf({
      policy: {
        ...rule('false', { message: 'm' }),
        auditAnnotations: [
          { key: 'node', valueExpression: 'object.spec.nodeName' },
          { key: 'none', valueExpression: 'null' },
        ],
      },
      binding: { validationActions: ['Warn', 'Audit'] },
    });
    const attributes = createTestAttributes({ object: pod() });
    assert.equal(await admit(plugin, attributes), undefined);
    assert.deepEqual(attributes.warnings, [
      "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': m",
    ]);
    assert.deepEqual(attributes.annotations, {
      'validation.policy.admission.k8s.io/validation_failure':
        '[{"message":"m","policy":"p","binding":"b","expressionIndex":0,"validationActions":["Warn","Audit"]}]',
      'p/node': 'a',
    });
  });

  it('refuses when an annotation fails', async () => {
    const plugin = pluginOf({
      policy: { auditAnnotations: [{ key: 'node', valueExpression: 'object.none' }] },
      binding: { validationActions: ['Audit'] },
    });
    const refusal = await admit(plugin, createTestAttributes({ object: pod() }));
    assert.equal(refusal, refused("expression 'object.none' resulted in error: no such key: none"));
  });
});

type Validate = ((attributes: AdmissionAttributes) => Promise<void> | void) | undefined;

async function refusalOf(
  validate: Validate,
  attributes: AdmissionAttributes,
): Promise<StatusError> {
  try {
    await validate?.(attributes);
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('was admitted');
}
