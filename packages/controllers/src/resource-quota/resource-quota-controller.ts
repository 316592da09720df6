// Counts what the objects of a namespace use of its quotas: when a quota is new or has changed,
// when an object that it counts goes or comes to use another amount, and every five minutes.
// Creations are charged by admission, before the object is there.

import { isStatusError, type GroupResource, type KubeObject } from '@keelson/apimachinery';
import type { ResourceQuota, ResourceQuotaStatus } from '@keelson/apimachinery/types/core.v1';
import { isDeepStrictEqual } from 'node:util';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf, parseKey } from '../machinery/controller.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { resourceQuotasResource } from '../machinery/resources.ts';
import { createCountedResources } from './counted-resources.ts';

/** How objects use quota: what admission and this controller have in common. */
export interface QuotaCounting {
  resourcesOf(quota: ResourceQuota): readonly GroupResource[];
  used(
    quota: ResourceQuota,
    objectsOf: (resource: GroupResource) => readonly KubeObject[] | undefined,
  ): Record<string, string>;
  countsOnly(resource: GroupResource): boolean;
  usesOtherwise(resource: GroupResource, object: KubeObject, before: KubeObject): boolean;
}

const workers = 5;
const resyncMs = 300_000;

export function createResourceQuotaController(
  context: ControllerContext,
  counting: QuotaCounting,
): Controller {
  const { client, informers } = context;
  const quotas = informers.informer<ResourceQuota>(resourceQuotasResource);
  let recount: (namespace: string) => void = () => {};
  const counted = createCountedResources({
    context,
    ...counting,
    onChange: (namespace) => recount(namespace),
  });
  const reconcile = async (key: string, signal: AbortSignal) => {
    const { namespace, name } = parseKey(key);
    const known = quotas.store.get(namespace, name);
    if (known === undefined) return;
    await counted.watch(counting.resourcesOf(known), signal);
    // Meanwhile it may have become another one.
    const quota = quotas.store.get(namespace, name) ?? known;
    const hard = { ...quota.spec?.hard };
    // What cannot be counted at the moment stays as it was.
    const before = Object.entries(quota.status?.used ?? {}).filter(([name]) => name in hard);
    const used = {
      ...Object.fromEntries(before),
      ...counting.used(quota, (resource) => counted.objectsIn(namespace, resource)),
    };
    const status: ResourceQuotaStatus = { hard, used };
    if (!isDeepStrictEqual(quota.status ?? {}, status)) {
      try {
        await client
          .resource<ResourceQuota>(resourceQuotasResource)
          .namespace(namespace)
          .update({ ...quota, status }, { subresource: 'status', signal });
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    }
    return { requeueAfterMs: resyncMs };
  };
  return createReconciler(context, {
    failure: 'resource quota not counted',
    queue: 'resourcequota_primary',
    workers,
    reads: [quotas],
    subscribe: (queue) => {
      const enqueue = (quota: KubeObject) => queue.add(keyOf(quota));
      recount = (namespace) => quotas.store.list(namespace).forEach(enqueue);
      const onUpdate = (quota: ResourceQuota, before: ResourceQuota) => {
        if (!isDeepStrictEqual(quota.spec, before.spec)) enqueue(quota);
      };
      return [quotas.addHandler({ onAdd: enqueue, onUpdate }), counted.close];
    },
    reconcile,
  });
}
