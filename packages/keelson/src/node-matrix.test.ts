import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, test } from 'node:test';
import { createCertificateRequest } from '@keelson/apiserver';
import {
  accessRows,
  closedResources,
  gatedRows,
  matrixGates,
  matrixReleases,
  type Answers,
  type MatrixRow,
  type Target,
} from './testing/node-matrix.ts';
import { certificateRows, fieldRows, type FieldRow } from './testing/node-matrix-fields.ts';
import { createMatrixObjects, namesOf, newObject, urlOf } from './testing/node-matrix-objects.ts';
import {
  nodeUser,
  startServedCluster,
  type Answer,
  type Call,
  type ServedCluster,
} from './testing/served-cluster.ts';

type Release = (typeof matrixReleases)[number];
/** Those of the newest release with more features. */
const withGates = 'with gates';
type Served = Release | typeof withGates;
const allServed: readonly Served[] = [...matrixReleases, withGates];

/** Made once for each release; the tests below share them. */
const servers = new Map<Served, Promise<ServedCluster>>();
async function serverOf(release: Served): Promise<ServedCluster> {
  const start = async () => {
    const server = await startServedCluster(
      release === withGates ? { featureGates: matrixGates } : { emulatedVersion: release },
    );
    await createMatrixObjects(server);
    return server;
  };
  const server = servers.get(release) ?? start();
  servers.set(release, server);
  return server;
}
after(async () => {
  for (const server of servers.values()) await (await server).close();
});

/** `reached`, `refused`, or why it was refused. */
function outcomeOf({ status, body }: Answer): string {
  if (status !== 403) return status === 401 ? 'unauthenticated' : 'reached';
  const message = String(body['message'] ?? '').replace(/^.*? is forbidden: /s, '');
  const byAuthorizer =
    /^User "[^"]*" cannot [^:]*? (?:at the cluster scope|in the namespace "[^"]*")(?:: )?(.*)$/s;
  const reason = byAuthorizer.exec(message)?.[1] ?? message;
  return reason === '' ? 'refused' : reason;
}

const answerFor = (answers: Answers, release: Served): string =>
  typeof answers === 'string'
    ? answers
    : (answers[release === withGates ? 2 : matrixReleases.indexOf(release)] ?? '');

interface Cell {
  readonly resource: string;
  readonly verb: string;
  readonly target: Target;
}

const methods: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
};
const selectors: Readonly<Partial<Record<Target, (own: string, foreign: string) => string>>> = {
  selected: () => 'spec.nodeName=n1',
  'selected foreign': () => 'spec.nodeName=n2',
  named: (own) => `metadata.name=${own}`,
  'named foreign': (_own, foreign) => `metadata.name=${foreign}`,
};

async function requestOf(server: ServedCluster, { resource, verb, target }: Cell): Promise<Call> {
  const { own, foreign, namespace: usual } = namesOf(resource);
  const name = target === 'foreign' ? foreign : own;
  const namespace = target === 'cluster' ? '' : target === 'elsewhere' ? 'elsewhere' : usual;
  const isMany = ['list', 'watch', 'deletecollection'].includes(verb);
  const isNew = verb === 'create' && resource.split('/').length === 2;
  const place = { resource, namespace, name: isMany || isNew ? '' : name };
  const query = new URLSearchParams({
    ...(verb === 'watch' ? { watch: 'true' } : {}),
    ...(selectors[target] === undefined ? {} : { fieldSelector: selectors[target](own, foreign) }),
  });
  const url = `${urlOf(server, place)}${query.size === 0 ? '' : `?${query}`}`;
  const call: Call = { method: methods[verb] ?? '', url, user: nodeUser };
  if (verb === 'create') return { ...call, body: newObject(resource, name) };
  if (verb === 'patch') return { ...call, body: {}, contentType: 'application/merge-patch+json' };
  if (verb !== 'update') return call;
  // As it is, so that nothing but who writes it can be wrong.
  const [group = '', plural = ''] = resource.split('/');
  const parent = { ...place, resource: `${group}/${plural}` };
  const stored = server.resources.has(parent.resource)
    ? await server.call({ method: 'GET', url: urlOf(server, parent) })
    : { status: 404, body: {} };
  return { ...call, body: stored.status === 200 ? stored.body : {} };
}

/** What came out otherwise, as text. */
async function difference(server: ServedCluster, cell: Cell, expected: string): Promise<string[]> {
  const call = await requestOf(server, cell);
  const outcome = outcomeOf(await server.call(call));
  if (outcome === expected) return [];
  return [`${cell.verb} ${cell.resource} (${cell.target}): ${outcome}; expected: ${expected}`];
}

const verbsOf = (server: ServedCluster, resource: string) =>
  server.resources.get(resource)?.verbs ?? [];

async function rowDifferences(release: Served, rows: readonly MatrixRow[]): Promise<string[]> {
  const server = await serverOf(release);
  const differences: string[] = [];
  for (const [resource, verbs, target, answers] of rows) {
    if (!server.resources.has(resource)) continue;
    const expected = answerFor(answers, release);
    for (const verb of verbs.split(' '))
      differences.push(...(await difference(server, { resource, verb, target }, expected)));
  }
  return differences;
}

const gatedResources = [...new Set(gatedRows.map(([resource]) => resource))];

for (const release of allServed) {
  const rows = release === withGates ? [...accessRows, ...gatedRows] : accessRows;
  const closed = release === withGates ? closedResources : [...closedResources, ...gatedResources];

  test(`auth §10 (1)–(5), (9), (10), (12), (15), §12.4 (10): a node and every resource, ${release}`, async () => {
    assert.deepEqual(await rowDifferences(release, rows), []);
  });

  test(`auth §10 (2): everything else is refused to a node, ${release}`, async () => {
    const server = await serverOf(release);
    const differences: string[] = [];
    for (const resource of closed)
      for (const verb of verbsOf(server, resource))
        for (const target of ['own', 'foreign'] as const)
          differences.push(...(await difference(server, { resource, verb, target }, 'refused')));
    assert.deepEqual(differences, []);
  });
}

const certificateRequests = Object.fromEntries(
  ['n1', 'n2'].map((name) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const subject = { commonName: `system:node:${name}`, organizations: ['system:nodes'] };
    return [name, createCertificateRequest(subject, privateKey)];
  }),
);

async function fieldDifference(server: ServedCluster, row: FieldRow, expected: string) {
  const { method, namespace, resource, name, node = 'n1' } = row;
  const uids = await uidsOf(server);
  const answer = await server.call({
    method,
    url: urlOf(server, { resource, namespace, name }),
    body: row.body((key) => uids.get(key) ?? ''),
    user: { ...nodeUser, name: `system:node:${node}` },
    ...(method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {}),
  });
  const outcome = outcomeOf(answer);
  // What is let through must be valid, or nothing was seen of it.
  const isValid = outcome !== 'reached' || answer.status < 400;
  if (outcome === expected && isValid) return [];
  return [
    `${row.what}: ${answer.status} ${outcome} ${String(answer.body['message'])}; expected: ${expected}`,
  ];
}

async function uidsOf(server: ServedCluster): Promise<Map<string, string>> {
  const uids = new Map<string, string>();
  for (const resource of ['/nodes', '/pods', '/secrets']) {
    const url = urlOf(server, { resource, namespace: '', name: '' });
    const { body } = await server.call({ method: 'GET', url });
    const items = body['items'] as readonly { metadata: { name: string; uid: string } }[];
    for (const { metadata } of items) uids.set(`${resource}/${metadata.name}`, metadata.uid);
  }
  return uids;
}

for (const release of matrixReleases)
  test(`auth §10 (6)–(8), (11), (13), (14): which fields a node may write in ${release}`, async (t) => {
    const server = await startServedCluster({ emulatedVersion: release });
    t.after(() => server.close());
    await createMatrixObjects(server);
    const differences: string[] = [];
    for (const row of [...fieldRows, ...certificateRows(certificateRequests)])
      if (server.resources.has(row.resource))
        differences.push(...(await fieldDifference(server, row, answerFor(row.answers, release))));
    assert.deepEqual(differences, []);
  });

test('auth §10 (6): a grant lets a node ask for an audience that no volume names', async (t) => {
  const server = await startServedCluster({ emulatedVersion: '1.36' });
  t.after(() => server.close());
  await createMatrixObjects(server);
  const uid = (await uidsOf(server)).get('/pods/used');
  const ask = async () => {
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'used', uid };
    const { status } = await server.call({
      method: 'POST',
      url: '/api/v1/namespaces/shop/serviceaccounts/used/token',
      body: { spec: { audiences: ['bank'], boundObjectRef } },
      user: nodeUser,
    });
    return status;
  };
  assert.equal(await ask(), 403);
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/shop';
  const verbs = ['request-serviceaccounts-token-audience'];
  const rules = [{ verbs, apiGroups: [''], resources: ['bank'], resourceNames: ['used'] }];
  const apiGroup = 'rbac.authorization.k8s.io';
  const grant = [
    ['roles', { metadata: { name: 'bank' }, rules }],
    [
      'rolebindings',
      {
        metadata: { name: 'bank' },
        roleRef: { apiGroup, kind: 'Role', name: 'bank' },
        subjects: [{ apiGroup, kind: 'User', name: nodeUser.name }],
      },
    ],
  ] as const;
  for (const [plural, body] of grant) {
    const { status } = await server.call({ method: 'POST', url: `${rbac}/${plural}`, body });
    assert.equal(status, 201);
  }
  assert.equal(await ask(), 201);
});

test('every resource and verb that any release serves has its row', async () => {
  const listed = [...accessRows, ...gatedRows];
  const rows = new Set<string>(closedResources.map((resource) => `${resource} *`));
  for (const [resource, verbs] of listed)
    for (const verb of verbs.split(' ')) rows.add(`${resource} ${verb}`);
  const served = new Set<string>();
  for (const release of allServed) {
    const server = await serverOf(release);
    for (const [resource, { verbs }] of server.resources)
      for (const verb of verbs) {
        served.add(resource);
        const hasRow = rows.has(`${resource} *`) || rows.has(`${resource} ${verb}`);
        assert.ok(hasRow, `${verb} ${resource} of ${release} needs a row in node-matrix.ts`);
      }
  }
  const known = [...closedResources, ...listed.map(([resource]) => resource)];
  assert.deepEqual(
    known.filter((resource) => !served.has(resource)),
    [],
    'rows of resources that no release serves',
  );
});
