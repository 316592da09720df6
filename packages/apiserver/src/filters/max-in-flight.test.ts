import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { UserInfo } from '../authentication/authenticator.ts';
import { createTestServer, type TestServer } from '../testing.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const someone: UserInfo = { name: 'slow', uid: '', groups: ['system:authenticated'], extra: {} };
const open: TestServer[] = [];
after(() => Promise.all(open.map((test) => test.close())));

async function start(readOnlyInFlightMax: number, mutatingInFlightMax: number) {
  let release = () => {};
  const hold = new Promise<void>((resolve) => (release = resolve));
  const test = await createTestServer({
    flowControl: false,
    limits: { readOnlyInFlightMax, mutatingInFlightMax },
    authorizer: {
      name: 'slow',
      async authorize(user) {
        if (user.name === 'slow') await hold;
        return { decision: 'allow', reason: '' };
      },
    },
  });
  open.push(test);
  const slow = (method: string, path = `${configMaps}/a`) =>
    test.call(method, path, { user: someone });
  const quick = (method: string, path = `${configMaps}/a`) =>
    test.call(method, path, { user: { ...someone, name: 'quick' } });
  return { test, slow, quick, release };
}

describe('without priority and fairness', () => {
  it('reads and writes have places of their own', async () => {
    const { slow, quick, release } = await start(1, 1);
    const held = [slow('GET')];
    const refused = await quick('GET');
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get('retry-after'), '1');
    assert.equal(refused.text, 'Too many requests, please try again later.\n');
    assert.equal(refused.headers.has('x-kubernetes-pf-flowschema-uid'), false);
    assert.equal((await quick('DELETE')).status, 404);
    held.push(slow('DELETE'));
    assert.equal((await quick('DELETE')).status, 429);
    release();
    await Promise.all(held);
    assert.equal((await quick('GET')).status, 404);
  });

  it('zero is no bound', async () => {
    const { slow, quick, release } = await start(0, 0);
    const held = Array.from({ length: 20 }, () => slow('GET'));
    assert.equal((await quick('GET')).status, 404);
    release();
    await Promise.all(held);
  });

  it('long-running requests take no place', async () => {
    const { slow, quick, release } = await start(1, 1);
    const held = [slow('GET', '/api/v1/namespaces/default/pods/a/log')];
    assert.equal((await quick('GET')).status, 404);
    release();
    await Promise.all(held);
  });

  it('masters get one when there is none', async () => {
    const { test, slow, release } = await start(1, 1);
    const held = [slow('GET')];
    assert.equal((await test.admin('GET', `${configMaps}/a`)).status, 404);
    release();
    await Promise.all(held);
  });

  it('there are no pages about it', async () => {
    const { test } = await start(1, 1);
    const path = '/debug/api_priority_and_fairness/dump_queues';
    assert.equal((await test.admin('GET', path)).status, 404);
    assert.doesNotMatch((await test.admin('GET', '/metrics')).text, /flowcontrol/);
  });
});
