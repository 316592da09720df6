import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import { createCertificateAuthority } from '../../../authentication/certificates/certificate-authority.ts';
import { createMemoryStorage } from '../../../storage/memory/memory-storage.ts';
import { createTestServer } from '../../../testing.ts';
import { createComponentStatuses } from './component-statuses.ts';

const path = '/api/v1/componentstatuses';
const refused = (port: number) =>
  `Get "https://127.0.0.1:${port}/healthz": dial tcp 127.0.0.1:1: connect: connection refused`;

test('components that are not there are unhealthy, the storage is healthy', async () => {
  const server = await createTestServer({ route: () => ({ host: '127.0.0.1', port: 1 }) });
  const { status, headers, text } = await server.admin('GET', path);
  assert.equal(status, 200);
  assert.deepEqual(headers.get('warning'), ['299 - "v1 ComponentStatus is deprecated in v1.19+"']);
  const healthy = (name: string, state: string, message: string) => ({
    metadata: { name },
    conditions: [{ type: 'Healthy', status: state, message }],
  });
  assert.deepEqual(JSON.parse(text), {
    kind: 'ComponentStatusList',
    apiVersion: 'v1',
    metadata: {},
    items: [
      healthy('controller-manager', 'False', refused(10_257)),
      healthy('scheduler', 'False', refused(10_259)),
      healthy('etcd-0', 'True', 'ok'),
    ],
  });
  const one = await server.admin('GET', `${path}/etcd-0`);
  assert.deepEqual(one.json(), {
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    ...healthy('etcd-0', 'True', 'ok'),
  });
  const named = await server.admin('GET', `${path}?fieldSelector=metadata.name=scheduler`);
  assert.equal((named.json()['items'] as unknown[]).length, 1);
  await server.close();
});

test('a table shows what a condition says', async () => {
  const server = await createTestServer({ route: () => ({ host: '127.0.0.1', port: 1 }) });
  const { text } = await server.call('GET', `${path}/scheduler`, {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    user: { name: 'a', uid: '', groups: ['system:masters'], extra: {} },
  });
  const { rows } = JSON.parse(text) as { rows: { cells: unknown[] }[] };
  assert.deepEqual(rows[0]?.cells, ['scheduler', 'Unhealthy', refused(10_259), '']);
  await server.close();
});

test('a component that answers is as healthy as it says', async () => {
  let code = 200;
  const { certificatePem, privateKeyPem } = createCertificateAuthority(
    { clock: systemClock, random: systemRandom },
    { commonName: 'x' },
  ).issueServing({ commonName: 'x', dnsNames: [], ipAddresses: [] });
  const component = createServer({ cert: certificatePem, key: privateKeyPem }, (req, res) => {
    res.statusCode = code;
    res.end(req.url === '/healthz' ? 'ok' : 'no');
  });
  await new Promise<void>((resolve) => component.listen(0, '127.0.0.1', resolve));
  const { port } = component.address() as AddressInfo;
  const server = await createTestServer({ route: () => ({ host: '127.0.0.1', port }) });
  const condition = async () => {
    const object = (await server.admin('GET', `${path}/scheduler`)).json();
    const [found] = object['conditions'] as { status: string; message: string }[];
    return [found?.status, found?.message];
  };
  assert.deepEqual(await condition(), ['True', 'ok']);
  code = 500;
  assert.deepEqual(await condition(), ['False', 'HTTP probe failed with statuscode: 500']);
  await server.close();
  component.closeAllConnections();
  component.close();
});

test('there are no others, and nothing else can be done with them', async () => {
  const server = await createTestServer();
  const missing = await server.admin('GET', `${path}/kubelet`);
  assert.deepEqual(
    [missing.status, missing.json()['message']],
    [500, 'Component not found: kubelet'],
  );
  for (const [method, url] of [
    ['DELETE', `${path}/etcd-0`],
    ['POST', path],
    ['GET', `${path}?watch=true`],
  ] as const)
    assert.equal((await server.admin(method, url)).status, 405, method);
  await server.close();
});

const here: readonly (readonly string[])[] = [
  [],
  ['scheduler'],
  ['scheduler', 'controller-manager'],
];
for (const names of here)
  test(`nobody is asked for ${names.join(' and ') || 'nothing'} that runs here`, async () => {
    const route = () => ({ host: '127.0.0.1', port: 1 });
    const runsHere = (name: string) => names.includes(name);
    const storage = createMemoryStorage();
    const { list } = createComponentStatuses({
      storage: () => storage,
      clock: systemClock,
      route,
      runsHere,
    });
    const healthy = (await list()).filter(({ conditions }) => {
      const [found] = conditions as { status: string }[];
      return found?.status === 'True';
    });
    assert.deepEqual(
      new Set(healthy.map(({ metadata }) => metadata.name)),
      new Set([...names, 'etcd-0']),
    );
  });
