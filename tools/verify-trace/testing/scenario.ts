// A small cluster whose roles, bindings and pods come, change and go, and every question that its users
// could ask of it meanwhile. The authorizers are handed in, for some of them have a fault.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { LogLine, RecordedAttributes, RecordedUser, StoredObject } from '../recorded-log.ts';

type Change = {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: StoredObject;
  previous?: StoredObject;
};

/** What the server's views are to its authorizers. */
function createView() {
  const objects = new Map<string, StoredObject>();
  const listeners = new Set<(change: Change) => void>();
  const keyOf = (namespace = '', name = '') => `${namespace}/${name}`;
  return {
    get: (namespace: string, name: string) => objects.get(keyOf(namespace, name)),
    list: (namespace?: string) =>
      [...objects.values()].filter((o) => !namespace || o.metadata.namespace === namespace),
    subscribe(listener: (change: Change) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    set(object: StoredObject) {
      const key = keyOf(object.metadata.namespace, object.metadata.name);
      const previous = objects.get(key);
      objects.set(key, object);
      const change: Change =
        previous === undefined ? { type: 'ADDED', object } : { type: 'MODIFIED', object, previous };
      for (const listener of listeners) listener(change);
    },
    remove(namespace: string, name: string) {
      const object = objects.get(keyOf(namespace, name));
      if (object === undefined) return;
      objects.delete(keyOf(namespace, name));
      for (const listener of listeners) listener({ type: 'DELETED', object, previous: object });
    },
  };
}
type View = ReturnType<typeof createView>;

const viewNames = [
  'roles',
  'roleBindings',
  'clusterRoles',
  'clusterRoleBindings',
  'pods',
  'persistentVolumes',
  'volumeAttachments',
  'resourceSlices',
  'podCertificateRequests',
] as const;
type Views = Record<(typeof viewNames)[number], View>;

interface Rule {
  readonly verbs: string[];
  readonly [field: string]: string[];
}
const rule = (
  verbs: string,
  group: string,
  resources: string,
  ...resourceNames: string[]
): Rule => ({
  verbs: verbs.split(','),
  apiGroups: [group],
  resources: resources.split(','),
  ...(resourceNames.length > 0 ? { resourceNames } : {}),
});
let uids = 0;
const role = (namespace: string, name: string, ...rules: Rule[]): StoredObject => ({
  metadata: { name, ...(namespace === '' ? {} : { namespace }), uid: `uid-${++uids}` },
  rules,
});
const binding = (
  namespace: string,
  name: string,
  ref: string,
  ...subjects: string[]
): StoredObject => {
  const [kind = '', roleName = ''] = ref.split('/');
  return {
    metadata: { name, ...(namespace === '' ? {} : { namespace }), uid: `uid-${++uids}` },
    roleRef: { kind, name: roleName },
    subjects: subjects.map((text) => {
      const [subjectKind = '', subjectName = ''] = text.split('=');
      const [of = '', account = ''] = subjectName.split('/');
      return subjectKind === 'ServiceAccount'
        ? { kind: subjectKind, namespace: of, name: account }
        : { kind: subjectKind, name: subjectName };
    }),
  };
};
const pod = (
  name: string,
  nodeName: string,
  secretName: string,
  annotations = {},
): StoredObject => ({
  metadata: { name, namespace: 'shop', uid: `uid-${++uids}`, annotations },
  spec: { nodeName, serviceAccountName: 'web', volumes: [{ name: 'v', secret: { secretName } }] },
});

/** The state before the first question. */
function fill(views: Views): void {
  views.roles.set(
    role('shop', 'reader', rule('get', '', 'configmaps', 'named'), rule('get,list', '', 'pods')),
  );
  views.roles.set(role('shop', 'twin', rule('get', '', 'secrets')));
  views.clusterRoles.set(role('', 'twin', rule('list', 'apps', 'deployments')));
  views.clusterRoles.set(
    role('', 'stars', rule('get', '', 'pods/*,*/scale'), rule('get', '*', 'widgets')),
  );
  views.clusterRoles.set(
    role('', 'urls', { verbs: ['get'], nonResourceURLs: ['/metrics', '/logs/*'] }),
  );
  views.clusterRoles.set(role('', 'proxy', rule('get', '', 'pods/proxy')));
  views.clusterRoles.set(role('', 'system:node', rule('get,list', '', 'services')));
  const { roleBindings, clusterRoleBindings } = views;
  roleBindings.set(
    binding('shop', 'readers', 'Role/reader', 'User=ann', 'Group=devs', 'ServiceAccount=bank/web'),
  );
  roleBindings.set(binding('shop', 'twins', 'ClusterRole/twin', 'User=ann'));
  roleBindings.set(binding('shop', 'urls', 'ClusterRole/urls', 'User=bob'));
  roleBindings.set(binding('shop', 'stars', 'ClusterRole/stars', 'User=bob'));
  clusterRoleBindings.set(binding('', 'urls', 'ClusterRole/urls', 'Group=ops'));
  clusterRoleBindings.set(
    binding('', 'proxies', 'ClusterRole/proxy', 'Group=system:unauthenticated'),
  );
  // Enough bindings of one group that the index decides.
  for (let i = 0; i < 14; i++)
    clusterRoleBindings.set(binding('', `many-${i}`, 'ClusterRole/stars', 'Group=many'));
  views.pods.set(pod('web', 'n1', 'token'));
  views.pods.set(pod('mirror', 'n1', 'stolen', { 'kubernetes.io/config.mirror': 'x' }));
}

/** One after the other, with all questions in between. */
const changes: readonly ((views: Views) => void)[] = [
  (views) =>
    views.clusterRoles.set(
      role('', 'stars', rule('list', '', 'pods/*,*/scale'), rule('list', '*', 'widgets')),
    ),
  (views) => views.roleBindings.set(binding('shop', 'readers', 'Role/reader', 'Group=devs')),
  (views) => views.roleBindings.remove('shop', 'twins'),
  (views) => views.pods.remove('shop', 'web'),
];

const user = (
  name: string,
  ...groups: string[]
): RecordedUser & { uid: string; extra: object } => ({
  name,
  uid: '',
  groups: [...groups, ...(name === 'system:anonymous' ? [] : ['system:authenticated'])],
  extra: {},
});
const users = [
  user('ann'),
  user('Ann'),
  user('bob'),
  user('carl', 'devs-interns'),
  user('dan', 'devs'),
  user('eve', 'many'),
  user('finn', 'ops'),
  user('gus', 'ann'),
  user('mallory', 'system:masters-of-nothing'),
  user('root', 'system:masters'),
  user('system:anonymous', 'system:unauthenticated'),
  user('system:serviceaccount:bank:web'),
  user('system:serviceaccount:shop:web'),
  user('system:node:n1', 'system:nodes'),
  user('system:node:n1'),
];

function* questions(): Generator<RecordedAttributes> {
  const targets: [group: string, resource: string, subresource: string][] = [
    ['', 'pods', ''],
    ['', 'pods', 'log'],
    ['', 'pods', 'proxy'],
    ['', 'configmaps', ''],
    ['', 'secrets', ''],
    ['apps', 'deployments', ''],
    ['apps', 'deployments', 'scale'],
    ['', 'services', ''],
    ['', 'replicationcontrollers', 'scale'],
    ['x', 'widgets', ''],
    ['x', 'pods', ''],
    ['coordination.k8s.io', 'leases', ''],
  ];
  for (const [group, resource, subresource] of targets)
    for (const verb of ['get', 'list'])
      for (const namespace of resource === 'leases' ? ['kube-node-lease'] : ['shop', ''])
        for (const name of ['', 'named', 'token', 'stolen'])
          yield { isResource: true, verb, group, resource, subresource, namespace, name };
  for (const values of [['n1'], ['n1', 'n2']]) {
    const fieldSelector = [{ key: 'spec.nodeName', operator: 'In', values }];
    const target = { group: '', resource: 'pods', subresource: '', namespace: '', name: '' };
    yield { isResource: true, verb: 'list', ...target, fieldSelector };
  }
  for (const path of ['/metrics', '/metrics/x', '/logs/x', '/other'])
    for (const verb of ['get', 'post']) yield { isResource: false, verb, path };
}

/** Of the module of the authorizers, with or without a fault. */
export interface AuthorizationModule {
  createAuthorization(options: unknown): {
    readonly authorizer: { authorize(...question: unknown[]): unknown };
    close(): void;
  };
}

export function recordScenario({ createAuthorization }: AuthorizationModule): LogLine[] {
  const lines: LogLine[] = [];
  const views = Object.fromEntries(viewNames.map((name) => [name, createView()])) as Views;
  fill(views);
  const listen = (message: unknown) => collect(message as Published, lines, views);
  subscribe('keelson.authorization', listen);
  const { authorizer, close } = createAuthorization({
    objects: views,
    features: { enabled: () => true },
  });
  unsubscribe('keelson.authorization', listen);
  const noTrace = { enabled: false, record: () => {}, steps: () => [] };
  const askAll = () => {
    for (const who of users)
      for (const attributes of questions()) authorizer.authorize(who, attributes, noTrace);
  };
  askAll();
  for (const change of changes) {
    change(views);
    askAll();
  }
  close();
  return lines;
}

interface Published {
  readonly modes: readonly string[];
  readonly gates: Readonly<Record<string, boolean>>;
  observer?: object;
}

function collect(published: Published, lines: LogLine[], views: Views): void {
  const { modes, gates } = published;
  lines.push({ is: 'start', modes, gates });
  for (const view of viewNames) {
    const note = (change: Change['type'], object: StoredObject) =>
      lines.push({ is: 'object', change, view, object });
    for (const object of views[view].list()) note('ADDED', object);
    views[view].subscribe(({ type, object }) => void note(type, object));
  }
  let ids = 0;
  published.observer = {
    question(asker: RecordedUser, attributes: RecordedAttributes) {
      lines.push({ is: 'question', id: ++ids, user: asker, attributes });
      return ids;
    },
    step: (id: number, step: never) => void lines.push({ is: 'step', id, step }),
    decision: (id: number, decision: string) => void lines.push({ is: 'decision', id, decision }),
    close() {},
  };
}
