// NamespaceLifecycle, NamespaceExists and NamespaceAutoProvision: who needs which namespace.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStatusError, statusErrors } from '@keelson/apimachinery';
import { createTestObjects } from '../../authentication/testing.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createNamespaceAutoProvision } from './namespace-auto-provision.ts';
import { createNamespaceExists } from './namespace-exists.ts';
import { createNamespaceLifecycle } from './namespace-lifecycle.ts';

const namespace = (name: string, phase: string) => ({ metadata: { name }, status: { phase } });
const namespaces = createTestObjects([
  namespace('shop', 'Active'),
  namespace('dying', 'Terminating'),
]);
const pod = { metadata: { name: 'web' } };
const aboutNamespace = (operation: 'CREATE' | 'UPDATE' | 'DELETE', name: string): TestRequest => ({
  operation,
  resource: 'namespaces',
  kind: 'Namespace',
  namespace: name,
  name,
});

const dyingText =
  'pods "web" is forbidden: unable to create new content in namespace dying because it is being ' +
  'terminated';
const immortal = (name: string) =>
  `namespaces "${name}" is forbidden: this namespace may not be deleted`;

test('NamespaceLifecycle', async () => {
  const plugin = createNamespaceLifecycle(namespaces);
  const review = { group: 'authorization.k8s.io', resource: 'localsubjectaccessreviews' };
  const rows: [request: TestRequest, message: string | undefined][] = [
    [{ object: pod }, undefined],
    [{ object: pod, namespace: 'missing' }, 'namespaces "missing" not found'],
    [{ operation: 'UPDATE', object: pod, namespace: 'missing' }, 'namespaces "missing" not found'],
    [{ operation: 'DELETE', name: 'web', namespace: 'missing' }, undefined],
    [{ object: pod, namespace: 'dying' }, dyingText],
    [{ operation: 'UPDATE', object: pod, namespace: 'dying' }, undefined],
    [{ operation: 'DELETE', name: 'web', namespace: 'dying' }, undefined],
    [{ ...review, namespace: 'missing' }, undefined],
    [{ resource: 'nodes', kind: 'Node', namespace: '' }, undefined],
    [aboutNamespace('CREATE', 'new'), undefined],
    [aboutNamespace('UPDATE', 'missing'), undefined],
    [aboutNamespace('DELETE', 'shop'), undefined],
    [aboutNamespace('DELETE', 'default'), immortal('default')],
    [aboutNamespace('DELETE', 'kube-system'), immortal('kube-system')],
    [aboutNamespace('DELETE', 'kube-public'), immortal('kube-public')],
    [aboutNamespace('DELETE', 'kube-node-lease'), undefined],
  ];
  for (const [request, message] of rows)
    assert.equal(await admit(plugin, createTestAttributes(request)), message);
});

test('a terminating namespace is told as a cause', async () => {
  const attributes = createTestAttributes({ object: pod, namespace: 'dying' });
  await assert.rejects(
    async () => createNamespaceLifecycle(namespaces).mutate?.(attributes),
    (error) => {
      assert.ok(isStatusError(error, 'Forbidden'));
      assert.deepEqual(error.status.details, {
        name: 'web',
        kind: 'pods',
        causes: [
          {
            reason: 'NamespaceTerminating',
            message: 'namespace dying is being terminated',
            field: 'metadata.namespace',
          },
        ],
      });
      return true;
    },
  );
});

test('NamespaceExists', async () => {
  const plugin = createNamespaceExists(namespaces);
  const missing = 'namespaces "missing" not found';
  const rows: [request: TestRequest, message: string | undefined][] = [
    [{ object: pod }, undefined],
    [{ object: pod, namespace: 'dying' }, undefined],
    [{ object: pod, namespace: 'missing' }, missing],
    [{ operation: 'UPDATE', object: pod, namespace: 'missing' }, missing],
    [{ operation: 'DELETE', name: 'web', namespace: 'missing' }, missing],
    [{ operation: 'CONNECT', name: 'web', namespace: 'missing' }, undefined],
    [{ resource: 'nodes', kind: 'Node', namespace: '' }, undefined],
    [aboutNamespace('CREATE', 'new'), undefined],
  ];
  for (const [request, message] of rows)
    assert.equal(await admit(plugin, createTestAttributes(request)), message);
});

test('NamespaceAutoProvision', async () => {
  const namespacesResource = { group: '', resource: 'namespaces' };
  const rows: [request: TestRequest, created: string[], failure?: Error][] = [
    [{ object: pod }, []],
    [{ object: pod, namespace: 'missing' }, ['missing']],
    [{ object: pod, namespace: 'missing', dryRun: true }, []],
    [{ operation: 'UPDATE', object: pod, namespace: 'missing' }, []],
    [{ operation: 'DELETE', name: 'web', namespace: 'missing' }, []],
    [{ resource: 'nodes', kind: 'Node', namespace: '' }, []],
    [aboutNamespace('CREATE', 'missing'), []],
    [
      { object: pod, namespace: 'missing' },
      ['missing'],
      statusErrors.alreadyExists(namespacesResource, 'missing'),
    ],
  ];
  for (const [request, expected, failure] of rows) {
    const created: string[] = [];
    const plugin = createNamespaceAutoProvision(namespaces, {
      async createNamespace(name) {
        created.push(name);
        if (failure !== undefined) throw failure;
      },
    });
    assert.equal(await admit(plugin, createTestAttributes(request)), undefined);
    assert.deepEqual(created, expected);
  }
  const failing = createNamespaceAutoProvision(namespaces, {
    createNamespace: () => Promise.reject(statusErrors.forbidden(namespacesResource, 'x', 'no')),
  });
  assert.equal(
    await admit(failing, createTestAttributes({ object: pod, namespace: 'missing' })),
    'namespaces "x" is forbidden: no',
  );
});
