// How long RBAC takes to decide, with how many roles and bindings; in process, without HTTP. Asked
// are a user with one binding among those of others, and a member of the group that all bindings
// are to; what is allowed by the last role, and what nobody may.

import { noDecisionTrace, type KubeObject } from '@keelson/apimachinery';
import { createAuthorization, createFeatures, type ObjectSource } from '@keelson/apiserver';
import type { Section } from './section.ts';

export const rbacSection: Section = {
  name: 'rbac',
  heading: 'RBAC decisions',
  measure: async () => renderRbac(measureRbac()),
};

export interface RbacFigures {
  /** Roles, and as many bindings. */
  readonly roles: number;
  readonly rows: readonly { readonly name: string; readonly micros: number }[];
}

const sizes = [1000, 100_000];
const rounds = 30;
const decisionsPerRound = 2000;

function measureRbac(): RbacFigures[] {
  return sizes.map(measureSize);
}

function measureSize(roles: number): RbacFigures {
  const own = openPolicy(roles, (i) => ({ kind: 'User', name: `user-${i}` }));
  const shared = openPolicy(roles, () => ({ kind: 'Group', name: 'everyone' }));
  const last = roles - 1;
  const ann = { name: `user-${last}`, uid: '', groups: ['devs', 'everyone'], extra: {} };
  const ask = (policy: Policy, name: string, verb: string) => () => {
    const attributes = {
      isResource: true,
      verb,
      namespace: 'shop',
      group: '',
      version: 'v1',
      resource: 'configmaps',
      subresource: '',
      name,
    } as const;
    const result = policy.authorizer.authorize(ann, attributes, noDecisionTrace);
    const isExpected = 'decision' in result && result.decision === policy.expected(name, verb);
    if (!isExpected) throw new Error(`${name} ${verb}: an answer that was not expected`);
  };
  let next = roles;
  const rows = [
    ['own binding, allowed', time(ask(own, `c-${last}`, 'get'))],
    ['own binding, refused', time(ask(own, `c-${last}`, 'delete'))],
    ['all bindings to one group, allowed', time(ask(shared, `c-${last}`, 'get'))],
    ['all bindings to one group, refused', time(ask(shared, 'c-none', 'get'))],
    ['one more role and binding, and a decision', time(() => shared.add(next++), 20)],
  ] as const;
  return { roles, rows: rows.map(([name, micros]) => ({ name, micros })) };
}

/** The median of the rounds: microseconds each. */
function time(work: () => void, perRound = decisionsPerRound): number {
  const times = Array.from({ length: rounds }, () => {
    const startedAt = performance.now();
    for (let i = 0; i < perRound; i++) work();
    return ((performance.now() - startedAt) * 1000) / perRound;
  });
  return times.toSorted((a, b) => a - b)[rounds / 2] ?? 0;
}

type Policy = ReturnType<typeof openPolicy>;

/** Each role lets its subject read one ConfigMap, with a handful of other rules. */
function openPolicy(count: number, subjectOf: (i: number) => object) {
  const [clusterRoles, clusterRoleBindings] = [createObjects(), createObjects()];
  const none = createObjects();
  const set = (i: number) => {
    clusterRoles.set(roleOf(i));
    clusterRoleBindings.set({
      metadata: { name: `binding-${i}` },
      roleRef: { kind: 'ClusterRole', name: `role-${i}` },
      subjects: [subjectOf(i)],
    });
  };
  for (let i = 0; i < count; i++) set(i);
  const { authorizer } = createAuthorization({
    configuration: { authorizers: [{ type: 'RBAC', name: 'rbac' }] },
    features: createFeatures(),
    objects: {
      roles: none,
      roleBindings: none,
      clusterRoles,
      clusterRoleBindings,
      pods: none,
      persistentVolumes: none,
      volumeAttachments: none,
      resourceSlices: none,
    },
  });
  const attributes = { isResource: false, verb: 'get', path: '/none' } as const;
  const everyone = { name: 'x', uid: '', groups: ['everyone'], extra: {} };
  return {
    authorizer,
    expected: (name: string, verb: string) =>
      name !== 'c-none' && verb === 'get' ? 'allow' : 'no-opinion',
    add(i: number) {
      set(i);
      void authorizer.authorize(everyone, attributes, noDecisionTrace);
    },
  };
}

function roleOf(i: number): KubeObject {
  return {
    metadata: { name: `role-${i}` },
    rules: [
      {
        verbs: ['get', 'watch'],
        apiGroups: [''],
        resources: ['configmaps'],
        resourceNames: [`c-${i}`],
      },
      { verbs: ['get', 'list'], apiGroups: [`group-${i}`], resources: ['things', 'things/status'] },
      { verbs: ['list'], apiGroups: [''], resources: ['configmaps'] },
      { verbs: ['get'], nonResourceURLs: [`/page-${i}/*`] },
    ],
  };
}

function createObjects(): ObjectSource & { set(object: KubeObject): void } {
  const byKey = new Map<string, KubeObject>();
  const watchers = new Set<Parameters<ObjectSource['subscribe']>[0]>();
  return {
    get: (namespace, name) => byKey.get(`${namespace}/${name}`),
    list: () => [...byKey.values()],
    subscribe(onChange) {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
    set(object) {
      byKey.set(`/${object.metadata.name}`, object);
      for (const onChange of watchers) onChange({ type: 'ADDED', object });
    },
  };
}

function renderRbac(figures: readonly RbacFigures[]): string {
  const sizes = figures.map(({ roles }) => roles.toLocaleString('en'));
  const lines = (figures[0]?.rows ?? []).map(({ name }, i) => {
    const micros = figures.map(({ rows }) => `${(rows[i]?.micros ?? 0).toFixed(1)} µs`);
    return `| ${name} | ${micros.join(' | ')} |`;
  });
  return `One decision in process, with so many roles and as many bindings: of a user with one of the bindings,
and of a member of the group that all of them are to.

| roles | ${sizes.join(' | ')} |
|---|${sizes.map(() => '---|').join('')}
${lines.join('\n')}
`;
}
