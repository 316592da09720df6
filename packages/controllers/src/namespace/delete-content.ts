// Deletes everything that a namespace holds, of every resource that discovery finds. By the gate
// OrderedNamespaceDeletion (KEP-5080) pods go first and alone: as long as one runs, the policies,
// secrets and volumes that it lives with stay.

import { formatApiVersion, isStatusError, type GroupVersionResource } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Client, DiscoveredResource } from '@keelson/client';
import { errorText } from '../machinery/controller.ts';
import { preferredResources } from '../machinery/preferred-resources.ts';
import { podsResource } from '../machinery/resources.ts';
import type { ContentReport } from './conditions.ts';

export interface DeletedContent {
  readonly report: ContentReport;
  /** Seconds until it is worth another look; 0 when nothing is left. */
  readonly estimateSeconds: number;
}

export interface DeleteContentOptions {
  readonly client: Client;
  readonly namespace: string;
  /** How long ago the deletion was asked for. */
  readonly deletedForSeconds: number;
  readonly arePodsFirst: boolean;
  readonly signal: AbortSignal;
}

/** What holds a finalizer is waited for as long as a usual controller takes to let go of it. */
const finalizerEstimateSeconds = 15;

export async function deleteContent(options: DeleteContentOptions): Promise<DeletedContent> {
  const { client, signal } = options;
  const api = await client.discovery.fetch(signal);
  const stale = api.stale.map(formatApiVersion);
  const resources = preferredResources(api, ['delete', 'list']).filter((r) => r.namespaced);
  const isPods = (r: DiscoveredResource) => r.group === '' && r.resource === 'pods';
  const tally = createTally(options.namespace, stale);

  const pods = resources.find(isPods);
  if (pods !== undefined && options.arePodsFirst) {
    const left = await tally.add(pods, () => deleteResource(options, pods));
    if (left > 0) return tally.result();
  }
  for (const resource of resources)
    if (!isPods(resource) || !options.arePodsFirst)
      await tally.add(resource, () => deleteResource(options, resource));
  return tally.result();
}

interface Leftover {
  readonly count: number;
  readonly finalizers: ReadonlyMap<string, number>;
  readonly estimateSeconds: number;
}
const nothingLeft: Leftover = { count: 0, finalizers: new Map(), estimateSeconds: 0 };

interface Tally {
  /**
   * Deletes, counts, and returns how many are left; a failure counts as an error, and as something
   * left.
   */
  add(resource: GroupVersionResource, remove: () => Promise<Leftover>): Promise<number>;
  result(): DeletedContent;
}

function createTally(namespace: string, stale: readonly string[]): Tally {
  const remaining: { resource: GroupVersionResource; count: number }[] = [];
  const finalizers = new Map<string, number>();
  const deletionErrors: string[] = [];
  let estimateSeconds = 0;
  return {
    async add(resource, remove) {
      let left: Leftover;
      try {
        left = await remove();
      } catch (error) {
        deletionErrors.push(errorText(error));
        return 1;
      }
      if (left.count === 0) return 0;
      remaining.push({ resource, count: left.count });
      for (const [name, count] of left.finalizers)
        finalizers.set(name, (finalizers.get(name) ?? 0) + count);
      estimateSeconds = Math.max(estimateSeconds, left.estimateSeconds);
      if (left.estimateSeconds === 0) deletionErrors.push(unexpectedItems(namespace, resource));
      return left.count;
    },
    result: () => ({
      report: { stale, deletionErrors, remaining, finalizers },
      estimateSeconds,
    }),
  };
}

async function deleteResource(
  { client, namespace, deletedForSeconds, signal }: DeleteContentOptions,
  resource: DiscoveredResource,
): Promise<Leftover> {
  const objects = client.metadata(resource).namespace(namespace);
  try {
    // Most resources have nothing in most namespaces, and a look is cheaper than a deletion.
    const some = await objects.list({ limit: 1, signal });
    if (some.items.length === 0) return nothingLeft;
    const isPods = resource.group === '' && resource.resource === 'pods';
    const grace = isPods ? await podGraceSeconds(client, namespace, signal) : 0;
    await deleteAll({ client, namespace, signal }, resource);
    const left = (await objects.listAll({ signal })).items;
    if (left.length === 0) return nothingLeft;
    const finalizers = new Map<string, number>();
    for (const { metadata } of left)
      for (const name of metadata.finalizers ?? [])
        finalizers.set(name, (finalizers.get(name) ?? 0) + 1);
    const graceLeft = deletedForSeconds >= grace ? 0 : grace;
    const estimateSeconds =
      graceLeft > 0 ? graceLeft : finalizers.size > 0 ? finalizerEstimateSeconds : 0;
    return { count: left.length, finalizers, estimateSeconds };
  } catch (error) {
    // A resource that went away since discovery, or only pretends to be one.
    if (isStatusError(error, 'NotFound') || isStatusError(error, 'MethodNotAllowed'))
      return nothingLeft;
    throw error;
  }
}

/** `Background`: whatever finalizers dependents would ask for, the namespace takes them with it. */
async function deleteAll(
  { client, namespace, signal }: Pick<DeleteContentOptions, 'client' | 'namespace' | 'signal'>,
  resource: DiscoveredResource,
): Promise<void> {
  const objects = client.metadata(resource).namespace(namespace);
  const options = { propagationPolicy: 'Background', signal } as const;
  if (resource.verbs.includes('deletecollection')) return objects.deleteCollection(options);
  for (const { metadata } of (await objects.listAll({ signal })).items) {
    try {
      await objects.delete(metadata.name ?? '', options);
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
  }
}

/** The longest grace period among pods that still run. */
async function podGraceSeconds(
  client: Client,
  namespace: string,
  signal: AbortSignal,
): Promise<number> {
  const pods = await client.resource<Pod>(podsResource).namespace(namespace).listAll({ signal });
  let longest = 0;
  for (const { spec, status } of pods.items) {
    if (status?.phase === 'Succeeded' || status?.phase === 'Failed') continue;
    longest = Math.max(longest, Number(spec?.terminationGracePeriodSeconds ?? 0));
  }
  return longest;
}

/** COMPAT: kube-controller-manager's words. */
function unexpectedItems(namespace: string, gvr: GroupVersionResource): string {
  const resource = `${gvr.group}/${gvr.version}, Resource=${gvr.resource}`;
  return `unexpected items still remain in namespace: ${namespace} for gvr: ${resource}`;
}
