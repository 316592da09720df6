import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, noDecisionTrace, type KubeObject } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import { createTestObjects } from '../../authentication/testing.ts';
import type { AuthorizationResult, RequestAttributes } from '../authorizer.ts';
import {
  allowsNonResource,
  allowsResource,
  compileRule,
  rulesOf,
  toResourceQuestion,
  type PolicyRule,
} from './policy-rule.ts';
import { problemsMax } from './compiled-roles.ts';
import { createRbacAuthorizer } from './rbac-authorizer.ts';

const everyone: UserInfo = { name: 'x', uid: '', groups: ['all'], extra: {} };
const toAll = (name: string, roleName: string): KubeObject => ({
  metadata: { name },
  roleRef: { kind: 'ClusterRole', name: roleName },
  subjects: [{ kind: 'Group', name: 'all' }],
});

function cluster() {
  const sources = {
    roles: createTestObjects(),
    roleBindings: createTestObjects(),
    clusterRoles: createTestObjects(),
    clusterRoleBindings: createTestObjects(),
  };
  const rbac = createRbacAuthorizer(sources);
  const decide = (attributes: RequestAttributes) =>
    rbac.authorize(everyone, attributes, noDecisionTrace) as AuthorizationResult;
  return { ...sources, decide };
}

/** What the objects allow, tried one by one. */
function expected(c: ReturnType<typeof cluster>, attributes: RequestAttributes): boolean {
  return c.clusterRoleBindings.list().some((binding) => {
    const { name } = binding['roleRef'] as { name: string };
    const role = c.clusterRoles.get('', name);
    return (role === undefined ? [] : rulesOf(role)).some((rule) => {
      const compiled = compileRule(rule);
      return attributes.isResource
        ? allowsResource(compiled, toResourceQuestion(attributes))
        : allowsNonResource(compiled, attributes);
    });
  });
}

test('many grants decide as each by itself would, whatever changes', () => {
  const random = createSeededRandom(7);
  const pick = <T>(values: readonly T[]): T => {
    const value = values[Math.floor(random.float() * values.length)];
    assert.ok(value !== undefined);
    return value;
  };
  const some = (values: readonly string[]) => values.filter(() => random.float() < 0.3);
  const verbs = ['get', 'list', 'create', '*'];
  const groups = ['', 'apps', '*'];
  const resources = ['pods', 'pods/log', '*/log', '*', 'secrets', 'pods/*'];
  const names = ['a', 'b', '', '*'];
  const urls = ['/api', '/api*', '/api/*', '/healthz', '*', '/a**', `/${'long'.repeat(80)}*`];
  const rule = (): PolicyRule =>
    random.float() < 0.3
      ? { verbs: some(verbs), nonResourceURLs: some(urls) }
      : {
          verbs: some(verbs),
          apiGroups: some(groups),
          resources: some(resources),
          ...(random.float() < 0.5 ? { resourceNames: some(names) } : {}),
        };
  const question = (): RequestAttributes =>
    random.float() < 0.3
      ? {
          isResource: false,
          verb: pick(['get', 'post', '*']),
          path: pick([...urls, '/apis', '/x']),
        }
      : {
          isResource: true,
          verb: pick(['get', 'list', 'watch', '*']),
          namespace: '',
          group: pick(['', 'apps', 'other', '*']),
          version: 'v1',
          resource: pick(['pods', 'secrets', '*', 'log']),
          subresource: pick(['', 'log', '*']),
          name: pick(['', 'a', 'c', '*']),
        };
  const c = cluster();
  let allowed = 0;
  for (let step = 0; step < 3000; step++) {
    const role = `r${Math.floor(random.float() * 30)}`;
    const binding = `b${Math.floor(random.float() * 60)}`;
    const chance = random.float();
    if (chance < 0.35) c.clusterRoleBindings.set(toAll(binding, role));
    else if (chance < 0.5) c.clusterRoleBindings.delete('', binding);
    else if (chance < 0.9) {
      const rules = Array.from({ length: Math.floor(random.float() * 3) }, rule);
      c.clusterRoles.set({ metadata: { name: role }, rules });
    } else c.clusterRoles.delete('', role);
    for (let i = 0; i < 3; i++) {
      const asked = question();
      const { decision } = c.decide(asked);
      assert.equal(decision === 'allow', expected(c, asked), JSON.stringify([step, asked]));
      if (decision === 'allow') allowed++;
    }
  }
  assert.ok(allowed > 1000 && allowed < 8000, `${allowed} of 9000 say something`);
});

test('a rule with very many combinations decides too', () => {
  const c = cluster();
  const many = (prefix: string) => Array.from({ length: 60 }, (_, i) => `${prefix}${i}`);
  for (let i = 0; i < 20; i++) c.clusterRoleBindings.set(toAll(`b${i}`, `r${i}`));
  const rules = [
    { verbs: many('v'), apiGroups: many('g'), resources: many('r'), resourceNames: many('n') },
    { verbs: ['get'], nonResourceURLs: Array.from({ length: 3000 }, (_, i) => `/u${i}/*`) },
  ];
  c.clusterRoles.set({ metadata: { name: 'r3' }, rules });
  const asked: RequestAttributes = {
    isResource: true,
    verb: 'v59',
    namespace: '',
    group: 'g59',
    version: 'v1',
    resource: 'r59',
    subresource: '',
    name: 'n59',
  };
  assert.equal(c.decide(asked).decision, 'allow');
  assert.equal(c.decide({ ...asked, verb: 'v60' }).decision, 'no-opinion');
  assert.equal(c.decide({ isResource: false, verb: 'get', path: '/u2999/x' }).decision, 'allow');
  c.clusterRoles.delete('', 'r3');
  assert.equal(c.decide(asked).decision, 'no-opinion');
});

test('the reason names so many bindings that lead nowhere, and no more', () => {
  const c = cluster();
  for (let i = 0; i < 3 * problemsMax; i++) c.clusterRoleBindings.set(toAll(`b${i}`, `r${i}`));
  const { reason } = c.decide({ isResource: false, verb: 'get', path: '/' });
  assert.equal(reason.split('not found').length - 1, problemsMax);
});
