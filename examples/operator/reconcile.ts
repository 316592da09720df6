// Makes the cluster what one website asks for. Knows nothing of what has happened: whatever it
// finds, it does what is missing, so that it may run at any time, twice, or again after a failure.

import {
  ApiException,
  CoreV1Api,
  CustomObjectsApi,
  KubernetesObjectApi,
  PatchStrategy,
  setHeaderOptions,
  type KubeConfig,
  type V1Status,
} from '@kubernetes/client-node';
import { childrenOf } from './children.ts';
import { createHosts, ownerNameOf } from './hosts.ts';
import { judge, nextStatus, type Verdict } from './status.ts';
import { finalizer, group, operatorName, plural, version, type Website } from './website.ts';

/**
 * Throws what the API server refuses. A conflict means that the website was not the newest; any
 * failure, that it is to be reconciled again.
 */
export type Reconcile = (website: Website) => Promise<void>;

export function createReconcile(config: KubeConfig, now: () => Date = () => new Date()): Reconcile {
  const websites = config.makeApiClient(CustomObjectsApi);
  const objects = KubernetesObjectApi.makeApiClient(config);
  const core = config.makeApiClient(CoreV1Api);
  const hosts = createHosts(core);

  /** With the resourceVersion, so that nobody's finalizer is lost. */
  const setFinalizers = (website: Website, finalizers: readonly string[]) => {
    const { resourceVersion } = website.metadata;
    return websites.patchNamespacedCustomObject(
      { ...addressOf(website), body: { metadata: { resourceVersion, finalizers } } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    );
  };

  /** Takes every field that the operator sets, whoever has changed it. */
  const apply = <T extends object>(child: T): Promise<T> =>
    objects.patch(child, undefined, undefined, operatorName, true, PatchStrategy.ServerSideApply);

  const report = async (
    website: Website,
    verdict: Verdict,
    replicas = website.status?.replicas,
  ) => {
    const status = nextStatus(website, verdict, { now: now(), replicas });
    if (status === website.status) return;
    await websites.replaceNamespacedCustomObjectStatus({
      ...addressOf(website),
      body: { ...website, status },
    });
    const before = website.status?.conditions?.[0]?.reason;
    if (before === verdict.reason) return;
    await core.createNamespacedEvent(eventOf(website, verdict, now()));
  };

  const cleanUp = async (website: Website) => {
    const { finalizers = [] } = website.metadata;
    if (!finalizers.includes(finalizer)) return;
    await hosts.release(website);
    await setFinalizers(
      website,
      finalizers.filter((one) => one !== finalizer),
    );
  };

  const applyChildren = async (website: Website): Promise<Outcome> => {
    const { configMap, service, deployment } = childrenOf(website);
    try {
      await apply(configMap);
      await apply(service);
      const { status } = await apply(deployment);
      return { verdict: judge(website, status), replicas: status?.replicas };
    } catch (refusal) {
      if (!isRefusal(refusal)) throw refusal;
      const message = messageOf(refusal);
      return { verdict: { status: 'False', reason: 'Refused', message }, refusal };
    }
  };

  return async (website) => {
    const { deletionTimestamp, finalizers = [] } = website.metadata;
    if (deletionTimestamp !== undefined) return cleanUp(website);
    // Before anything is there to clean up. The change comes back by the watch, and then the rest.
    if (!finalizers.includes(finalizer))
      return void (await setFinalizers(website, [...finalizers, finalizer]));
    const owner = await hosts.claim(website);
    if (owner !== ownerNameOf(website)) {
      const message = `${website.spec.host} belongs to ${owner}`;
      return report(website, { status: 'False', reason: 'HostTaken', message });
    }
    const { verdict, replicas, refusal } = await applyChildren(website);
    await report(website, verdict, replicas);
    if (refusal !== undefined) throw refusal;
  };
}

interface Outcome {
  readonly verdict: Verdict;
  readonly replicas?: number | undefined;
  /** Why the API server would not have it. It may change its mind. */
  readonly refusal?: Error;
}

function addressOf({ metadata: { name, namespace } }: Website) {
  return { group, version, plural, name, namespace };
}

function eventOf(website: Website, { status, reason, message }: Verdict, now: Date) {
  const { name, namespace, uid, resourceVersion } = website.metadata;
  const apiVersion = `${group}/${version}`;
  return {
    namespace,
    body: {
      metadata: { generateName: `${name}-`, namespace },
      involvedObject: { apiVersion, kind: 'Website', name, namespace, uid, resourceVersion },
      type: status === 'True' || reason === 'Progressing' ? 'Normal' : 'Warning',
      reason,
      message,
      source: { component: operatorName },
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
    },
  };
}

/** The user should know of it; a conflict passes by itself. */
const isRefusal = (error: unknown): error is ApiException<unknown> =>
  error instanceof ApiException && !isConflict(error);

/** Somebody else was faster: what was written rested on an object that is no longer the newest. */
export const isConflict = (error: unknown): boolean =>
  error instanceof ApiException && error.code === 409;

/** What the API server says about a failure, or the error itself. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof ApiException) || typeof error.body !== 'string') return error.message;
  try {
    return (JSON.parse(error.body) as V1Status).message ?? error.message;
  } catch {
    return error.message; // A proxy's page, for example.
  }
}
