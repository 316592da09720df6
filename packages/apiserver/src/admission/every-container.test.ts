// Nothing about containers may be forgotten in one of their lists, nor about templates in one kind
// of workload. Lists, kinds, plugins and checks are taken from their tables, so what is new is
// covered without a word here. Containers tell when somebody looks at them: whoever looks at one
// list of a pod looks at all, or stands here with the lists it leaves out and why.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  builtinResources,
  builtinType,
  createSeededRandom,
  type JsonObject,
  type KubeObject,
  type ResourceDefinition,
  type StructType,
  type TypeRef,
} from '@keelson/apimachinery';
import { checks, type Check } from '@keelson/pod-security';
import { createStoppedClock, createTestObjects } from '../authentication/testing.ts';
import { createFeatures } from '../features/create-features.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import { createAdmissionPlugins } from './create-plugins.ts';
import { allOrderedPlugins } from './plugin-order.ts';
import { createNodeRestriction } from './plugins/node-restriction.ts';
import { createTestAttributes, type TestRequest } from './testing.ts';

const typeNamed = (name: string): StructType => {
  const type = builtinType(`io.k8s.api.core.v1.${name}`);
  if (type === undefined) throw new Error(`no type ${name}`);
  return type;
};

/** The lists of a pod's spec whose items are pulled and run. */
const containerLists = typeNamed('PodSpec').fields.flatMap(({ name, type }) =>
  type.kind === 'list' &&
  type.items.kind === 'struct' &&
  type.items.type.byName.has('imagePullPolicy')
    ? [name]
    : [],
);

it('a pod has the lists of containers that it is known to have', () => {
  assert.deepEqual(containerLists.toSorted(), [
    'containers',
    'ephemeralContainers',
    'initContainers',
  ]);
});

/** A container with something for everybody to look at. */
const container = (list: string): JsonObject => ({
  name: list.toLowerCase(),
  image: `registry.example.com/${list.toLowerCase()}:1`,
  imagePullPolicy: 'IfNotPresent',
  ...(list === 'initContainers' && { restartPolicy: 'Always' }),
  env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
  envFrom: [{ configMapRef: { name: 'm' } }],
  volumeMounts: [{ name: 'v', mountPath: '/v' }],
  ports: [{ containerPort: 80, hostPort: 80 }],
  securityContext: { privileged: true, procMount: 'Unmasked', runAsUser: 0 },
  ...(list !== 'ephemeralContainers' && {
    resources: {
      requests: { cpu: '1', 'example.com/gpu': '1' },
      limits: { 'example.com/gpu': '1' },
    },
  }),
});

/** A pod whose containers tell into `seen` when a field of them is read. */
function watchedPod(seen: Set<string>, change: JsonObject = {}): KubeObject {
  const lists = containerLists.map((list) => {
    const watched = new Proxy(
      { ...container(list), ...change },
      {
        get(target, field, receiver): unknown {
          seen.add(list);
          return Reflect.get(target, field, receiver);
        },
      },
    );
    return [list, [watched]] as const;
  });
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'web', namespace: 'shop', generation: 1 },
    spec: { nodeName: 'n', serviceAccountName: 'default', ...Object.fromEntries(lists) },
  } as unknown as KubeObject;
}

const requests: readonly TestRequest[] = [
  { operation: 'CREATE' },
  { operation: 'UPDATE' },
  { operation: 'UPDATE', subresource: 'ephemeralcontainers' },
  { operation: 'UPDATE', subresource: 'resize' },
];

async function listsSeenBy(plugin: AdmissionPlugin): Promise<string[]> {
  const seen = new Set<string>();
  const users = [{}, { userName: 'system:node:n', groups: ['system:nodes'] }];
  const pods = [{}, { resources: {} }];
  const cases = requests.flatMap((request) =>
    users.flatMap((user) => pods.map((change) => ({ request, user, change }))),
  );
  for (const { request, user, change } of cases) {
    if (!plugin.handles(request.operation ?? 'CREATE')) continue;
    const object = watchedPod(seen, change);
    const oldObject = watchedPod(new Set(), { image: 'registry.example.com/old:1' });
    object.metadata.generation = 2;
    const attributes: AdmissionAttributes = {
      ...createTestAttributes({ ...request, ...user, name: 'web' }),
      object,
      oldObject: request.operation === 'UPDATE' ? oldObject : undefined,
    };
    for (const phase of [plugin.mutate, plugin.validate])
      try {
        await phase?.call(plugin, attributes);
      } catch {
        // A refusal is as good as anything: it was looked at.
      }
  }
  return [...seen].toSorted();
}

const noResources = 'ephemeral containers have no resources';
/** What plugins leave out on purpose. An entry that is not needed fails. */
const leftOut: Readonly<Record<string, { readonly lists: string[]; readonly why: string }>> = {
  ExtendedResourceToleration: { lists: ['ephemeralContainers'], why: noResources },
  NodeDeclaredFeatureValidator: {
    lists: ['ephemeralContainers', 'initContainers'],
    why: 'COMPAT: upstream infers what a resize needs from regular containers alone',
  },
  LimitRanger: { lists: ['ephemeralContainers'], why: noResources },
  PodResizeValidator: { lists: ['ephemeralContainers'], why: noResources },
  PodTolerationRestriction: { lists: ['ephemeralContainers'], why: noResources },
  ResourceQuota: { lists: ['ephemeralContainers'], why: noResources },
};

const objects = (...list: object[]) => createTestObjects(list as KubeObject[]);

function pluginsOf(minor: number): AdmissionPlugin[] {
  const features = createFeatures({ emulatedVersion: `1.${minor}` });
  const named = (name: string, more: object = {}) => ({ metadata: { name }, ...more });
  const inShop = (name: string, more: object = {}) => ({
    metadata: { name, namespace: 'shop' },
    ...more,
  });
  const enforced = {
    metadata: {
      name: 'default',
      namespace: 'shop',
      annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' },
    },
  };
  const limit = { type: 'Container', max: { cpu: '8' }, default: { memory: '1' } };
  const hard = { 'requests.cpu': '1', pods: '9' };
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  const sources = {
    csiDrivers: objects(),
    persistentVolumeClaims: objects(),
    persistentVolumes: objects(),
    configMaps: objects(),
    podGroups: objects(),
    workloads: objects(),
    deviceClasses: objects(),
    ingressClasses: objects(),
    limitRanges: objects(inShop('l', { spec: { limits: [limit] } })),
    namespaces: objects({ metadata: { name: 'shop', labels }, status: { phase: 'Active' } }),
    nodes: objects(named('n', { status: { allocatable: { cpu: '0' } } })),
    pods: objects(),
    priorityClasses: objects(),
    resourceQuotas: objects(
      inShop('q', { spec: { hard }, status: { hard, used: { 'requests.cpu': '0', pods: '0' } } }),
    ),
    runtimeClasses: objects(),
    serviceAccounts: objects(enforced),
    storageClasses: objects(),
  };
  const authorizer = {
    name: 'none',
    authorize: () => ({ decision: 'no-opinion', reason: '' }) as const,
  };
  const kubeconfig = {
    'current-context': 'a',
    contexts: [{ name: 'a', context: { cluster: 'c' } }],
    clusters: [{ name: 'c', cluster: { server: 'https://images.example.com' } }],
  };
  const limits = [{ type: 'Server', qps: 1, burst: 1 }];
  return createAdmissionPlugins({
    features,
    sources,
    authorizer,
    quotaWriter: { updateQuotaStatus: async () => {} },
    namespaceCreator: { createNamespace: async () => {} },
    kinds: { resourcesOf: () => [] },
    clock: createStoppedClock(0),
    random: createSeededRandom(1),
    client: { post: () => Promise.reject(new Error('away')), close: () => {} },
    files: { read: () => JSON.stringify(kubeconfig), list: () => undefined },
    configuration: new Map<string, unknown>([
      ['ImagePolicyWebhook', { imagePolicy: { kubeConfigFile: '/k' } }],
      [
        'EventRateLimit',
        { apiVersion: 'eventratelimit.admission.k8s.io/v1alpha1', kind: 'Configuration', limits },
      ],
    ]),
    enable: allOrderedPlugins(features).filter((name) => !notAsked.has(name)),
    disable: [],
    others: [createNodeRestriction({ ...sources, features, authorizer })],
  });
}

/** They refuse to be made, or ask somebody else, who is asked about whole objects. */
const notAsked: ReadonlySet<string> = new Set([
  'MutatingAdmissionPolicy',
  'MutatingAdmissionWebhook',
  'PersistentVolumeLabel',
  'SecurityContextDeny',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionWebhook',
]);

describe('plugins look at every list of containers, or say why not', () => {
  for (const minor of [26, 30, 33, 36])
    for (const plugin of pluginsOf(minor))
      it(`1.${minor} ${plugin.name}`, async () => {
        const seen = await listsSeenBy(plugin);
        if (seen.length === 0) return;
        const without = leftOut[plugin.name]?.lists ?? [];
        const expected = containerLists.filter((list) => !without.includes(list));
        assert.deepEqual(seen, expected.toSorted());
      });
  it('those that are known to look do look', async () => {
    const looking: string[] = [];
    for (const plugin of pluginsOf(36))
      if ((await listsSeenBy(plugin)).length > 0) looking.push(plugin.name);
    const known = ['AlwaysPullImages', 'ImagePolicyWebhook', 'PodSecurity', 'ServiceAccount'];
    for (const name of [...known, ...Object.keys(leftOut)])
      assert.ok(looking.includes(name), `${name} looked at no container`);
  });
});

describe('Pod Security checks look at every list of containers', () => {
  const cases = checks.flatMap((check: Check) =>
    check.versions.map(({ minimumVersion, checkPod }) => ({ check, minimumVersion, checkPod })),
  );
  const looking = new Set<string>();
  for (const { check, minimumVersion, checkPod } of cases)
    it(`${check.id} 1.${minimumVersion}`, () => {
      const seen = new Set<string>();
      const { metadata, ...pod } = watchedPod(seen);
      const { spec } = pod as unknown as { spec: never };
      checkPod(metadata as never, spec, { release: 36, relaxesForUserNamespaces: false });
      if (seen.size === 0) return;
      looking.add(check.id);
      assert.deepEqual([...seen].toSorted(), containerLists.toSorted());
    });
  it('most of them are about containers', () => {
    assert.ok(looking.size > checks.length / 2, [...looking].join(', '));
  });
});

/** The fields that lead from a type to the template of pods in it. */
function pathToTemplate(type: StructType, depth = 0): string[] | undefined {
  for (const field of type.fields) {
    const inner = structOf(field.type);
    if (inner === undefined || depth > 5) continue;
    if (inner.name === typeNamed('PodTemplateSpec').name) return [field.name];
    const path = isPartOfSpec(field.name) ? pathToTemplate(inner, depth + 1) : undefined;
    if (path !== undefined) return [field.name, ...path];
  }
  return undefined;
}
const structOf = (type: TypeRef) => (type.kind === 'struct' ? type.type : undefined);
const isPartOfSpec = (field: string) => field !== 'metadata' && field !== 'status';

const workloads = builtinResources().flatMap((definition) => {
  const path = pathToTemplate(definition.type);
  return path === undefined || !isStored(definition) ? [] : [{ definition, path }];
});
function isStored({ verbs }: ResourceDefinition): boolean {
  return verbs.includes('create') && verbs.includes('update');
}

describe('Pod Security warns of every kind of workload', () => {
  it('workloads are the kinds with templates', () => {
    const kinds = new Set(workloads.map(({ definition }) => definition.kind));
    for (const kind of ['CronJob', 'DaemonSet', 'Deployment', 'Job', 'PodTemplate', 'ReplicaSet'])
      assert.ok(kinds.has(kind), kind);
    assert.ok(kinds.has('ReplicationController') && kinds.has('StatefulSet'));
  });
  for (const { definition, path } of workloads)
    for (const list of containerLists)
      it(`${definition.group} ${definition.version} ${definition.kind} ${list}`, async () => {
        const good = { name: 'good', image: 'i' };
        const spec = { containers: [good], [list]: [{ ...container(list), name: 'bad' }] };
        const template = path.reduceRight<object>((inner, field) => ({ [field]: inner }), { spec });
        const attributes = createTestAttributes({
          group: definition.group,
          version: definition.version,
          resource: definition.resource,
          kind: definition.kind,
          object: { metadata: { name: 'w' }, ...template } as KubeObject,
        });
        const plugin = pluginsOf(36).find(({ name }) => name === 'PodSecurity');
        await plugin?.validate?.(attributes);
        assert.match(attributes.warnings.join(), /privileged \(container "bad" must not set/);
      });
});
