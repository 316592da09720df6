// Properties that hold for the whole server, whatever the resource: who is refused before what is
// read, what never shows in logs and answers, and that every limit of config.ts is one.

import { connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { systemClock, systemRandom, type Clock } from '@keelson/apimachinery';
import type { UserInfo } from './authentication/authenticator.ts';
import { createCertificateAuthority } from './authentication/certificates/certificate-authority.ts';
import { systemUser } from './authentication/system-user.ts';
import { defaultLimits, type ServerLimits } from './config.ts';
import { createTestServer, type TestServer } from './testing.ts';
import { StorageError } from './storage/index.ts';
import { openListener, type Listener } from './transport/listener.ts';
import { callInProcess } from './transport/in-process.ts';

const nobody: UserInfo = { name: 'nobody', uid: '', groups: ['system:authenticated'], extra: {} };
const configMaps = '/api/v1/namespaces/default/configmaps';
const configMap = (name: string, data: object = {}) => ({ metadata: { name }, data });
const namespace = { metadata: { name: 'default' } };

describe('authorization comes before everything else', () => {
  let test: TestServer;
  before(async () => {
    test = await createTestServer();
    await test.admin('POST', '/api/v1/namespaces', namespace);
    await test.admin('POST', configMaps, configMap('a'));
  });
  after(() => test.close());

  const requests: readonly [string, string][] = [
    ['GET', `${configMaps}/a`],
    ['HEAD', `${configMaps}/a`],
    ['GET', configMaps],
    ['GET', `${configMaps}?watch=1`],
    ['GET', '/api/v1/watch/configmaps'],
    ['POST', configMaps],
    ['PUT', `${configMaps}/a`],
    ['PATCH', `${configMaps}/a`],
    ['DELETE', `${configMaps}/a`],
    ['DELETE', configMaps],
    ['GET', '/api/v1/namespaces/default/pods/x/log'],
    ['POST', '/api/v1/namespaces/default/pods/x/exec?command=sh'],
    ['POST', '/api/v1/namespaces/default/pods/x/eviction'],
    ['GET', '/api/v1/nodes/x/proxy/'],
    ['GET', '/apis/example.com/v1/absent'],
    ['GET', '/metrics'],
    ['GET', '/'],
    ['GET', '/debug/pprof/'],
  ];
  for (const [method, url] of requests) {
    it(`${method} ${url} is refused to who has no role, and its body is not read`, async () => {
      for (const user of [nobody, undefined]) {
        const { status, wasRead } = await callWithTrap(test, method, url, user);
        assert.equal(status, 403, `as ${user?.name ?? 'anonymous'}`);
        assert.equal(wasRead, false, `as ${user?.name ?? 'anonymous'}`);
      }
    });
  }

  for (const url of ['/healthz', '/livez', '/readyz', '/version'])
    it(`${url} is for everybody`, async () => {
      assert.equal((await test.call('GET', url)).status, 200);
    });

  it('a credential that is wrong is not the same as none', async () => {
    const headers = { authorization: 'Bearer nonsense' };
    assert.equal((await test.call('GET', '/version', { headers })).status, 401);
  });

  it('an authorizer that throws refuses', async () => {
    const broken = await createTestServer({
      authorizer: { name: 'broken', authorize: () => Promise.reject(new Error('secret detail')) },
    });
    const answer = await broken.call('GET', '/version');
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.text, /secret detail/);
    await broken.close();
  });
});

/** The request's body fails the test when somebody reads it. */
async function callWithTrap(test: TestServer, method: string, url: string, user?: UserInfo) {
  let wasRead = false;
  const answer = await callInProcess(
    (request, response) =>
      test.server.serve(
        {
          ...request,
          body: (bytesMax) => {
            wasRead = true;
            return request.body(bytesMax);
          },
        },
        response,
      ),
    { method, url, body: Buffer.from('{}'), ...(user === undefined ? {} : { user }) },
  );
  await answer.bytes();
  return { status: answer.status, wasRead };
}

describe('nothing secret is told', () => {
  const planted = 'pLaNtEd-SeCrEt';

  it('no credential and no content shows in the log, whatever goes wrong', async () => {
    const user: UserInfo = { name: 'u', uid: '', groups: ['system:masters'], extra: {} };
    let failing = false;
    const test = await createTestServer({
      staticTokens: [{ token: planted, user }],
      storage: (storage) => ({
        ...storage,
        get: (key) => (failing ? Promise.reject(new Error('disk on fire')) : storage.get(key)),
      }),
    });
    await test.admin('POST', '/api/v1/namespaces', namespace);
    const headers = { authorization: `Bearer ${planted}` };
    const secrets = '/api/v1/namespaces/default/secrets';
    const call = (method: string, url: string, body: object | string, more: object = {}) =>
      test.call(method, url, { headers: { ...headers, ...more }, body });
    await call('POST', secrets, { metadata: { name: 'a' }, stringData: { password: planted } });
    await call('POST', secrets, { metadata: { name: 'B!' }, stringData: { [planted]: planted } });
    await call('POST', secrets, `{"data": ${planted}`, { 'content-type': 'application/json' });
    await call('PUT', `${secrets}/a`, { metadata: { name: planted } });
    await test.call('GET', '/version', { headers: { authorization: `Basic ${planted}` } });
    await test.call('GET', '/version', { headers: { authorization: `Bearer x${planted}` } });
    failing = true;
    const failed = await call('GET', `${secrets}/a`, '');
    assert.equal(failed.status, 500);
    assert.match(test.log(), /disk on fire/);
    assert.doesNotMatch(test.log(), new RegExp(planted));
    await test.close();
  });

  it('the answer to a bug is opaque', async () => {
    const test = await createTestServer({
      storage: (storage) => ({
        ...storage,
        get: (key) =>
          key.includes('/configmaps/') ? Promise.reject(new Error(planted)) : storage.get(key),
      }),
    });
    const answer = await test.admin('GET', `${configMaps}/a`);
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.text, new RegExp(planted));
    assert.equal(answer.json()['message'], 'Internal error occurred: unexpected failure');
    await test.close();
  });
});

describe('every limit of config.ts', () => {
  const open: TestServer[] = [];
  const start = async (limits: Partial<ServerLimits>, clock?: Clock) => {
    const test = await createTestServer({ limits, ...(clock === undefined ? {} : { clock }) });
    open.push(test);
    await test.admin('POST', '/api/v1/namespaces', namespace);
    return test;
  };
  after(() => Promise.all(open.map((test) => test.close())));

  const rows: { readonly [L in keyof ServerLimits]: (() => Promise<void>) | string } = {
    async bodyBytesMax() {
      const test = await start({ bodyBytesMax: 20_000 });
      const answer = await test.admin(
        'POST',
        configMaps,
        configMap('a', { k: 'x'.repeat(20_000) }),
      );
      assert.equal(answer.status, 413);
      assert.equal((await test.admin('POST', configMaps, configMap('a'))).status, 201);
    },
    async requestTimeoutMs() {
      const test = await createTestServer({
        limits: { requestTimeoutMs: 20 },
        storage: (storage) => ({
          ...storage,
          get: (key) => (key.endsWith('/slow') ? new Promise(() => {}) : storage.get(key)),
        }),
      });
      open.push(test);
      const answer = await test.admin('GET', `${configMaps}/slow`);
      assert.equal(answer.status, 504);
      assert.equal(answer.json()['reason'], 'Timeout');
    },
    async watchTimeoutMinMs() {
      const test = await start({ watchTimeoutMinMs: 20 });
      assert.equal((await test.admin('GET', `${configMaps}?watch=1`)).status, 200);
    },
    async readOnlyInFlightMax() {
      await exceedInFlight({ readOnlyInFlightMax: 2 }, 'GET');
    },
    async mutatingInFlightMax() {
      await exceedInFlight({ mutatingInFlightMax: 2 }, 'PUT');
    },
    async warningRunesMax() {
      const test = await start({ warningRunesMax: 100 });
      const unknown = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`field${i}`, 1]));
      const answer = await test.admin('POST', configMaps, { ...configMap('a'), ...unknown });
      assert.equal(answer.status, 201);
      const warnings = answer.headers.get('warning') ?? [];
      assert.ok(warnings.length > 0 && warnings.length < 10, String(warnings.length));
    },
    async watchBacklogBytesMax() {
      const test = await start({ watchBacklogBytesMax: 10_000 });
      const watch = watchWithoutReading(test);
      for (let i = 0; i < 20; i++)
        await test.admin('POST', configMaps, configMap(`m${i}`, { k: 'x'.repeat(2000) }));
      await watch.aborted;
      assert.ok(watch.bytes() < 20_000, String(watch.bytes()));
    },
    async bookmarkIntervalMs() {
      const test = await start({ bookmarkIntervalMs: 15 });
      const url = `${configMaps}?watch=1&allowWatchBookmarks=true`;
      const answer = await callInProcess(test.server.serve, {
        method: 'GET',
        url,
        user: systemUser,
      });
      for await (const chunk of answer.chunks()) {
        assert.match(Buffer.from(chunk).toString(), /"type":"BOOKMARK"/);
        break;
      }
    },
    revisionWaitMs: 'exceeded in simulated time, in endpoints/verbs/future-revisions.test.ts',
    revisionWaitersMax: 'exceeded in endpoints/revision-waits.test.ts',
    async headerBytesMax() {
      await withListener({ headerBytesMax: 8192 }, async (listener) => {
        const answer = await exchange(
          listener,
          `GET /version HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(9000)}\r\n\r\n`,
        );
        assert.match(answer, /^HTTP\/1\.1 431 /);
      });
    },
    async connectionsMax() {
      await withListener({ connectionsMax: 2 }, async (listener) => {
        const held = await Promise.all([dial(listener), dial(listener)]);
        await assert.rejects(dial(listener));
        held.forEach((socket) => socket.destroy());
      });
    },
    async encodeChunkBytes() {
      // How often others have a turn while one list is encoded.
      const turnsOf = async (limits: Partial<ServerLimits>) => {
        const test = await start(limits);
        for (let i = 0; i < 20; i++)
          await test.admin('POST', configMaps, configMap(`m${i}`, { k: 'x'.repeat(2000) }));
        let turns = 0;
        let isRunning = true;
        const count = () => {
          turns++;
          if (isRunning) setImmediate(count);
        };
        setImmediate(count);
        assert.equal((await test.admin('GET', configMaps)).status, 200);
        isRunning = false;
        return turns;
      };
      const [inOne, inPortions] = [await turnsOf({}), await turnsOf({ encodeChunkBytes: 5000 })];
      assert.ok(inPortions >= inOne + 5, `${inPortions} turns, ${inOne} without portions`);
    },
    async generateNameTriesMax() {
      let creates = 0;
      const test = await createTestServer({
        limits: { generateNameTriesMax: 3 },
        storage: (storage) => ({
          ...storage,
          create(key, object) {
            if (!key.includes('/configmaps/')) return storage.create(key, object);
            creates++;
            return storage.create(key.replace(/[^/]*$/, 'taken'), object);
          },
        }),
      });
      open.push(test);
      await test.admin('POST', '/api/v1/namespaces', namespace);
      const generated = { metadata: { generateName: 'x-' } };
      assert.equal((await test.admin('POST', configMaps, generated)).status, 201);
      assert.equal(creates, 1);
      const answer = await test.admin('POST', configMaps, generated);
      assert.equal(answer.status, 409);
      assert.equal(creates, 4);
    },
    async patchConflictRetriesMax() {
      let conflicts = 0;
      let tries = 0;
      const test = await createTestServer({
        limits: { patchConflictRetriesMax: 3 },
        storage: (storage) => ({
          ...storage,
          guaranteedUpdate(key, update) {
            if (!key.endsWith('/contended')) return storage.guaranteedUpdate(key, update);
            tries++;
            if (conflicts-- <= 0) return storage.guaranteedUpdate(key, update);
            return Promise.reject(new StorageError('revision-conflict', 'somebody was faster'));
          },
        }),
      });
      open.push(test);
      await test.admin('POST', '/api/v1/namespaces', namespace);
      await test.admin('POST', configMaps, configMap('contended'));
      const patch = async (count: number, body: object) => {
        [conflicts, tries] = [count, 0];
        const { status } = await test.call('PATCH', `${configMaps}/contended`, {
          user: systemUser,
          headers: { 'content-type': 'application/merge-patch+json' },
          body,
        });
        return [status, tries];
      };
      assert.deepEqual(await patch(3, { data: { a: '1' } }), [200, 4]);
      assert.deepEqual(await patch(4, { data: { a: '2' } }), [409, 4]);
      assert.deepEqual(await patch(0, { metadata: { resourceVersion: '1' } }), [409, 1]);
    },
    tracesMax: 'filters/explain/explain.test.ts asks for more traces than are kept',
    unauthenticatedTracesMax: 'the same, without credentials',
    async traceStepsMax() {
      const steps = await explainedSteps(await start({ traceStepsMax: 2 }));
      assert.match(steps.at(-1)?.reason ?? '', /^\d+ further steps were dropped$/);
      assert.ok(steps.length <= 3);
    },
    async traceReasonLengthMax() {
      const steps = await explainedSteps(await start({ traceReasonLengthMax: 5 }));
      assert.ok(steps.every(({ reason }) => reason.length <= 6));
    },
    webhookAnswerBytesMax: 'exceeded beside the client, in transport/webhook-client.test.ts',
  };
  for (const limit of Object.keys(defaultLimits) as (keyof ServerLimits)[]) {
    const row = rows[limit];
    if (typeof row === 'string') it(`${limit}: ${row}`, { skip: row }, () => {});
    else it(limit, { timeout: 10_000 }, row);
  }

  it('members of system:masters are served when others wait', async () => {
    const { test, release } = await fill({ readOnlyInFlightMax: 2 }, 'GET');
    assert.equal((await test.call('GET', '/version', { user: nobody })).status, 429);
    assert.equal((await test.admin('GET', '/version')).status, 200);
    await release();
  });

  /** Fills the limit, then sends one more of the kind. */
  async function exceedInFlight(limits: Partial<ServerLimits>, method: 'GET' | 'PUT') {
    const { test, release } = await fill(limits, method);
    const refused = await test.call(method, `${configMaps}/a`, { user: nobody });
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get('retry-after'), '1');
    await release();
    assert.notEqual((await test.call(method, `${configMaps}/a`, { user: nobody })).status, 429);
  }

  /** Takes two places with requests that hang in authorization. */
  async function fill(limits: Partial<ServerLimits>, method: 'GET' | 'PUT') {
    let release = () => {};
    const hold = new Promise<void>((resolve) => (release = resolve));
    const test = await createTestServer({
      limits,
      flowControl: false,
      authorizer: {
        name: 'slow',
        async authorize(user) {
          if (user.name === 'slow') await hold;
          return { decision: 'allow', reason: '' };
        },
      },
    });
    open.push(test);
    const slow = { user: { ...nobody, name: 'slow' } };
    const held = [1, 2].map(() => test.call(method, `${configMaps}/a`, slow));
    const emptied = async () => {
      release();
      for (const answer of await Promise.all(held)) assert.notEqual(answer.status, 429);
    };
    return { test, release: emptied };
  }
});

/** A watcher whose connection takes nothing after the first bytes. */
function watchWithoutReading(test: TestServer) {
  let bytes = 0;
  let onAbort = () => {};
  const aborted = new Promise<void>((resolve) => (onAbort = resolve));
  const url = `${configMaps}?watch=1&resourceVersion=0`;
  void callInProcess(
    (request, response) =>
      test.server.serve(request, {
        get headersSent() {
          return response.headersSent;
        },
        status: 200,
        setHeader: (name, value) => response.setHeader(name, value),
        write(chunk) {
          bytes += chunk.length;
          response.write('');
          return false;
        },
        drained: () => new Promise(() => {}),
        writeShared: () => new Promise(() => {}),
        end: () => {},
        abort: onAbort,
      }),
    { method: 'GET', url, user: systemUser },
  );
  return { aborted, bytes: () => bytes };
}

describe('connections', () => {
  it('a request that is never finished is closed', { timeout: 10_000 }, async () => {
    await withListener({ requestTimeoutMs: 100 }, async (listener) => {
      const half = 'POST /api/v1/namespaces HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{';
      assert.match(await exchange(listener, half), /^HTTP\/1\.1 (403|408|504) /);
    });
  });

  it('streams that are reset at once leave the server serving', { timeout: 20_000 }, async () => {
    await withListener(
      {},
      async (listener) => {
        const session = connectHttp2(`https://127.0.0.1:${listener.port}`, {
          rejectUnauthorized: false,
        });
        session.on('error', () => {});
        for (let round = 0; round < 100 && !session.destroyed; round++) {
          for (let i = 0; i < 100 && !session.destroyed; i++) {
            const stream = session.request({ ':path': '/version' });
            stream.on('error', () => {});
            stream.close(constants.NGHTTP2_CANCEL);
          }
          await new Promise((resolve) => setImmediate(resolve));
        }
        session.destroy();
        assert.match(
          await exchange(listener, 'GET /version HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
          /^HTTP\/1\.1 200 /,
        );
      },
      true,
    );
  });
});

async function withListener(
  limits: Partial<ServerLimits>,
  use: (listener: Listener) => Promise<void>,
  http2 = false,
): Promise<void> {
  const test = await createTestServer({ limits });
  const dependencies = { clock: systemClock, random: systemRandom };
  const authority = createCertificateAuthority(dependencies, { commonName: 'test' });
  const pair = authority.issueServing({
    commonName: 'x',
    dnsNames: [],
    ipAddresses: ['127.0.0.1'],
  });
  const listener = await openListener(test.server.serve, {
    address: '127.0.0.1',
    port: 0,
    certificate: pair.certificatePem,
    key: pair.privateKeyPem,
    http2,
    limits: { ...defaultLimits, ...limits },
  });
  try {
    await use(listener);
  } finally {
    await listener.close(0);
    await test.close();
  }
}

function dial(listener: Listener): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: '127.0.0.1',
      port: listener.port,
      rejectUnauthorized: false,
    });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
}

/** What the server answers until it closes the connection, or has sent a whole head. */
async function exchange(listener: Listener, request: string): Promise<string> {
  const socket = await dial(listener);
  socket.write(request);
  let text = '';
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('\r\n\r\n')) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

async function explainedSteps(test: TestServer): Promise<readonly { readonly reason: string }[]> {
  const headers = { 'keelson-explain': '1' };
  const answer = await test.call('GET', configMaps, { user: systemUser, headers });
  const id = String(answer.headers.get('keelson-trace'));
  const trace = await test.admin('GET', `/debug/keelson/traces/${id}`);
  return trace.json()['steps'] as { readonly reason: string }[];
}
