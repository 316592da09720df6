import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type {
  FlowSchema,
  PolicyRulesWithSubjects,
} from '@keelson/apimachinery/types/flowcontrol.apiserver.k8s.io.v1';
import type { UserInfo } from '../../authentication/authenticator.ts';
import { parseRequestInfo } from '../request-info.ts';
import { createClassification, sortFlowSchemas } from './classification.ts';

function schema(name: string, matchingPrecedence: number, ...rules: PolicyRulesWithSubjects[]) {
  const priorityLevelConfiguration = { name: 'x' };
  const spec = { priorityLevelConfiguration, matchingPrecedence, rules };
  return { metadata: { name }, spec } satisfies FlowSchema;
}
const user = (name: string, ...groups: string[]): UserInfo => ({
  name,
  uid: '',
  groups,
  extra: {},
});
const classify = (schemas: readonly FlowSchema[], who: UserInfo, line: string) => {
  const [method = 'GET', url = '/'] = line.split(' ');
  const flows = sortFlowSchemas(schemas).map((one) => [one, one.metadata.name ?? ''] as const);
  return createClassification(flows)(who, parseRequestInfo(method, url));
};

const ann = user('ann', 'devs', 'system:authenticated');
const robot = user('system:serviceaccount:shop:robot', 'system:serviceaccounts');
const anything = {
  resourceRules: [
    { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true },
  ],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
};
const pods = '/api/v1/namespaces/shop/pods';

describe('subjects', () => {
  const account = (namespace: string, name: string) => ({
    kind: 'ServiceAccount',
    serviceAccount: { namespace, name },
  });
  const rows: readonly (readonly [
    string,
    PolicyRulesWithSubjects['subjects'],
    UserInfo,
    boolean,
  ])[] = [
    ['a user', [{ kind: 'User', user: { name: 'ann' } }], ann, true],
    ['another user', [{ kind: 'User', user: { name: 'bob' } }], ann, false],
    ['any user', [{ kind: 'User', user: { name: '*' } }], ann, true],
    ['a group', [{ kind: 'Group', group: { name: 'devs' } }], ann, true],
    ['another group', [{ kind: 'Group', group: { name: 'ops' } }], ann, false],
    ['any group', [{ kind: 'Group', group: { name: '*' } }], user('x'), true],
    ['a group named as the user', [{ kind: 'Group', group: { name: 'ann' } }], ann, false],
    ['an account', [account('shop', 'robot')], robot, true],
    ['an account elsewhere', [account('shop2', 'robot')], robot, false],
    ['all accounts of a namespace', [account('shop', '*')], robot, true],
    ['all accounts of a prefix', [account('sho', '*')], robot, false],
    ['accounts, for a user', [account('shop', '*')], user('shop:robot'), false],
    ['no subject', [], ann, false],
    ['null', null, ann, false],
    ['a kind without its part', [{ kind: 'User' }, { kind: 'Group' }], ann, false],
    ['the part of another kind', [{ kind: 'Group', user: { name: 'ann' } }], ann, false],
    ['an unknown kind', [{ kind: 'Robot', user: { name: 'ann' } }], ann, false],
  ];
  for (const [name, subjects, who, matches] of rows)
    it(`${name}: ${matches}`, () => {
      const found = classify([schema('fs', 5, { subjects, ...anything })], who, `GET ${pods}`);
      assert.equal(found, matches ? 'fs' : undefined);
    });
});

describe('rules', () => {
  const all = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] };
  const resource = (more: object) => ({ resourceRules: [{ ...all, ...more }] });
  const paths = (...nonResourceURLs: string[]) => ({
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs }],
  });
  const rows: readonly (readonly [string, object, string, boolean])[] = [
    ['verb', resource({ verbs: ['get', 'list'] }), `GET ${pods}`, true],
    ['another verb', resource({ verbs: ['get', 'list'] }), `POST ${pods}`, false],
    ['a wildcard beside others is none', resource({ verbs: ['*', 'get'] }), `POST ${pods}`, false],
    ['group', resource({ apiGroups: ['apps'] }), '/apis/apps/v1/namespaces/a/deployments', true],
    ['another group', resource({ apiGroups: ['apps'] }), pods, false],
    ['the core group', resource({ apiGroups: [''] }), pods, true],
    ['resource', resource({ resources: ['pods'] }), `${pods}/a`, true],
    ['no subresource', resource({ resources: ['pods'] }), `${pods}/a/status`, false],
    ['subresource', resource({ resources: ['pods/status'] }), `${pods}/a/status`, true],
    ['namespace', resource({ namespaces: ['shop'] }), pods, true],
    ['another namespace', resource({ namespaces: ['shop2'] }), pods, false],
    ['all namespaces are not the cluster', resource({}), '/api/v1/nodes', false],
    ['the cluster', resource({ clusterScope: true }), '/api/v1/nodes', true],
    ['the cluster only', resource({ clusterScope: true, namespaces: [] }), pods, false],
    ['a list over all namespaces is the cluster’s', resource({}), '/api/v1/pods', false],
    ['resource rules, for a path', resource({ clusterScope: true }), '/healthz', false],
    ['a path', paths('/healthz'), '/healthz', true],
    ['below a path', paths('/healthz'), '/healthz/etcd', true],
    ['beside a path', paths('/healthz'), '/healthz2', false],
    ['a pattern', paths('/healthz/*'), '/healthz/etcd', true],
    ['a pattern is not what it is below', paths('/healthz/*'), '/healthz', false],
    ['any path', paths('*'), '/metrics', true],
    ['another verb of a path', paths('*'), 'POST /metrics', false],
    ['paths, for a resource', paths('*'), pods, false],
    ['neither', {}, pods, false],
  ];
  for (const [name, rule, request, matches] of rows)
    it(`${name}: ${matches}`, () => {
      const subjects = [{ kind: 'Group', group: { name: '*' } }];
      const line = request.startsWith('/') ? `GET ${request}` : request;
      const found = classify([schema('fs', 5, { subjects, ...rule })], ann, line);
      assert.equal(found, matches ? 'fs' : undefined);
    });
});

describe('order', () => {
  const forGroup = (name: string, precedence: number, group: string) =>
    schema(name, precedence, {
      subjects: [{ kind: 'Group', group: { name: group } }],
      ...anything,
    });
  const rows: readonly (readonly [string, readonly FlowSchema[], string])[] = [
    ['lower first', [forGroup('a', 20, 'devs'), forGroup('b', 10, 'devs')], 'b'],
    ['then names', [forGroup('b', 10, 'devs'), forGroup('a', 10, 'system:authenticated')], 'a'],
    ['by any subject', [forGroup('z', 1, '*'), forGroup('a', 2, 'devs')], 'z'],
    ['first that matches', [forGroup('a', 1, 'ops'), forGroup('b', 2, 'devs')], 'b'],
  ];
  for (const [name, schemas, expected] of rows)
    it(name, () => assert.equal(classify(schemas, ann, `GET ${pods}`), expected));

  it('goes by schemas, not by the rules within', () => {
    const narrow = {
      subjects: [{ kind: 'User', user: { name: 'ann' } }],
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
    };
    const wide = { subjects: [{ kind: 'Group', group: { name: 'devs' } }], ...anything };
    assert.equal(classify([schema('fs', 1, narrow, wide)], ann, `GET ${pods}`), 'fs');
  });
});
