// The objects that quotas count: a resource is watched from the moment when a quota names it.

import { formatGroupResource, type GroupResource, type KubeObject } from '@keelson/apimachinery';
import type { Informer } from '@keelson/client';
import type { ControllerContext } from '../machinery/controller.ts';
import { preferredResources } from '../machinery/preferred-resources.ts';

export interface CountedResources {
  /** Resolves when all that are served are known; others are asked for again next time. */
  watch(resources: readonly GroupResource[], signal: AbortSignal): Promise<void>;
  /** Undefined for a resource that is not watched. */
  objectsIn(namespace: string, resource: GroupResource): readonly KubeObject[] | undefined;
  close(): void;
}

export interface CountedResourcesOptions {
  readonly context: ControllerContext;
  countsOnly(resource: GroupResource): boolean;
  usesOtherwise(resource: GroupResource, object: KubeObject, before: KubeObject): boolean;
  /** Something in the namespace uses less, or another amount, than before. */
  onChange(namespace: string): void;
}

export function createCountedResources(options: CountedResourcesOptions): CountedResources {
  const { context, countsOnly, usesOtherwise, onChange } = options;
  const { client, informers } = context;
  const watched = new Map<string, Informer>();
  const unsubscribe: (() => void)[] = [];

  const start = async (resource: GroupResource, signal: AbortSignal): Promise<void> => {
    const api = await client.discovery.fetch(signal);
    const served = preferredResources(api, ['list', 'watch']).find(
      ({ group, resource: name }) => group === resource.group && name === resource.resource,
    );
    const key = formatGroupResource(resource);
    if (served === undefined || watched.has(key)) return;
    const { group, version } = served;
    const informer = informers.informer(
      { group, version, resource: resource.resource },
      { metadataOnly: countsOnly(resource) },
    );
    watched.set(key, informer);
    const tell = ({ metadata }: KubeObject) => onChange(metadata.namespace ?? '');
    unsubscribe.push(
      informer.addHandler({
        onUpdate: (object, before) => usesOtherwise(resource, object, before) && tell(object),
        onDelete: tell,
      }),
    );
  };
  return {
    async watch(resources, signal) {
      const isMissing = (resource: GroupResource) => !watched.has(formatGroupResource(resource));
      for (const resource of resources.filter(isMissing)) await start(resource, signal);
      const all = resources.map((resource) => watched.get(formatGroupResource(resource)));
      await Promise.all(all.map((informer) => informer?.synced(signal)));
    },
    objectsIn: (namespace, resource) =>
      watched.get(formatGroupResource(resource))?.store.list(namespace),
    close: () => unsubscribe.splice(0).forEach((end) => end()),
  };
}
