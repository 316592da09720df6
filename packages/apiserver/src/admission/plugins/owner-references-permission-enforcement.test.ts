import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject, OwnerReference } from '@keelson/apimachinery';
import type { Authorizer, ResourceAttributes } from '../../authorization/authorizer.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createOwnerReferencesPermissionEnforcement } from './owner-references-permission-enforcement.ts';

const describe = (a: ResourceAttributes) =>
  [a.verb, a.group, a.resource, a.subresource, a.namespace, a.name].join('|');

function setUp(...allowed: string[]) {
  const asked: string[] = [];
  const authorizer: Authorizer = {
    name: 'test',
    authorize(_user, attributes) {
      if (!attributes.isResource) throw new Error('unexpected question');
      asked.push(describe(attributes));
      const isAllowed = allowed.includes(describe(attributes));
      return { decision: isAllowed ? 'allow' : 'no-opinion', reason: isAllowed ? '' : 'no rule' };
    },
  };
  const plugin = createOwnerReferencesPermissionEnforcement(authorizer, {
    resourcesOf({ group, version, kind }) {
      if (group === 'apps' && version === 'v1' && kind === 'ReplicaSet')
        return [{ resource: 'replicasets', namespaced: true }];
      if (group === '' && kind === 'Node') return [{ resource: 'nodes', namespaced: false }];
      return [];
    },
  });
  return { asked, plugin };
}

const owner = (uid: string, extra: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: `rs-${uid}`,
  uid,
  ...extra,
});
const pod = (...ownerReferences: OwnerReference[]): KubeObject => ({
  metadata: { name: 'web', ownerReferences },
});
const blocking = { blockOwnerDeletion: true };
const refused = (why: string) => `pods "web" is forbidden: ${why}`;
const mayDelete = 'delete||pods||shop|web';
const mayFinalize = (uid: string) => `update|apps|replicasets|finalizers|shop|rs-${uid}`;
const cannotDelete = refused(
  "cannot set an ownerRef on a resource you can't delete: no rule, <nil>",
);
const cannotFinalize = refused(
  "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set " +
    'finalizers on: no rule, <nil>',
);

test('OwnerReferencesPermissionEnforcement', async () => {
  const update = (object: KubeObject, oldObject: KubeObject, subresource = ''): TestRequest => ({
    operation: 'UPDATE',
    object,
    oldObject,
    subresource,
  });
  const [a, b] = [owner('a'), owner('b')];
  const unmapped = (apiVersion: string, kind: string, why: string) =>
    refused(
      'cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ' +
        `${apiVersion} Kind ${kind}: ${why}`,
    );
  const rows: [allowed: string[], request: TestRequest, message: string | undefined][] = [
    [[], { object: pod() }, undefined],
    [[], { object: pod(a) }, undefined],
    [[], update(pod(a), pod(a)), undefined],
    [[], update(pod(a, b), pod(b, a)), cannotDelete],
    [[], update(pod(), pod(a)), cannotDelete],
    [[], update(pod(a), pod(a), 'status'), undefined],
    [[], update(pod(), pod(a), 'status'), undefined],
    [[], update(pod(), pod(a), 'ephemeralcontainers'), cannotDelete],
    [
      ['delete||pods|ephemeralcontainers|shop|web'],
      update(pod(), pod(a), 'ephemeralcontainers'),
      undefined,
    ],
    [[mayDelete], update(pod(a), pod()), undefined],
    [[], { object: pod(owner('a', blocking)) }, cannotFinalize],
    [[mayFinalize('a')], { object: pod(owner('a', blocking)) }, undefined],
    [['update|*|*|finalizers||*'], { object: pod(owner('a', blocking)) }, undefined],
    [[mayDelete], update(pod(owner('a', blocking)), pod(a)), cannotFinalize],
    [[mayDelete], update(pod(owner('a', blocking), b), pod(owner('a', blocking))), undefined],
    [
      [mayFinalize('a')],
      { object: pod(owner('a', blocking), owner('b', blocking)) },
      cannotFinalize,
    ],
    [
      ['update||nodes|finalizers||rs-a'],
      { object: pod(owner('a', { ...blocking, apiVersion: 'v1', kind: 'Node' })) },
      undefined,
    ],
    [
      [],
      { object: pod(owner('a', { ...blocking, apiVersion: 'x.io/v1', kind: 'Foo' })) },
      unmapped('x.io/v1', 'Foo', 'no matches for kind "Foo" in version "x.io/v1"'),
    ],
    [
      [],
      { object: pod(owner('a', { ...blocking, apiVersion: 'a/b/c' })) },
      unmapped('a/b/c', 'ReplicaSet', 'unexpected GroupVersion string: a/b/c'),
    ],
  ];
  for (const [allowed, request, message] of rows) {
    const { plugin } = setUp(...allowed);
    assert.equal(await admit(plugin, createTestAttributes(request)), message);
  }
});
