// Publishes the authority of the API server's serving certificate as the ClusterTrustBundle of the
// signer `kubernetes.io/kube-apiserver-serving`, and removes bundles of that signer that are no
// longer right. The name carries a digest of the content, so a pod that was given a name is never
// given something else.
//
// The resource is served on demand only (`--runtime-config`): where discovery does not have it, in
// beta or alpha, there is nothing to do.

import { isStatusError, type GroupVersionResource, type KubeObject } from '@keelson/apimachinery';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import { runController } from '../machinery/run-controller.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';

export interface TrustBundlePublisherOptions {
  /** PEM bundle. */
  readonly rootCaPem: string;
  /** SHA-256 in hexadecimal. */
  readonly digest: (text: string) => string;
}

/** The same in all its versions. */
interface ClusterTrustBundle extends KubeObject {
  readonly spec: { readonly signerName?: string; readonly trustBundle: string };
}

const apiServerServingSigner = 'kubernetes.io/kube-apiserver-serving';
/** Bytes of the digest in the name, as hexadecimal digits. */
const digestDigits = 24;
const theKey = 'bundle';

export function createTrustBundlePublisherController(
  { client, informers, clock, log, metrics }: ControllerContext,
  { rootCaPem, digest }: TrustBundlePublisherOptions,
): Controller {
  const prefix = apiServerServingSigner.replaceAll('/', ':');
  const wantedName = `${prefix}:${digest(rootCaPem).slice(0, digestDigits)}`;
  const publish = async (served: GroupVersionResource, signal: AbortSignal) => {
    const queue = createWorkQueue({
      clock,
      meter: metrics.workQueue('ca_cert_publisher_cluster_trust_bundles'),
    });
    const bundles = informers.informer<ClusterTrustBundle>(served, {
      fieldSelector: `spec.signerName=${apiServerServingSigner}`,
    });
    const resource = client.resource<ClusterTrustBundle>(served);
    const reconcile = async (_key: string, during: AbortSignal) => {
      const wanted = bundleOf(served, wantedName, rootCaPem);
      const current = bundles.store.get('', wantedName);
      if (current === undefined)
        await unless('AlreadyExists', resource.create(wanted, { signal: during }));
      else if (current.spec.trustBundle !== rootCaPem)
        await resource.update({ ...current, spec: wanted.spec }, { signal: during });
      for (const { metadata } of bundles.store.list())
        if (metadata.name !== wantedName)
          await unless('NotFound', resource.delete(metadata.name ?? '', { signal: during }));
    };
    const enqueue = () => queue.add(theKey);
    const end = bundles.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue });
    const onError = (error: unknown) =>
      log.warn('trust bundle not published', { error: errorText(error) });
    await bundles.synced(signal).catch(() => {});
    enqueue();
    await runController({ queue, reconcile, workers: 1, onError }, signal);
    end();
  };
  return {
    async run(signal) {
      const served = await servedBundles(client, signal).catch((error: unknown) => {
        if (!signal.aborted) log.warn('trust bundle not published', { error: errorText(error) });
        return undefined;
      });
      if (served !== undefined && !signal.aborted) await publish(served, signal);
    },
  };
}

/** Beta before alpha; undefined when there is neither. */
async function servedBundles(
  client: ControllerContext['client'],
  signal: AbortSignal,
): Promise<GroupVersionResource | undefined> {
  const { resources } = await client.discovery.fetch(signal);
  const found = resources.filter(
    (r) => r.group === 'certificates.k8s.io' && r.resource === 'clustertrustbundles',
  );
  const best = ['v1', 'v1beta1', 'v1alpha1'].find((v) => found.some((r) => r.version === v));
  return best === undefined
    ? undefined
    : { group: 'certificates.k8s.io', version: best, resource: 'clustertrustbundles' };
}

function bundleOf(
  { group, version }: GroupVersionResource,
  name: string,
  trustBundle: string,
): ClusterTrustBundle {
  return {
    apiVersion: `${group}/${version}`,
    kind: 'ClusterTrustBundle',
    metadata: { name },
    spec: { signerName: apiServerServingSigner, trustBundle },
  };
}

async function unless(reason: 'AlreadyExists' | 'NotFound', call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isStatusError(error, reason)) throw error;
  }
}
