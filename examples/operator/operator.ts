// The operator: watches websites and what is made for them, and reconciles each website that
// something has happened to. Everything it needs to know is in the cluster; it may stop and start
// at any time, and two of them do no harm.

import {
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  makeInformer,
  type KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  type ObjectCache,
} from '@kubernetes/client-node';
import { managedLabel } from './children.ts';
import { keepWatching } from './keep-watching.ts';
import { createReconcile, isConflict } from './reconcile.ts';
import { group, operatorName, plural, version, type Website } from './website.ts';
import { createWorkQueue } from './work-queue.ts';

export interface OperatorOptions {
  /** Of failed reconciliations and broken watches. Default: 500 ms, doubled up to a minute. */
  readonly retryDelayMs?: number;
  /** Told of every failure that is retried. */
  readonly onFailure?: (what: string, error: unknown) => void;
}

export interface Operator {
  /** Resolves when it does nothing any more. */
  stop(): Promise<void>;
}

const workers = 4;
const retryDelayMsMax = 60_000;
const labelSelector = `${managedLabel}=${operatorName}`;

/** Resolves when everything has been listed once, or has failed to be and will be tried again. */
export async function startOperator(
  config: KubeConfig,
  { retryDelayMs = 500, onFailure = () => {} }: OperatorOptions = {},
): Promise<Operator> {
  const core = config.makeApiClient(CoreV1Api);
  const apps = config.makeApiClient(AppsV1Api);
  const custom = config.makeApiClient(CustomObjectsApi);
  const stopping = new AbortController();
  const reconcile = createReconcile(config);

  const websites = makeInformer<Website>(
    config,
    `/apis/${group}/${version}/${plural}`,
    async () =>
      (await custom.listClusterCustomObject({
        group,
        version,
        plural,
      })) as KubernetesListObject<Website>,
  );
  const children = [
    makeInformer<KubernetesObject>(
      config,
      '/api/v1/configmaps',
      () => core.listConfigMapForAllNamespaces({ labelSelector }),
      labelSelector,
    ),
    makeInformer<KubernetesObject>(
      config,
      '/api/v1/services',
      () => core.listServiceForAllNamespaces({ labelSelector }),
      labelSelector,
    ),
    makeInformer<KubernetesObject>(
      config,
      '/apis/apps/v1/deployments',
      () => apps.listDeploymentForAllNamespaces({ labelSelector }),
      labelSelector,
    ),
  ];
  const queue = createWorkQueue(
    async (key) => {
      const website = find(websites, key);
      if (website !== undefined) await reconcile(website);
    },
    {
      workers,
      retryDelayMs,
      retryDelayMsMax,
      // A conflict is no failure: the informer was behind, and brings the newer object.
      onFailure: (key, error) => {
        if (!isConflict(error)) onFailure(key, error);
      },
    },
  );

  websites.on('change', (website) => queue.add(keyOf(website)));
  // Whoever waits for the host may have it now.
  websites.on('delete', ({ spec: { host } }) => {
    for (const other of websites.list()) if (other.spec.host === host) queue.add(keyOf(other));
  });
  for (const child of children)
    child.on('change', ({ metadata }) => {
      const owner = metadata?.ownerReferences?.find(({ kind }) => kind === 'Website');
      if (owner !== undefined) queue.add(`${metadata?.namespace}/${owner.name}`);
    });

  const informers = [websites, ...children];
  const watching = { retryDelayMs, onFailure, signal: stopping.signal };
  await Promise.all([
    keepWatching(websites, watching),
    ...children.map((child) => keepWatching(child, watching)),
  ]);
  return {
    async stop() {
      stopping.abort();
      await Promise.all(informers.map((informer) => informer.stop()));
      await queue.stop();
    },
  };
}

/** As the queue knows a website. */
const keyOf = ({ metadata: { namespace, name } }: Website) => `${namespace}/${name}`;

function find(websites: ObjectCache<Website>, key: string): Website | undefined {
  const [namespace = '', name = ''] = key.split('/');
  return websites.get(name, namespace);
}
