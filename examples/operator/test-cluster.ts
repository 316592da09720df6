// The cluster of the tests. It is set up once, with the files that are deployed; each test has a
// fork of it, with its own port, and its own operator, which runs as its service account with its
// role and no right more.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import {
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  loadAllYaml,
  PatchStrategy,
  setHeaderOptions,
  type KubernetesObject,
} from '@kubernetes/client-node';
import { createCluster, type Cluster, type ClusterOptions } from '@keelson/keelson';
import { startOperator, type Operator } from './operator.ts';
import { messageOf } from './reconcile.ts';
import { reuseConnections } from './reuse-connections.ts';
import { group, plural, version, type Website } from './website.ts';

export const namespace = 'default';
export const serviceAccount = 'system:serviceaccount:website-system:website-operator';
const manifests = ['deploy/crd.yaml', 'deploy/rbac.yaml'];
/** What the tests are about; and no scheduler, for the tests play the kubelet. */
const controllers = [
  'namespace-controller',
  'serviceaccount-controller',
  'garbage-collector-controller',
  'deployment-controller',
  'replicaset-controller',
];

/** A cluster with the definition and the roles. */
export async function createSiteCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await createCluster({
    controllers,
    // Off by default, on in many clusters: the role must do there too.
    enableAdmissionPlugins: ['OwnerReferencesPermissionEnforcement'],
    ...options,
  });
  const { objects, sites } = await connect(cluster);
  for (const file of manifests)
    for (const object of loadAllYaml(readFileSync(new URL(file, import.meta.url), 'utf8')))
      await objects.create(object as KubernetesObject);
  await cluster.eventually(() => sites.list());
  return cluster;
}

/** Operators are stopped and the cluster is closed when the test ends. */
export async function openSiteCluster(t: TestContext, cluster: Cluster) {
  const operators: Operator[] = [];
  t.after(async () => {
    await Promise.all(operators.map((operator) => operator.stop()));
    await cluster.close();
  });
  const operatorConfig = await configOf(cluster, serviceAccount);
  /** What the operators could not do, and tried again. */
  const failures: string[] = [];
  const start = async (): Promise<Operator> => {
    const onFailure = (_: string, error: unknown) => void failures.push(messageOf(error));
    const operator = await startOperator(operatorConfig, { retryDelayMs: 10, onFailure });
    operators.push(operator);
    return operator;
  };
  const admin = await connect(cluster);
  /** Waits until the condition Ready is so. */
  const becomes = (name: string, status: string, reason: string) =>
    cluster.eventually(async () => {
      const ready = readinessOf(await admin.sites.read(name));
      assert.deepEqual([ready?.status, ready?.reason], [status, reason], ready?.message);
    });
  return { cluster, operatorConfig, start, failures, becomes, ...admin };
}

async function configOf(cluster: Cluster, name?: string): Promise<KubeConfig> {
  const config = new KubeConfig();
  config.loadFromString(await cluster.kubeconfig(name === undefined ? undefined : { name }));
  return reuseConnections(config);
}

/** As the administrator. */
async function connect(cluster: Cluster) {
  const config = await configOf(cluster);
  const core = config.makeApiClient(CoreV1Api);
  return {
    core,
    apps: config.makeApiClient(AppsV1Api),
    objects: KubernetesObjectApi.makeApiClient(config),
    sites: sitesOf(config.makeApiClient(CustomObjectsApi)),
    /** Does a kubelet's work, as soon as there are so many pods of the image: they become ready. */
    async runPods(count: number, image = 'nginx:1.29') {
      await cluster.eventually(async () => {
        const { items } = await core.listNamespacedPod({ namespace });
        const pods = items.filter(({ spec }) => spec?.containers[0]?.image === image);
        assert.equal(pods.length, count);
        for (const pod of pods)
          if (pod.status?.phase === 'Pending') await makeReady(core, pod.metadata?.name ?? '');
      });
    },
  };
}

const makeReady = (core: CoreV1Api, name: string) =>
  core.patchNamespacedPodStatus(
    {
      name,
      namespace,
      body: {
        status: {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: new Date() }],
        },
      },
    },
    setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
  );

/** Websites of the namespace. */
function sitesOf(custom: CustomObjectsApi) {
  const all = { group, version, plural, namespace };
  const merging = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
  return {
    create: (name: string, spec: object, apiVersion = version): Promise<Website> =>
      custom.createNamespacedCustomObject({
        ...all,
        version: apiVersion,
        body: { apiVersion: `${group}/${apiVersion}`, kind: 'Website', metadata: { name }, spec },
      }),
    read: (name: string): Promise<Website> => custom.getNamespacedCustomObject({ ...all, name }),
    list: (): Promise<{ items: Website[] }> => custom.listNamespacedCustomObject(all),
    patch: (name: string, body: object): Promise<Website> =>
      custom.patchNamespacedCustomObject({ ...all, name, body }, merging),
    scale: (name: string, replicas: number): Promise<unknown> =>
      custom.patchNamespacedCustomObjectScale(
        { ...all, name, body: { spec: { replicas } } },
        merging,
      ),
    delete: (name: string): Promise<unknown> =>
      custom.deleteNamespacedCustomObject({ ...all, name }),
  };
}

export const readinessOf = ({ status }: Website) =>
  status?.conditions?.find(({ type }) => type === 'Ready');

/** The object as somebody would write it who has never seen a cluster, to be created once more. */
export function withoutIdentity({ metadata, ...object }: KubernetesObject): KubernetesObject {
  const { name, namespace: own, labels, annotations } = metadata ?? {};
  const { status: _, ...rest } = object as KubernetesObject & { readonly status?: unknown };
  return { ...rest, metadata: { name, namespace: own, labels, annotations } };
}
