import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noDecisionTrace } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import { createTestObjects } from '../../authentication/testing.ts';
import { createFeatures } from '../../features/create-features.ts';
import type { AuthorizationResult } from '../authorizer.ts';
import { bootstrapPolicy } from '../bootstrap-policy.ts';
import type { PolicyRule } from '../rbac/policy-rule.ts';
import { createRbacAuthorizer } from '../rbac/rbac-authorizer.ts';
import { kubeletAttributes, kubeletErrorText, kubeletForbiddenText } from './kubelet-attributes.ts';

const releases = { fine: createFeatures(), coarse: createFeatures({ emulatedVersion: '1.31' }) };
const ann: UserInfo = { name: 'ann', uid: '', groups: [], extra: {} };

/** `get stats`, `get pods|get proxy`. */
function asked(request: string, features = releases.fine, strictStreamingVerb?: boolean): string {
  const [method = '', path = ''] = request.split(' ');
  const options = {
    nodeName: 'n1',
    features,
    ...(strictStreamingVerb === undefined ? {} : { strictStreamingVerb }),
  };
  return kubeletAttributes({ method, path }, options)
    .map(({ verb, subresource }) => `${verb} ${subresource}`)
    .join('|');
}

test('auth §13 (3)–(9): what is asked for a request', () => {
  const rows: [request: string, fine: string, coarse: string][] = [
    ['GET /stats/summary', 'get stats', 'get stats'],
    ['GET /metrics', 'get metrics', 'get metrics'],
    ['GET /metrics/cadvisor', 'get metrics', 'get metrics'],
    ['GET /metricsfoo', 'get proxy', 'get proxy'],
    ['GET /logs/', 'get log', 'get log'],
    ['POST /checkpoint/ns/pod/c', 'create checkpoint', 'create checkpoint'],
    ['GET /statusz', 'get statusz', 'get statusz'],
    ['GET /flagz', 'get configz', 'get configz'],
    ['GET /pods', 'get pods|get proxy', 'get proxy'],
    ['GET /pods/', 'get pods|get proxy', 'get proxy'],
    ['GET /podsfoo', 'get proxy', 'get proxy'],
    ['GET /runningpods/', 'get pods|get proxy', 'get proxy'],
    ['GET /healthz', 'get healthz|get proxy', 'get proxy'],
    ['GET /healthz/ping', 'get healthz|get proxy', 'get proxy'],
    ['GET /configz', 'get configz|get proxy', 'get proxy'],
    ['GET /containerLogs/ns/pod/c', 'get proxy', 'get proxy'],
    ['GET /debug/pprof/heap', 'get proxy', 'get proxy'],
    ['PUT /debug/flags/v', 'update proxy', 'update proxy'],
    ['GET /', 'get proxy', 'get proxy'],
    ['GET /spec', 'get proxy', 'get proxy'],
    ['PATCH /x', 'patch proxy', 'patch proxy'],
    ['DELETE /x', 'delete proxy', 'delete proxy'],
    ['HEAD /pods', ' pods| proxy', ' proxy'],
    ['constructor /metrics', ' metrics', ' metrics'],
    ['GET /exec/ns/pod/c', 'create proxy', 'create proxy'],
    ['GET /attach/ns/pod/c', 'create proxy', 'create proxy'],
    ['GET /portForward/ns/pod', 'create proxy', 'create proxy'],
    ['POST /run/ns/pod/c', 'create proxy', 'create proxy'],
    ['HEAD /exec/ns/pod/c', 'create proxy', 'create proxy'],
    ['GET /execute', 'get proxy', 'get proxy'],
  ];
  for (const [request, fine, coarse] of rows) {
    assert.equal(asked(request), fine, request);
    assert.equal(asked(request, releases.coarse), coarse, `${request} before`);
  }
  assert.equal(asked('GET /exec/ns/pod/c', releases.fine, false), 'get proxy');
});

function authorizerOf(rules: readonly PolicyRule[]) {
  const none = createTestObjects();
  return createRbacAuthorizer({
    roles: none,
    roleBindings: none,
    clusterRoles: createTestObjects([{ metadata: { name: 'r' }, rules }]),
    clusterRoleBindings: createTestObjects([
      {
        metadata: { name: 'b' },
        roleRef: { kind: 'ClusterRole', name: 'r' },
        subjects: [{ kind: 'User', name: 'ann' }],
      },
    ]),
  });
}

test('auth §13 (1)–(6), (9): who may read what', () => {
  const on = (verb: string, ...names: string[]): PolicyRule => ({
    verbs: [verb],
    apiGroups: [''],
    resources: names.map((name) => `nodes/${name}`),
  });
  const admin = bootstrapPolicy(releases.fine).find(
    ({ object }) => object.metadata.name === 'system:kubelet-api-admin',
  )?.object['rules'] as readonly PolicyRule[];
  const rows: [rules: readonly PolicyRule[], request: string, fine: boolean, coarse: boolean][] = [
    [[on('get', 'pods')], 'GET /pods', true, false],
    [[on('get', 'pods')], 'POST /run/ns/pod/c', false, false],
    [[on('get', 'pods')], 'GET /containerLogs/ns/pod/c', false, false],
    [[on('get', 'proxy')], 'GET /pods', true, true],
    [[on('get', 'proxy')], 'GET /exec/ns/pod/c', false, false],
    [[on('create', 'proxy')], 'GET /exec/ns/pod/c', true, true],
    [[on('get', 'configz')], 'GET /configz', true, false],
    [[on('get', 'configz')], 'GET /flagz', true, true],
    [[on('get', 'proxy')], 'GET /flagz', false, false],
    [[on('get', 'proxy')], 'GET /metrics', false, false],
    [[on('get', 'metrics')], 'GET /metrics', true, true],
    [[on('get', 'metrics')], 'HEAD /metrics', false, false],
    [[on('*', 'metrics')], 'HEAD /metrics', true, true],
    [admin, 'GET /pods', true, true],
    [admin, 'GET /exec/ns/pod/c', true, true],
    [admin, 'GET /statusz', false, false],
    [admin, 'POST /checkpoint/ns/pod/c', false, false],
  ];
  for (const [rules, request, fine, coarse] of rows)
    for (const [features, expected] of [
      [releases.fine, fine],
      [releases.coarse, coarse],
    ] as const) {
      const [method = '', path = ''] = request.split(' ');
      const rbac = authorizerOf(rules);
      const all = kubeletAttributes({ method, path }, { nodeName: 'n1', features });
      const isAllowed = all.some((attributes) => {
        const result = rbac.authorize(ann, attributes, noDecisionTrace) as AuthorizationResult;
        return result.decision === 'allow';
      });
      assert.equal(isAllowed, expected, `${JSON.stringify(rules)} ${request}`);
    }
});

test('the wording of refusals', () => {
  const of = (features: typeof releases.fine) =>
    kubeletAttributes({ method: 'GET', path: '/pods' }, { nodeName: 'n1', features });
  assert.equal(
    kubeletForbiddenText('ann', of(releases.fine), releases.fine),
    'Forbidden (user=ann, verb=get, resource=nodes, subresource(s)=[pods proxy])\n',
  );
  assert.equal(
    kubeletForbiddenText('ann', of(releases.coarse), releases.coarse),
    'Forbidden (user=ann, verb=get, resource=nodes, subresource=proxy)\n',
  );
  const [first] = of(releases.fine);
  assert.ok(first !== undefined);
  assert.equal(
    kubeletErrorText('ann', first),
    'Authorization error (user=ann, verb=get, resource=nodes, subresource=pods)',
  );
});
