import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  askAuthorization,
  describeIdentity,
  identityOf,
  parseIdentity,
  readRbacState,
  whatCan,
  whoCan,
  type AccessQuestion,
  type Identity,
} from '@keelson/advisor';
import type { JsonObject } from '@keelson/apimachinery';
import { createCluster, type Cluster } from '../create-cluster.ts';
import { bind, role } from '../testing/rbac-objects.ts';
import { openOfflineCluster, readObjects } from './offline-cluster.ts';

const rbac = 'rbac.authorization.k8s.io';
const apiVersion = `${rbac}/v1`;

describe('who can and what can agree with the real authorizers', () => {
  const some = <T>(...values: T[]) => fc.subarray(values, { minLength: 1, maxLength: 2 });
  const rules = fc.array(
    fc.oneof(
      fc.record({
        verbs: some('get', 'list', 'create', '*'),
        apiGroups: some('', 'apps', '*'),
        resources: some('pods', 'pods/log', 'deployments', '*/log', '*', 'pods/*'),
        resourceNames: fc.option(some('x', 'y'), { nil: [] }),
      }),
      fc.record({ verbs: some('get', '*'), nonResourceURLs: some('/a', '/a/*', '*') }),
    ),
    { maxLength: 3 },
  );
  const subjects = some(
    'User=u1',
    'User=U1',
    'Group=g1',
    'Group=g',
    'ServiceAccount=a/s1',
    'User=system:serviceaccount:a:s1',
    'Group=system:serviceaccounts:a',
    'Group=system:authenticated',
  );
  const names = fc.constantFrom('r1', 'r2', 'r3');
  const states = fc.record({
    clusterRoles: fc.array(fc.tuple(names, rules), { maxLength: 3 }),
    roles: fc.array(
      fc.tuple(
        fc.constantFrom('a', 'b'),
        names,
        rules.map((list) => list.filter((rule) => 'resources' in rule)),
      ),
      { maxLength: 3 },
    ),
    bindings: fc.array(
      fc.tuple(
        fc.constantFrom('', 'a', 'b'),
        fc.constantFrom('ClusterRole', 'Role'),
        fc.constantFrom('r1', 'r2', 'r3', 'missing'),
        subjects,
      ),
      { maxLength: 5 },
    ),
  });
  const questions = fc.array(
    fc.oneof(
      fc.record({
        verb: fc.constantFrom('get', 'list', 'create', 'delete'),
        group: fc.constantFrom('', 'apps', 'batch'),
        resource: fc.constantFrom('pods', 'pods/log', 'deployments', 'pods/exec'),
        namespace: fc.constantFrom('', 'a', 'b'),
        name: fc.constantFrom('', 'x', 'z'),
      }),
      fc.record({ verb: fc.constantFrom('get', 'post'), url: fc.constantFrom('/a', '/a/b', '/c') }),
    ),
    { minLength: 4, maxLength: 8 },
  );
  const identities: readonly Identity[] = [
    identityOf('u1'),
    identityOf('u2', ['g1']),
    identityOf('U1', ['g']),
    identityOf('system:serviceaccount:a:s1'),
    identityOf('system:serviceaccount:b:s1'),
    identityOf('nobody'),
  ];

  let base: Cluster;
  before(async () => void (base = await createCluster({ controllers: [] })));
  after(() => base.close());

  it('over random roles, bindings and questions', async () => {
    await fc.assert(
      fc.asyncProperty(states, questions, async (state, asked) => {
        const objects = [
          ...state.clusterRoles.map(([name, list]) => role('', name, ...list)),
          ...state.roles.map(([namespace, name, list]) => role(namespace, name, ...list)),
          ...state.bindings
            .filter(([namespace, kind]) => kind === 'ClusterRole' || namespace !== '')
            .map(([namespace, kind, name, list], i) =>
              bind(namespace, `b${i}`, `${kind}/${name}`, ...list),
            ),
        ];
        await compare(base, objects, asked, identities);
      }),
      { numRuns: 25, seed: 20_261_121 },
    );
  });
});

async function compare(
  base: Cluster,
  objects: readonly JsonObject[],
  asked: readonly AccessQuestion[],
  identities: readonly Identity[],
): Promise<void> {
  const fork = await base.fork();
  try {
    const namespaces = ['a', 'b'].map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    }));
    for (const object of [...namespaces, ...objects]) await store(fork, object);
    const state = readRbacState(await readObjects(fork.client()));
    for (const question of asked) {
      const holders = whoCan(state, question);
      for (const identity of identities) {
        const { isAllowed } = await askAuthorization(fork, identity, question);
        const { held } = whatCan(state, identity);
        const told = JSON.stringify({ question, identity, objects });
        assert.equal(
          held.some(({ grant, rule }) => allows(grant.namespace, rule, question)),
          isAllowed,
          told,
        );
        const direct = holders.some(
          (holder) =>
            holder.path.length === 0 &&
            holder.rules.some(({ grant }) => meets(grant.subject, grant.namespace, identity)),
        );
        assert.equal(direct, isAllowed, told);
      }
    }
  } finally {
    await fork.close();
  }
}

/** Written down once more, from the documentation, to compare with. */
function allows(where: string, rule: object, question: AccessQuestion): boolean {
  const lists = new Map<string, readonly string[] | undefined>(Object.entries(rule));
  const list = (key: string) => lists.get(key) ?? [];
  const has = (key: string, ...values: string[]) =>
    ['*', ...values].some((value) => list(key).includes(value));
  if (!has('verbs', question.verb)) return false;
  if ('url' in question)
    return (
      where === '' &&
      list('nonResourceURLs').some((url) =>
        url.endsWith('*') ? question.url.startsWith(url.slice(0, -1)) : url === question.url,
      )
    );
  if (where !== '' && where !== question.namespace) return false;
  const sub = question.resource.split('/')[1];
  const names = list('resourceNames');
  return (
    has('apiGroups', question.group) &&
    has('resources', question.resource, ...(sub === undefined ? [] : [`*/${sub}`])) &&
    (names.length === 0 || names.includes(question.name))
  );
}

function meets(
  subject: { kind: string; name: string; namespace?: string },
  where: string,
  who: Identity,
): boolean {
  if (subject.kind === 'Group') return who.groups.includes(subject.name);
  if (subject.kind === 'User') return subject.name === who.name;
  return who.name === `system:serviceaccount:${subject.namespace ?? where}:${subject.name}`;
}

async function store(cluster: Cluster, object: JsonObject): Promise<number> {
  const { namespace } = object['metadata'] as { namespace?: string };
  const kind = String(object['kind']);
  const root = kind === 'Namespace' ? '/api/v1' : `/apis/${apiVersion}`;
  const inside = namespace === undefined ? '' : `/namespaces/${namespace}`;
  const path = `${root}${inside}/${kind.toLowerCase()}s`;
  return (await cluster.decide({ method: 'POST', path, body: object })).status;
}

/** What leads somewhere, in a namespace `shop` with the accounts `default` and `boss`, who may do all. */
describe('rights that imply others', () => {
  const rows: [right: string, rules: object[], scope: string, reaches: RegExp | undefined][] = [
    [
      'create pods',
      [{ apiGroups: [''], resources: ['pods'], verbs: ['create'] }],
      'shop',
      /runs a pod in shop as ServiceAccount shop\/boss/,
    ],
    [
      'create pods elsewhere',
      [{ apiGroups: [''], resources: ['pods'], verbs: ['create'] }],
      'bank',
      undefined,
    ],
    [
      'get pods',
      [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'delete'] }],
      'shop',
      undefined,
    ],
    [
      'patch deployments',
      [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['patch'] }],
      'shop',
      /runs a pod in shop as/,
    ],
    [
      'delete deployments',
      [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['delete'] }],
      'shop',
      undefined,
    ],
    [
      'exec',
      [{ apiGroups: [''], resources: ['pods/exec'], verbs: ['create'] }],
      'shop',
      /runs commands in a pod of shop/,
    ],
    ['logs', [{ apiGroups: [''], resources: ['pods/log'], verbs: ['get'] }], 'shop', undefined],
    [
      'ephemeral containers',
      [{ apiGroups: [''], resources: ['pods/ephemeralcontainers'], verbs: ['patch'] }],
      'shop',
      /runs commands in a pod/,
    ],
    [
      'token of an account',
      [
        {
          apiGroups: [''],
          resources: ['serviceaccounts/token'],
          resourceNames: ['boss'],
          verbs: ['create'],
        },
      ],
      'shop',
      /asks for a token of ServiceAccount shop\/boss/,
    ],
    [
      'token of another account',
      [
        {
          apiGroups: [''],
          resources: ['serviceaccounts/token'],
          resourceNames: ['default'],
          verbs: ['create'],
        },
      ],
      'shop',
      undefined,
    ],
    [
      'token Secrets',
      [{ apiGroups: [''], resources: ['secrets'], verbs: ['create', 'get'] }],
      'shop',
      /creates a token Secret of ServiceAccount shop\/boss/,
    ],
    [
      'Secrets unread',
      [{ apiGroups: [''], resources: ['secrets'], verbs: ['create'] }],
      'shop',
      undefined,
    ],
    [
      'kubelet',
      [{ apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get'] }],
      '',
      /through the kubelet/,
    ],
    [
      'impersonate',
      [
        {
          apiGroups: [''],
          resources: ['serviceaccounts'],
          resourceNames: ['boss'],
          verbs: ['impersonate'],
        },
      ],
      'shop',
      /impersonates ServiceAccount shop\/boss/,
    ],
    [
      'impersonate masters',
      [{ apiGroups: [''], resources: ['users', 'groups'], verbs: ['impersonate'] }],
      '',
      /impersonates the group system:masters/,
    ],
    [
      'impersonate a group alone',
      [{ apiGroups: [''], resources: ['groups'], verbs: ['impersonate'] }],
      '',
      undefined,
    ],
    [
      'bind',
      [
        { apiGroups: [rbac], resources: ['rolebindings'], verbs: ['create'] },
        {
          apiGroups: [rbac],
          resources: ['clusterroles'],
          resourceNames: ['cluster-admin'],
          verbs: ['bind'],
        },
      ],
      'shop',
      /binds ClusterRole cluster-admin to themselves in shop/,
    ],
    [
      'bindings without bind',
      [{ apiGroups: [rbac], resources: ['rolebindings'], verbs: ['create'] }],
      'shop',
      undefined,
    ],
    [
      'escalate',
      [{ apiGroups: [rbac], resources: ['roles'], verbs: ['update', 'escalate'] }],
      'shop',
      /adds any rule to Role tested/,
    ],
    [
      'roles without escalate',
      [{ apiGroups: [rbac], resources: ['roles'], verbs: ['update'] }],
      'shop',
      undefined,
    ],
    [
      'certificates',
      [
        {
          apiGroups: ['certificates.k8s.io'],
          resources: ['certificatesigningrequests'],
          verbs: ['create'],
        },
        {
          apiGroups: ['certificates.k8s.io'],
          resources: ['certificatesigningrequests/approval'],
          verbs: ['update'],
        },
        {
          apiGroups: ['certificates.k8s.io'],
          resources: ['signers'],
          resourceNames: ['kubernetes.io/kube-apiserver-client'],
          verbs: ['approve'],
        },
      ],
      '',
      /approves a client certificate of their own that says ServiceAccount shop\/boss/,
    ],
    [
      'approval of kubelets only',
      [
        {
          apiGroups: ['certificates.k8s.io'],
          resources: ['certificatesigningrequests'],
          verbs: ['create'],
        },
        {
          apiGroups: ['certificates.k8s.io'],
          resources: ['certificatesigningrequests/approval'],
          verbs: ['update'],
        },
        {
          apiGroups: ['certificates.k8s.io'],
          resources: ['signers'],
          resourceNames: ['kubernetes.io/kubelet-serving'],
          verbs: ['approve'],
        },
      ],
      '',
      undefined,
    ],
    [
      'mutating webhooks',
      [
        {
          apiGroups: ['admissionregistration.k8s.io'],
          resources: ['mutatingwebhookconfigurations'],
          verbs: ['patch'],
        },
      ],
      '',
      /sees and alters whatever others write/,
    ],
    [
      'validating webhooks',
      [
        {
          apiGroups: ['admissionregistration.k8s.io'],
          resources: ['validatingwebhookconfigurations'],
          verbs: ['create'],
        },
      ],
      '',
      /sees whatever others write/,
    ],
    [
      'reading webhooks',
      [{ apiGroups: ['admissionregistration.k8s.io'], resources: ['*'], verbs: ['get', 'list'] }],
      '',
      undefined,
    ],
  ];
  for (const [right, rules, scope, reaches] of rows)
    it(`${right}: ${reaches === undefined ? 'leads nowhere' : 'leads on'}`, async () => {
      const objects = [
        { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'boss', namespace: 'shop' } },
        role('', 'cluster-admin', { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }),
        bind('shop', 'boss', 'ClusterRole/cluster-admin', 'ServiceAccount=shop/boss'),
        role(scope, 'tested', ...rules),
        bind(scope, 'tested', `${scope === '' ? 'ClusterRole' : 'Role'}/tested`, 'User=eve'),
      ] as unknown as Parameters<typeof readRbacState>[0];
      const state = readRbacState(objects);
      const { reached } = whatCan(state, identityOf('eve'));
      const told = reached.map(({ path }) => path.at(-1)?.how ?? '');
      if (reaches !== undefined)
        assert.ok(
          told.some((how) => reaches.test(how)),
          told.join('\n'),
        );
      const secrets = {
        verb: 'delete',
        group: '',
        resource: 'secrets',
        namespace: 'shop',
        name: '',
      };
      const isHolder = whoCan(state, secrets).some(({ identity }) => identity.name === 'eve');
      const isReading = right === 'validating webhooks';
      assert.equal(isHolder, reaches !== undefined && !isReading, told.join('\n'));
    });

  it('each step of a path can really be taken', async (t) => {
    const { cluster } = await openOfflineCluster([
      role(
        'shop',
        'binder',
        { apiGroups: [rbac], resources: ['rolebindings'], verbs: ['create'] },
        { apiGroups: [rbac], resources: ['clusterroles'], verbs: ['bind'] },
      ),
      bind('shop', 'binder', 'Role/binder', 'User=binder'),
      role('shop', 'escalator', {
        apiGroups: [rbac],
        resources: ['roles'],
        verbs: ['update', 'escalate'],
      }),
      bind('shop', 'escalator', 'Role/escalator', 'User=escalator'),
    ]);
    t.after(() => cluster.close());
    const secrets = { verb: 'get', group: '', resource: 'secrets', namespace: 'shop', name: '' };
    const can = async (name: string) =>
      (await askAuthorization(cluster, identityOf(name), secrets)).isAllowed;
    const roots = `/apis/${apiVersion}/namespaces/shop`;
    const all = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
    assert.deepEqual([await can('binder'), await can('escalator')], [false, false]);
    const bound = await cluster.decide({
      method: 'POST',
      path: `${roots}/rolebindings`,
      user: { name: 'binder' },
      body: bind('shop', 'mine', 'ClusterRole/cluster-admin', 'User=binder'),
    });
    const escalated = await cluster.decide({
      method: 'PUT',
      path: `${roots}/roles/escalator`,
      user: { name: 'escalator' },
      body: role('shop', 'escalator', all),
    });
    assert.deepEqual([bound.status, escalated.status], [201, 200]);
    assert.deepEqual([await can('binder'), await can('escalator')], [true, true]);
  });
});

it('subjects are read as they are written', () => {
  const rows: [text: string, meant: string | undefined][] = [
    ['jane', 'User jane'],
    ['User:jane', 'User jane'],
    ['Group:devs', 'Group devs'],
    ['ServiceAccount:shop/web', 'ServiceAccount shop/web'],
    ['sa:shop/web', 'ServiceAccount shop/web'],
    ['system:serviceaccount:shop:web', 'ServiceAccount shop/web'],
    ['ServiceAccount:web', undefined],
    ['ServiceAccount:a/b/c', undefined],
    ['', undefined],
  ];
  for (const [text, meant] of rows) {
    const found = parseIdentity(text);
    assert.equal(found === undefined ? undefined : describeIdentity(found), meant, text);
  }
});
