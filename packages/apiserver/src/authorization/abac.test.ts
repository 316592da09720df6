import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDecisionTrace, noDecisionTrace } from '@keelson/apimachinery';
import { createTestObjects } from '../authentication/testing.ts';
import { createFeatures } from '../features/create-features.ts';
import { createAbacAuthorizer } from './abac.ts';
import type { AuthorizationResult, RequestAttributes } from './authorizer.ts';
import {
  configurationOfModes,
  modeFlagDefaults,
  modeProblems,
} from './configuration/authorization-modes.ts';
import { createAuthorization, type AuthorizationOptions } from './create-authorization.ts';

const line = (spec: object) =>
  JSON.stringify({ apiVersion: 'abac.authorization.kubernetes.io/v1beta1', kind: 'Policy', spec });
const user = (name: string, ...groups: string[]) => ({ name, uid: '', groups, extra: {} });
const ask = (verb: string, resource: string, namespace = '', group = ''): RequestAttributes => ({
  isResource: true,
  verb,
  namespace,
  group,
  version: 'v1',
  resource,
  subresource: 'any',
  name: 'any',
});
const path = (verb: string, url: string): RequestAttributes => ({
  isResource: false,
  verb,
  path: url,
});

test('policies', () => {
  const rows: [
    policy: string,
    who: ReturnType<typeof user>,
    asked: RequestAttributes,
    allowed: boolean,
  ][] = [
    [
      line({ user: 'ann', namespace: '*', resource: '*', apiGroup: '*' }),
      user('ann'),
      ask('delete', 'pods', 'shop', 'apps'),
      true,
    ],
    [
      line({ user: 'ann', namespace: '*', resource: '*', apiGroup: '*' }),
      user('bob'),
      ask('get', 'pods'),
      false,
    ],
    [
      line({ user: 'ann', namespace: '*', resource: '*', apiGroup: '*', readonly: true }),
      user('ann'),
      ask('watch', 'pods'),
      true,
    ],
    [
      line({ user: 'ann', namespace: '*', resource: '*', apiGroup: '*', readonly: true }),
      user('ann'),
      ask('create', 'pods'),
      false,
    ],
    [
      line({ user: 'ann', group: 'dev', namespace: '*', resource: '*', apiGroup: '*' }),
      user('ann'),
      ask('get', 'pods'),
      false,
    ],
    [
      line({ user: 'ann', group: 'dev', namespace: '*', resource: '*', apiGroup: '*' }),
      user('ann', 'dev'),
      ask('get', 'pods'),
      true,
    ],
    [
      line({ namespace: '*', resource: '*', apiGroup: '*' }),
      user('ann'),
      ask('get', 'pods'),
      false,
    ],
    [line({ user: '*', resource: 'pods' }), user('ann'), ask('get', 'pods'), true],
    [line({ user: '*', resource: 'pods' }), user('ann'), ask('get', 'pods', 'shop'), false],
    [
      line({ user: '*', resource: '*', namespace: '*', apiGroup: '*' }),
      user('ann'),
      path('get', '/healthz'),
      false,
    ],
    [
      line({ user: '*', nonResourcePath: '/health*', readonly: true }),
      user('ann'),
      path('get', '/healthz'),
      true,
    ],
    [
      line({ user: '*', nonResourcePath: '/health*', readonly: true }),
      user('ann'),
      path('post', '/healthz'),
      false,
    ],
    ['{"user":"ann","resource":"pods"}', user('ann'), ask('delete', 'pods', 'any', 'any'), true],
    ['{"readonly":true}', user('ann', 'system:authenticated'), path('get', '/x'), true],
    ['{"user":"*"}', user('ann'), ask('get', 'pods'), false],
    ['\n# nothing\n', user('ann'), ask('get', 'pods'), false],
  ];
  for (const [policy, who, asked, allowed] of rows) {
    const { decision, reason } = createAbacAuthorizer(policy).authorize(
      who,
      asked,
      noDecisionTrace,
    ) as AuthorizationResult;
    assert.equal(decision, allowed ? 'allow' : 'no-opinion', policy);
    assert.equal(reason, allowed ? '' : 'No policy matched.');
  }
  for (const bad of [
    'nonsense',
    '[]',
    '{"user":1}',
    '{"kind":"Other"}',
    line({ user: 'a' }).replace('v1beta1', 'v2'),
  ])
    assert.throws(() => createAbacAuthorizer(bad), bad);
});

test('a trace names the line that allowed', () => {
  const abac = createAbacAuthorizer(`# people\n\n${line({ user: 'ann', resource: 'pods' })}`);
  const trace = createDecisionTrace();
  for (const name of ['ann', 'bob']) void abac.authorize(user(name), ask('get', 'pods'), trace);
  assert.deepEqual(
    trace.steps().map(({ outcome, detail }) => [outcome, detail]),
    [
      ['allow', { line: 3 }],
      ['no-opinion', undefined],
    ],
  );
});

const configurationOf = (...modes: string[]) =>
  configurationOfModes({ ...modeFlagDefaults, modes });

test('modes', async () => {
  const none = createTestObjects();
  const objects = {
    roles: none,
    roleBindings: none,
    clusterRoles: none,
    clusterRoleBindings: none,
    pods: none,
    persistentVolumes: none,
    volumeAttachments: none,
    resourceSlices: none,
  };
  const of = (changes: Partial<AuthorizationOptions>) =>
    createAuthorization({ objects, features: createFeatures(), ...changes });
  const decide = async (changes: Partial<AuthorizationOptions>, who = user('ann')) =>
    (await of(changes).authorizer.authorize(who, ask('get', 'pods'), noDecisionTrace)).decision;
  const master = user('x', 'system:masters');
  const abacPolicy = line({ user: 'ann', resource: 'pods' });
  const [abac, deny] = [configurationOf('ABAC'), configurationOf('AlwaysDeny')];
  assert.equal(await decide({}), 'no-opinion');
  assert.equal(await decide({}, master), 'allow');
  assert.equal(await decide({ configuration: deny }, master), 'allow');
  assert.equal(await decide({ configuration: deny }), 'no-opinion');
  const configuration = configurationOf('AlwaysDeny', 'AlwaysAllow');
  assert.equal(await decide({ configuration }), 'allow');
  assert.equal(await decide({ configuration: abac, abacPolicy }), 'allow');
  assert.throws(() => of({ configuration: abac }), {
    message: "authorization-mode ABAC's authorization policy file not passed",
  });
  assert.throws(() => of({ configuration: configurationOf('Webhook') }), {
    message: 'this server has no way to ask webhooks',
  });
  const { rules, close } = of({});
  assert.equal((await rules.rulesFor(user('ann'), 'shop')).incomplete, false);
  close();
});

test('what is wrong with the flags', () => {
  const file = { webhookConfigFile: '/w' };
  const rows: [flags: object, problems: string[]][] = [
    [{ modes: ['Node', 'RBAC', 'AlwaysDeny', 'AlwaysAllow'] }, []],
    [{ modes: ['Webhook'], ...file }, []],
    [{ modes: ['ABAC'], policyFile: '/p' }, []],
    [{ modes: [] }, ['at least one authorization-mode must be passed']],
    [{ modes: ['Magic'] }, ['authorization-mode "Magic" is not a valid mode']],
    [{ modes: ['rbac'] }, ['authorization-mode "rbac" is not a valid mode']],
    [
      { modes: ['RBAC', 'RBAC'] },
      ['authorization-mode ["RBAC" "RBAC"] has mode specified more than once'],
    ],
    [
      { modes: ['ABAC', 'Webhook'] },
      [
        "authorization-mode ABAC's authorization policy file not passed",
        "authorization-mode Webhook's authorization config file not passed",
      ],
    ],
    [
      { modes: ['RBAC'], policyFile: '/p', ...file },
      [
        'cannot specify --authorization-policy-file without mode ABAC',
        'cannot specify --authorization-webhook-config-file without mode Webhook',
      ],
    ],
  ];
  for (const [flags, problems] of rows)
    assert.deepEqual(modeProblems({ ...modeFlagDefaults, modes: [], ...flags }), problems);
  const [entry] = configurationOfModes({
    ...modeFlagDefaults,
    modes: ['Webhook'],
    ...file,
  }).authorizers;
  assert.deepEqual(entry, {
    type: 'Webhook',
    name: 'default',
    webhook: {
      kubeConfigFile: '/w',
      subjectAccessReviewVersion: 'v1beta1',
      timeoutMs: 30_000,
      authorizedTtlMs: 300_000,
      unauthorizedTtlMs: 30_000,
      failurePolicy: 'NoOpinion',
      matchConditions: [],
    },
  });
});
