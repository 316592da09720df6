import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callInProcess, createFeatures, createMemoryStorage } from '@keelson/apiserver';
import { createSeededRandom, createSimulatedClock } from '@keelson/apimachinery';
import { startControlPlane } from './control-plane.ts';
import { createLazyPki } from './pki.ts';

test('/metrics tells how long admission took and what Pod Security decided', async (t) => {
  const clock = createSimulatedClock();
  const random = createSeededRandom(1);
  const plane = await startControlPlane({
    storage: createMemoryStorage({ clock }),
    features: createFeatures({}),
    pki: createLazyPki({ clock, random }, { dnsNames: ['localhost'], ipAddresses: [] }),
    serverAddress: () => '127.0.0.1:6443',
    clock,
    random,
  });
  t.after(() => plane.close());
  const user = { name: 'root', uid: '', groups: ['system:masters'], extra: {} };
  const call = async (method: string, url: string, body?: object) => {
    const headers = { 'content-type': 'application/json' };
    const bytes = body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) };
    const answer = await callInProcess(plane.server.serve, {
      method,
      url,
      user,
      headers,
      ...bytes,
    });
    return { status: answer.status, text: Buffer.from(await answer.bytes()).toString() };
  };
  const counted = async (line: string) => {
    const { text } = await call('GET', '/metrics');
    return text.split('\n').find((l) => l.startsWith(line));
  };
  const restricted = 'pod_security_evaluations_total{decision="deny",mode="enforce"';
  const duration = 'apiserver_admission_controller_admission_duration_seconds_count';
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const quick = `${duration}{name="NamespaceLifecycle",operation="CREATE",rejected="false"`;
  const refused = `${duration}{name="PodSecurity",operation="CREATE",rejected="true"`;
  assert.equal(await counted(restricted), undefined);
  assert.equal(await counted(refused), undefined);

  const shop = { metadata: { name: 'shop', labels } };
  assert.equal((await call('POST', '/api/v1/namespaces', shop)).status, 201);
  const account = { metadata: { name: 'default' } };
  const accounts = '/api/v1/namespaces/shop/serviceaccounts';
  assert.equal((await call('POST', accounts, account)).status, 201);
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  const pod = { metadata: { name: 'web' }, spec };
  assert.equal((await call('POST', '/api/v1/namespaces/shop/pods', pod)).status, 403);

  assert.match((await counted(quick)) ?? '', /type="admit"\} \d+$/);
  assert.match((await counted(refused)) ?? '', /type="validate"\} 1$/);
  assert.match((await counted(restricted)) ?? '', /policy_level="restricted".*resource="pod".* 1$/);
});
