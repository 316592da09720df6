import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStatusError, noDecisionTrace, systemClock, systemRandom } from '@keelson/apimachinery';
import { createTestObjects, createTestRequest } from '../../authentication/testing.ts';
import type { AuthorizationResult, Authorizer } from '../../authorization/authorizer.ts';
import { createFeatures } from '../../features/create-features.ts';
import { createMetrics } from '../../metrics.ts';
import type { RequestContext } from '../../request-context.ts';
import type { HandlerRequest } from '../handlers.ts';
import { createConnectHandlers } from './connect.ts';

/** What an upgrade, or a request without one, asks for besides its own verb. */
async function asked(
  release: string,
  what: string,
  { method = 'GET', upgrade = true, result = 'allow' as AuthorizationResult['decision'] } = {},
): Promise<string> {
  const [resource = '', subresource = ''] = what.split('/');
  const verbs: string[] = [];
  const authorizer: Authorizer = {
    name: 'test',
    authorize(_user, attributes) {
      verbs.push(attributes.verb);
      return { decision: result, reason: 'why' };
    },
  };
  const none = createTestObjects();
  const handlers = createConnectHandlers({
    sources: { pods: none, nodes: none, services: none, endpointSlices: none },
    random: systemRandom,
    clock: systemClock,
    metrics: createMetrics(),
    features: createFeatures({ emulatedVersion: release }),
    authorizer,
  });
  const handler = handlers.find(
    (h) => h.resource.resource === resource && h.subresource === subresource,
  );
  const headers = upgrade ? { connection: 'Upgrade', upgrade: 'websocket' } : {};
  const verb = method === 'POST' ? 'create' : 'get';
  const info = { isResourceRequest: true, verb, group: '', resource, subresource, name: 'x' };
  const context = {
    request: {
      ...createTestRequest({ method, headers }),
      ...(upgrade ? { upgrade: () => Promise.reject(new Error('not upgraded')) } : {}),
    },
    info,
    user: { name: 'ann', uid: '', groups: [], extra: {} },
    trace: noDecisionTrace,
  } as unknown as RequestContext;
  const request = { context, name: 'x', namespace: '' } as unknown as HandlerRequest;
  try {
    await handler?.authorize?.(request);
    return verbs.join(' ');
  } catch (error) {
    assert.ok(isStatusError(error));
    return `${error.code} ${error.message}`;
  }
}

test('auth §9.1: who upgrades a connection may create, by release', async () => {
  const rows: [what: string, in134: string, in135: string][] = [
    ['pods/exec', '', 'create'],
    ['pods/attach', '', 'create'],
    ['pods/portforward', '', 'create'],
    ['pods/proxy', '', 'create'],
    ['services/proxy', '', 'create'],
    ['nodes/proxy', 'create', 'create'],
  ];
  for (const [what, in134, in135] of rows) {
    assert.equal(await asked('1.34', what), in134, what);
    assert.equal(await asked('1.35', what), in135, what);
    assert.equal(await asked('1.36', what, { method: 'POST' }), '', `${what} by POST`);
  }
  assert.equal(await asked('1.36', 'nodes/proxy', { upgrade: false }), '');
  for (const release of ['1.26', '1.36'])
    assert.equal(
      await asked(release, 'nodes/proxy', { result: 'no-opinion' }),
      '403 nodes "x" is forbidden: why',
    );
  assert.equal(
    await asked('1.36', 'pods/exec', { result: 'no-opinion' }),
    '403 pods "x" is forbidden: why',
  );
});
