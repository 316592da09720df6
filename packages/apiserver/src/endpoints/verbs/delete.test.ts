import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusErrors, type KubeObject } from '@keelson/apimachinery';
import type { AdmissionPlugin } from '../../admission/admission.ts';
import { createTestServer } from '../../testing.ts';

const pods = '/api/v1/namespaces/shop/pods';
const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } };

async function arrange(t: { after(f: () => unknown): void }, refuseCall?: number) {
  const asked: (number | undefined)[] = [];
  const guard: AdmissionPlugin = {
    name: 'Guard',
    handles: (operation) => operation === 'DELETE',
    validate({ oldObject }) {
      asked.push(oldObject?.metadata.deletionGracePeriodSeconds as number | undefined);
      if (asked.length === refuseCall) throw statusErrors.badRequest('not now');
    },
  };
  const server = await createTestServer({ admissionPlugins: [guard] });
  t.after(() => server.close());
  await server.admin('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  assert.equal((await server.admin('POST', pods, pod)).status, 201);
  const live = async () => {
    const answer = await server.admin('GET', `${pods}/p`);
    return answer.status === 404 ? undefined : (answer.json() as unknown as KubeObject);
  };
  return { server, asked, live };
}

test('a pod that is deleted at once is marked, then removed; admission hears of both', async (t) => {
  const { server, asked, live } = await arrange(t);
  const answer = await server.admin('DELETE', `${pods}/p?gracePeriodSeconds=0`);
  assert.equal(answer.status, 200);
  assert.deepEqual(asked, [undefined, undefined, 0]);
  assert.equal(await live(), undefined);
});

test('a refusal of the removal leaves the pod marked', async (t) => {
  const { server, live } = await arrange(t, 3);
  const answer = await server.admin('DELETE', `${pods}/p?gracePeriodSeconds=0`);
  assert.equal(answer.status, 400);
  const { metadata } = (await live()) ?? {};
  assert.equal(metadata?.deletionGracePeriodSeconds, 0);
  assert.notEqual(metadata?.deletionTimestamp, undefined);
});

test('a refusal of the marking leaves the pod as it is', async (t) => {
  const { server, asked, live } = await arrange(t, 1);
  assert.equal((await server.admin('DELETE', `${pods}/p?gracePeriodSeconds=0`)).status, 400);
  assert.deepEqual(asked, [undefined]);
  assert.equal((await live())?.metadata.deletionTimestamp, undefined);
});

test('a dry run asks once and removes nothing', async (t) => {
  const { server, asked, live } = await arrange(t);
  const answer = await server.admin('DELETE', `${pods}/p?gracePeriodSeconds=0&dryRun=All`);
  assert.equal(answer.status, 200);
  assert.deepEqual(asked, [undefined]);
  assert.equal((await live())?.metadata.deletionTimestamp, undefined);
});
