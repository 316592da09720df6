import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import { createTestObjects } from '../../authentication/testing.ts';
import type { AuthorizationResult, RequestAttributes } from '../../authorization/authorizer.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createParamAccess } from './param-access.ts';

const kinds = {
  resourcesOf: ({ group, kind }: { group: string; kind: string }) =>
    group === '' && kind === 'ConfigMap' ? [{ resource: 'configmaps', namespaced: true }] : [],
};
const configMap = { apiVersion: 'v1', kind: 'ConfigMap' };
const policy = (paramKind?: object, name = 'p') =>
  ({ metadata: { name }, spec: { paramKind } }) as unknown as KubeObject;
const binding = (policyName: string, paramRef?: object) =>
  ({ metadata: { name: 'b' }, spec: { policyName, paramRef } }) as unknown as KubeObject;

function guard(answer: Partial<AuthorizationResult> = {}) {
  const asked: string[] = [];
  const policies = createTestObjects([
    policy(configMap, 'maps'),
    policy({ apiVersion: 'a/b/c', kind: 'X' }, 'unparsable'),
    policy({ apiVersion: 'rules.example.com/v1', kind: 'Nope' }, 'unknown'),
    policy(undefined, 'plain'),
  ]);
  const plugin = createParamAccess({
    authorizer: {
      name: 'test',
      authorize(_user, attributes: RequestAttributes) {
        if (attributes.isResource) {
          const { verb, namespace, group, version, resource, name } = attributes;
          asked.push([verb, namespace, group, version, resource, name].join('|'));
        }
        return { decision: 'no-opinion', reason: '', ...answer };
      },
    },
    kinds,
    validatingAdmissionPolicies: policies,
    mutatingAdmissionPolicies: policies,
  });
  return { plugin, asked };
}

const request = (object: KubeObject, more: TestRequest & { mutating?: boolean } = {}) => {
  const isBinding = 'policyName' in (object as unknown as { spec: object }).spec;
  const prefix = more.mutating === true ? 'mutating' : 'validating';
  return createTestAttributes({
    group: 'admissionregistration.k8s.io',
    resource: `${prefix}admissionpolic${isBinding ? 'ybindings' : 'ies'}`,
    kind: 'Kind',
    namespace: '',
    groups: ['devs'],
    object,
    ...more,
  });
};

const ann = '&{ann  [devs] map[]}';
const everything =
  `to determine minimum required permissions and user ${ann} does not have "get" ` +
  'permission for all groups, versions and resources';
const paramKind = 'Kind.admissionregistration.k8s.io "p" is invalid: spec.paramKind: Forbidden: ';
const paramRef = 'Kind.admissionregistration.k8s.io "b" is invalid: spec.paramRef: Forbidden: ';

test('parameters are given only by those who may read them', async () => {
  type Row = [
    what: string,
    attributes: ReturnType<typeof request>,
    asked: string[],
    message: string | undefined,
  ];
  const named = { name: 'm', namespace: 'shop', parameterNotFoundAction: 'Deny' };
  const selected = { selector: {}, parameterNotFoundAction: 'Deny' };
  const old = { operation: 'UPDATE' as const };
  const rows: Row[] = [
    [
      'a policy',
      request(policy(configMap)),
      ['get|*||v1|configmaps|*'],
      `${paramKind}user ${ann} must have "get" permission on all objects of the referenced paramKind (kind=ConfigMap, apiVersion=v1)`,
    ],
    [
      'a kind that is not known',
      request(policy({ apiVersion: 'g/v2', kind: 'K' })),
      ['get|*|g|v2|*|*'],
      `${paramKind}user ${ann} must have "get" permission on all objects of the referenced paramKind (kind=K, apiVersion=g/v2)`,
    ],
    ['a policy without parameters', request(policy()), [], undefined],
    [
      'an update that keeps the kind',
      request(policy(configMap), { ...old, oldObject: policy(configMap) }),
      [],
      undefined,
    ],
    [
      'an update that changes it',
      request(policy(configMap), { ...old, oldObject: policy() }),
      ['get|*||v1|configmaps|*'],
      `${paramKind}user ${ann} must have "get" permission on all objects of the referenced paramKind (kind=ConfigMap, apiVersion=v1)`,
    ],
    ['a status', request(policy(configMap), { subresource: 'status' }), [], undefined],
    ['an administrator', request(policy(configMap), { groups: ['system:masters'] }), [], undefined],
    [
      'a binding by name',
      request(binding('maps', named)),
      ['get|shop||v1|configmaps|m'],
      `${paramRef}user ${ann} does not have "get" permission on the object referenced by paramRef`,
    ],
    [
      'a binding by selector',
      request(binding('maps', selected)),
      ['list|||v1|configmaps|'],
      `${paramRef}user ${ann} does not have "list" permission on the object referenced by paramRef`,
    ],
    [
      'a mutating binding',
      request(binding('maps', named), { mutating: true }),
      ['get|shop||v1|configmaps|m'],
      `${paramRef}user get does not have "${ann}" permission on the object referenced by paramRef`,
    ],
    [
      'a binding of a policy that is not there',
      request(binding('none', named)),
      ['get|shop|*|*|*|m'],
      `${paramRef}unable to get policy none ${everything}`,
    ],
    [
      'a kind that cannot be parsed',
      request(binding('unparsable', named)),
      ['get|shop|*|*|*|m'],
      `${paramRef}unable to parse paramKind &{a/b/c X} ${everything}`,
    ],
    [
      'a kind that is not served',
      request(binding('unknown', named)),
      ['get|shop|rules.example.com|v1|*|m'],
      `${paramRef}unable to resolve paramKind &{rules.example.com/v1 Nope} ${everything}`,
    ],
    ['a binding without parameters', request(binding('maps')), [], undefined],
    [
      'an update that keeps what is referred to',
      request(binding('maps', named), { ...old, oldObject: binding('maps', named) }),
      [],
      undefined,
    ],
    [
      'an update to another policy',
      request(binding('plain', named), { ...old, oldObject: binding('maps', named) }),
      ['get|shop|*|*|*|m'],
      `${paramRef}user ${ann} does not have "get" permission on the object referenced by paramRef`,
    ],
  ];
  for (const [what, attributes, expected, message] of rows) {
    const { plugin, asked } = guard();
    assert.equal(await admit(plugin, attributes), message, what);
    assert.deepEqual(asked, expected, what);
    assert.equal(await admit(guard({ decision: 'allow' }).plugin, attributes), undefined, what);
  }
});

test('what goes wrong while deciding refuses', async () => {
  const failing = { evaluationError: 'gone' };
  const rows = [
    [request(policy(configMap)), `${paramKind}gone`],
    [request(binding('maps', { name: 'm' })), `${paramRef}failed to authorize request: gone`],
    [request(binding('maps', { name: 'm' }), { mutating: true }), `${paramRef}gone`],
  ] as const;
  for (const [attributes, message] of rows)
    assert.equal(await admit(guard(failing).plugin, attributes), message);
});
