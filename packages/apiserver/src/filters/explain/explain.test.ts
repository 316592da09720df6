import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { UserInfo } from '../../authentication/authenticator.ts';
import { createTestServer, type TestAnswer, type TestServer } from '../../testing.ts';
import type { TraceDocument } from './trace-document.ts';

const open: TestServer[] = [];
after(() => Promise.all(open.map((server) => server.close())));

const user = (name: string): UserInfo => ({
  name,
  uid: '',
  groups: ['system:authenticated'],
  extra: {},
});
const explained = { 'keelson-explain': '1' };
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const traces = '/debug/keelson/traces';

const planted = 'planted-hunter2';

/** `ann` may explain in `shop` and read traces; `bob` may only read traces; `eve` nothing. */
async function start(limits = {}): Promise<TestServer> {
  const test = await createTestServer({
    limits,
    staticTokens: [{ token: 'ann-token', user: user('ann') }],
    admissionPlugins: [
      {
        name: 'Quoting',
        handles: (operation) => operation === 'CREATE',
        validate({ object }) {
          if (object?.metadata.labels?.['refuse'] !== undefined)
            throw new Error(`no: ${JSON.stringify(object)}`);
        },
      },
    ],
  });
  open.push(test);
  const create = async (path: string, object: object) => {
    const { status, text } = await test.admin('POST', path, object);
    assert.equal(status, 201, text);
  };
  const role = (name: string, ...rules: object[]) =>
    create(`${rbac}/clusterroles`, {
      kind: 'ClusterRole',
      apiVersion: 'rbac.authorization.k8s.io/v1',
      metadata: { name },
      rules,
    });
  const bind = (namespace: string, name: string, clusterRole: string, ...users: string[]) =>
    create(
      namespace === ''
        ? `${rbac}/clusterrolebindings`
        : `${rbac}/namespaces/${namespace}/rolebindings`,
      {
        kind: namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding',
        apiVersion: 'rbac.authorization.k8s.io/v1',
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
        subjects: users.map((name) => ({
          kind: 'User',
          apiGroup: 'rbac.authorization.k8s.io',
          name,
        })),
      },
    );
  for (const name of ['shop', 'bank'])
    await create('/api/v1/namespaces', { kind: 'Namespace', apiVersion: 'v1', metadata: { name } });
  await role('tracing', {
    apiGroups: ['keelson.dev'],
    resources: ['decisiontraces'],
    verbs: ['create'],
  });
  await role('trace-reading', { nonResourceURLs: [`${traces}/*`], verbs: ['get'] });
  await role('pods', { apiGroups: [''], resources: ['pods', 'secrets'], verbs: ['get', 'create'] });
  await role('rbac-reading', {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['*'],
    verbs: ['get', 'list'],
  });
  await bind('', 'trace-readers', 'trace-reading', 'ann', 'bob', 'carl');
  await bind('', 'rbac-readers', 'rbac-reading', 'carl');
  await bind('shop', `tracers-${planted}`, 'tracing', 'ann');
  await bind('shop', `pods-${planted}`, 'pods', 'ann', 'carl');
  return test;
}

function idOf(answer: TestAnswer): string {
  const id = answer.headers.get('keelson-trace');
  assert.ok(typeof id === 'string', 'the answer names no trace');
  return id;
}

async function read(test: TestServer, id: string, as: UserInfo): Promise<TraceDocument> {
  const answer = await test.call('GET', `${traces}/${id}`, { user: as });
  assert.equal(answer.status, 200, answer.text);
  return answer.json() as unknown as TraceDocument;
}

const admin: UserInfo = { name: 'root', uid: '', groups: ['system:masters'], extra: {} };
const pods = '/api/v1/namespaces/shop/pods';

describe('the header Keelson-Explain', () => {
  it('makes every answer name its trace, allowed or refused', async () => {
    const test = await start();
    const rows: [method: string, url: string, status: number][] = [
      ['GET', `${pods}/none`, 404],
      ['GET', pods, 403],
      ['POST', pods, 400],
      ['GET', '/version', 200],
      ['GET', '/nowhere', 404],
    ];
    for (const [method, url, status] of rows) {
      const answer = await test.call(method, url, { user: admin, headers: explained });
      const isRefused = status === 403;
      const { headers } = isRefused
        ? await test.call(method, url, { user: user('ann'), headers: explained })
        : answer;
      assert.equal(typeof headers.get('keelson-trace'), 'string', url);
      if (!isRefused) assert.equal(answer.status, status, url);
    }
  });

  it('needs the permission, in the namespace of the request; without it there is a warning', async () => {
    const test = await start();
    const rows: [name: string, url: string, isTraced: boolean][] = [
      ['ann', `${pods}/none`, true],
      ['ann', '/api/v1/namespaces/bank/pods/none', false],
      ['ann', '/api/v1/nodes', false],
      ['bob', `${pods}/none`, false],
      ['system:anonymous', `${pods}/none`, false],
    ];
    for (const [name, url, isTraced] of rows) {
      const answer = await test.call('GET', url, { user: user(name), headers: explained });
      assert.equal(answer.headers.has('keelson-trace'), isTraced, `${name} ${url}`);
      assert.equal(
        /Keelson-Explain was ignored/.test(String(answer.headers.get('warning'))),
        !isTraced,
      );
    }
    const unasked = await test.call('GET', `${pods}/none`, { user: user('ann') });
    assert.ok(!unasked.headers.has('keelson-trace'));
  });

  it('is a matter of who sends the request, not of the user it acts as', async () => {
    const test = await start();
    const as = { ...explained, 'impersonate-user': 'eve' };
    const answer = await test.call('GET', pods, { user: admin, headers: as });
    assert.equal(answer.status, 403);
    const trace = await read(test, idOf(answer), admin);
    assert.equal(trace.user?.username, 'root');
    assert.equal(trace.impersonatedUser?.username, 'eve');
    assert.deepEqual(trace.answer, { code: 403 });
  });

  it('records a failed authentication for those who may read traces', async () => {
    const test = await start();
    const headers = { ...explained, authorization: 'Bearer not-a-token' };
    const answer = await test.call('GET', pods, { headers });
    assert.equal(answer.status, 401);
    const id = idOf(answer);
    const trace = await read(test, id, admin);
    assert.equal(trace.user, undefined);
    assert.ok(trace.steps.some((s) => s.stage === 'authentication' && s.by === 'token-file'));
    assert.equal(trace.steps.at(-1)?.reason, 'Unauthorized');
    assert.ok(!JSON.stringify(trace).includes('not-a-token'));
    assert.equal((await test.call('GET', `${traces}/${id}`, { user: user('eve') })).status, 403);
  });
});

describe('a trace', () => {
  it('tells every stage of a write', async () => {
    const test = await start();
    const object = {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'web' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    const created = await test.call('POST', pods, {
      user: user('ann'),
      headers: explained,
      body: object,
    });
    assert.equal(created.status, 201, created.text);
    const stages = (await read(test, idOf(created), admin)).steps.map(
      (s) => `${s.stage} ${s.outcome}`,
    );
    for (const stage of [
      'authentication allow',
      'flow-control allow',
      'authorization allow',
      'admission/validating allow',
      'validation allow',
      'storage changed',
    ])
      assert.ok(stages.includes(stage), `${stage} in ${stages.join(', ')}`);
    const invalid = { ...object, metadata: { name: 'Bad Name' } };
    const refused = await test.call('POST', pods, {
      user: user('ann'),
      headers: explained,
      body: invalid,
    });
    assert.equal(refused.status, 422);
    const { steps } = await read(test, idOf(refused), admin);
    assert.ok(
      steps.some(
        (s) => s.stage === 'validation' && s.reason === 'metadata.name: FieldValueInvalid',
      ),
    );
  });

  it('is gone when many others came, and unknown ids are not found', async () => {
    const test = await start({ tracesMax: 2, unauthenticatedTracesMax: 1 });
    const ids: string[] = [];
    for (let i = 0; i < 3; i++)
      ids.push(idOf(await test.call('GET', '/version', { user: admin, headers: explained })));
    const failed = { ...explained, authorization: 'Bearer x' };
    for (let i = 0; i < 5; i++) await test.call('GET', '/version', { headers: failed });
    const found = [];
    for (const id of [...ids, 'none'])
      found.push((await test.call('GET', `${traces}/${id}`, { user: admin })).status);
    assert.deepEqual(found, [404, 200, 200, 404]);
    assert.equal((await test.call('DELETE', `${traces}/${ids[1]}`, { user: admin })).status, 405);
  });
});

describe('planted secrets', () => {
  it('names of bindings are for those who may get them', async () => {
    const test = await start();
    const id = idOf(
      await test.call('GET', `${pods}/none`, { user: user('ann'), headers: explained }),
    );
    const rows: [reader: string, sees: boolean][] = [
      ['ann', false],
      ['bob', false],
      ['carl', true],
    ];
    for (const [reader, sees] of rows) {
      const trace = await read(test, id, user(reader));
      assert.equal(JSON.stringify(trace).includes(planted), sees, reader);
      assert.ok(sees || trace.steps.some((step) => step.withheld === true), reader);
    }
    // A stranger does not even see what it was about.
    const strange = await read(test, id, user('bob'));
    assert.deepEqual(strange.request, { verb: 'get', withheld: true });
    assert.equal(JSON.stringify(strange).includes('shop'), false);
  });

  it('near misses of roles that the reader may not get are left out', async () => {
    const test = await start();
    const id = idOf(
      await test.call('DELETE', `${pods}/none`, { user: user('ann'), headers: explained }),
    );
    assert.ok(JSON.stringify(await read(test, id, admin)).includes(`pods-${planted}`));
    const own = await read(test, id, user('ann'));
    assert.ok(!JSON.stringify(own).includes(planted));
    assert.deepEqual(own.steps.find((s) => s.by === 'RBAC')?.detail?.['nearMisses'], []);
  });

  it('values of Secrets and bodies are in no trace, whoever reads', async () => {
    const test = await start();
    const secret = (name: string, labels = {}) => ({
      kind: 'Secret',
      apiVersion: 'v1',
      metadata: { name, labels },
      stringData: { password: planted },
    });
    const path = '/api/v1/namespaces/shop/secrets';
    const send = (body: object) =>
      test.call('POST', path, { user: admin, headers: explained, body });
    const answers = [
      await send(secret('stored')),
      await send(secret('refused', { refuse: 'yes' })),
      await send(secret('Not A Name')),
      await send({ ...secret('typed'), type: planted, data: { k: '%%%' } }),
      await test.call('GET', `${path}/stored`, { user: admin, headers: explained }),
      await test.call('GET', `${path}/stored?pretty=${planted}`, {
        user: admin,
        headers: explained,
      }),
    ];
    assert.deepEqual(
      answers.map((a) => a.status),
      [201, 500, 422, 400, 200, 200],
    );
    for (const answer of answers) {
      const trace = await read(test, idOf(answer), admin);
      assert.ok(!JSON.stringify(trace).includes(planted), JSON.stringify(trace));
    }
  });

  it('reasons of admission are for the sender', async () => {
    const test = await start();
    const body = {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { name: 'p', labels: { refuse: planted } },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    };
    const id = idOf(await test.call('POST', pods, { user: user('ann'), headers: explained, body }));
    assert.ok(JSON.stringify(await read(test, id, user('ann'))).includes(planted));
    for (const reader of ['bob', 'carl'])
      assert.ok(!/refuse/.test(JSON.stringify(await read(test, id, user(reader)))), reader);
  });
});
