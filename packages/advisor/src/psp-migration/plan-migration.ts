// From PodSecurityPolicies to Pod Security levels. For each namespace: which policy admits each pod
// and what it gives it, the tightest level that admits the pods as they run, and the policies that
// give what would be lost. The plan is then carried out in a real cluster, and every pod is created
// there: what the plan says of a pod is what the API server did.
//
// See https://kubernetes.io/docs/tasks/configure-pod-container/migrate-from-psp/.

import { isJsonObject, type JsonObject } from '@keelson/apimachinery';
import { labelPrefix, levels, newestRelease, type Level } from '@keelson/pod-security';
import type { AdvisedCluster, ClusterFactory } from '../cluster.ts';
import { createFixtures } from '../fixtures/create-fixtures.ts';
import { identityOf } from '../sources/object-names.ts';
import { createResourcePaths } from '../fixtures/resource-paths.ts';
import type { SourcedObject } from '../sources/source.ts';
import { choosePolicy, givesAnything, type Admission } from './choose-policy.ts';
import { lostMutations, mutationPolicy } from './lost-mutations.ts';
import { readMigrationInput, type MigrationInput, type RunningPod } from './migration-input.ts';
import { objectOf, objectsOf, textOf, type PodSecurityPolicy } from './pod-security-policy.ts';
import { proposeLevel, type Obstacle } from './propose-level.ts';
import { usablePolicies } from './usable-policies.ts';

export interface MigrationOptions {
  readonly objects: readonly SourcedObject[];
  readonly createCluster: ClusterFactory;
  /** Of the release whose version of the standards is taken; the newest unless said otherwise. */
  readonly minor?: number;
}

export interface MigrationPlan {
  readonly namespaces: readonly NamespacePlan[];
  readonly policies: readonly PolicyPlan[];
  /** Kinds that were given and say nothing about pods. */
  readonly ignored: readonly string[];
  /** Namespaces with their labels, then mutating policies with their bindings. */
  readonly manifests: readonly JsonObject[];
}

export interface NamespacePlan {
  readonly namespace: string;
  readonly level: Level;
  /** `v1.36`. */
  readonly version: string;
  readonly pods: readonly PodPlan[];
  readonly obstacles: readonly Obstacle[];
}

export interface PodPlan {
  readonly owner: string;
  readonly serviceAccount: string;
  /** Undefined when no policy that may be used admits the pod. */
  readonly policy: string | undefined;
  readonly isMutated: boolean;
  /** Why the cluster with the plan in force refuses the pod; undefined when it takes it. */
  readonly refusal: string | undefined;
}

export interface PolicyPlan {
  readonly name: string;
  /** `namespace/name` of the service accounts for whose pods it decides. */
  readonly accounts: readonly string[];
  /** What its pods would no longer be given; given by `psp-<name>` instead. */
  readonly lost: readonly string[];
}

/** Throws SourceError for rights that the API server refuses. */
export async function planMigration(options: MigrationOptions): Promise<MigrationPlan> {
  const { minor = newestRelease } = options;
  const input = readMigrationInput(options.objects);
  await using cluster = disposable(await options.createCluster({}));
  const admissions = await admitAll(input, cluster.cluster);
  const policies = input.policies.map((policy) => planPolicy(policy, input, admissions));
  const namespaces = [...input.namespaces.keys()]
    .toSorted()
    .map((namespace) => planNamespace(namespace, input.pods, { admissions, minor }));
  const manifests = [
    ...namespaces.map(namespaceManifest),
    ...input.policies.flatMap((policy, i) => {
      const accounts = policies[i]?.accounts ?? [];
      const isNeeded = accounts.length > 0 && givesAnything(policy);
      return isNeeded ? mutationPolicy(policy, accounts) : [];
    }),
  ];
  const refusals = await tryOut(input, manifests, await cluster.cluster.fork());
  return {
    namespaces: namespaces.map((plan) => ({
      ...plan,
      pods: input.pods
        .filter(({ namespace }) => namespace === plan.namespace)
        .map((pod) => podPlan(pod, admissions.get(pod), refusals.get(pod))),
    })),
    policies,
    ignored: input.ignored,
    manifests,
  };
}

type Admissions = ReadonlyMap<RunningPod, Admission | undefined>;

/** Without roles and bindings everybody may use everything: there is nothing else to go by. */
async function admitAll(
  { policies, rights, pods, namespaces }: MigrationInput,
  empty: AdvisedCluster,
): Promise<Admissions> {
  await using fork = disposable(await empty.fork());
  const source = { file: '', line: 1 };
  const ofRights = rights.map(({ object }) => identityOf(object).namespace);
  const made = [...new Set([...namespaces.keys(), ...ofRights])]
    .filter((name) => !builtinNamespaces.includes(name))
    .map((name) => ({ object: namespaceObject(name), source }));
  const context = { cluster: fork.cluster, paths: createResourcePaths(), namespace: 'default' };
  await createFixtures(context, [...made, ...rights]);
  const admissions = new Map<RunningPod, Admission | undefined>();
  for (const pod of pods) {
    const usable =
      rights.length === 0 ? policies : await usablePolicies(fork.cluster, policies, pod);
    admissions.set(pod, choosePolicy(pod, usable, policies));
  }
  return admissions;
}

const builtinNamespaces = ['', 'default', 'kube-system', 'kube-public', 'kube-node-lease'];

function namespaceObject(name: string, labels: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

function planPolicy(
  policy: PodSecurityPolicy,
  { pods }: MigrationInput,
  admissions: Admissions,
): PolicyPlan {
  const own = pods.filter((pod) => admissions.get(pod)?.policy === policy);
  const accounts = own.map(({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`);
  return {
    name: policy.name,
    accounts: [...new Set(accounts)].toSorted(),
    lost: lostMutations(policy),
  };
}

interface NamespaceContext {
  readonly admissions: Admissions;
  readonly minor: number;
}

function planNamespace(
  namespace: string,
  pods: readonly RunningPod[],
  { admissions, minor }: NamespaceContext,
): NamespacePlan {
  const own = pods.filter((pod) => pod.namespace === namespace);
  const running = own.map((pod) => ({
    owner: pod.owner,
    pod: admissions.get(pod)?.pod ?? pod.pod,
  }));
  return { namespace, version: `v1.${minor}`, pods: [], ...proposeLevel(running, minor) };
}

/** What is enforced, and warnings about the next tighter level. */
function namespaceManifest({ namespace, level, version }: NamespacePlan): JsonObject {
  const next = levels[Math.min(levels.indexOf(level) + 1, levels.length - 1)] ?? level;
  const modes: readonly [mode: string, level: Level][] = [
    ['enforce', level],
    ['audit', next],
    ['warn', next],
  ];
  const labels = modes.flatMap(([mode, value]) => [
    [`${labelPrefix}${mode}`, value],
    [`${labelPrefix}${mode}-version`, version],
  ]);
  return namespaceObject(namespace, Object.fromEntries(labels) as JsonObject);
}

function podPlan(
  { owner, serviceAccount }: RunningPod,
  admission: Admission | undefined,
  refusal: string | undefined,
): PodPlan {
  return {
    owner,
    serviceAccount,
    policy: admission?.policy.name,
    isMutated: admission?.isMutated === true,
    refusal,
  };
}

/** Carries the plan out in a cluster, and creates every pod as it was written. */
async function tryOut(
  { pods }: MigrationInput,
  manifests: readonly JsonObject[],
  empty: AdvisedCluster,
): Promise<ReadonlyMap<RunningPod, string>> {
  await using cluster = disposable(empty);
  const source = { file: '', line: 1 };
  const context = { cluster: empty, paths: createResourcePaths(), namespace: 'default' };
  const accounts = new Set(
    pods.map(({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`),
  );
  await createFixtures(
    context,
    [
      ...manifests.filter(({ kind }) => kind === 'Namespace'),
      ...[...accounts].map(accountObject),
    ].map((object) => ({ object, source })),
  );
  const policies = manifests.filter(({ kind }) => kind !== 'Namespace');
  await createFixtures(
    context,
    policies.map((object) => ({ object, source })),
  );
  const refusals = new Map<RunningPod, string>();
  for (const [index, one] of pods.entries()) {
    const { status, body } = await cluster.cluster.decide({
      method: 'POST',
      path: `/api/v1/namespaces/${one.namespace}/pods`,
      body: trialPod(one, index),
    });
    if (status < 400) continue;
    refusals.set(one, isJsonObject(body) ? textOf(body['message']) : `status ${status}`);
  }
  return refusals;
}

function accountObject(account: string): JsonObject {
  const [namespace = '', name = ''] = account.split('/');
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
}

/** Without what the old cluster wrote into it: its node, its priority, its token. */
function trialPod({ pod, serviceAccount }: RunningPod, index: number): JsonObject {
  const { annotations, labels } = objectOf(pod['metadata']);
  const spec: JsonObject = { ...objectOf(pod['spec']), serviceAccountName: serviceAccount };
  for (const field of [
    'nodeName',
    'priority',
    'priorityClassName',
    'serviceAccount',
    'runtimeClassName',
  ])
    delete spec[field];
  spec['volumes'] = objectsOf(spec['volumes']).filter(({ name }) => !isTokenName(name));
  for (const list of ['containers', 'initContainers'])
    if (spec[list] !== undefined)
      spec[list] = objectsOf(spec[list]).map((container) => ({
        ...container,
        volumeMounts: objectsOf(container['volumeMounts']).filter(({ name }) => !isTokenName(name)),
      }));
  delete spec['ephemeralContainers'];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `pod-${index}`,
      ...(annotations && { annotations }),
      ...(labels && { labels }),
    },
    spec,
  };
}

function isTokenName(name: unknown): boolean {
  return typeof name === 'string' && /^kube-api-access-|-token-[a-z0-9]{5}$/.test(name);
}

function disposable(cluster: AdvisedCluster) {
  return { cluster, [Symbol.asyncDispose]: () => cluster.close() };
}
