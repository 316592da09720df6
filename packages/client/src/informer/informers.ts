// One informer per resource and selection, however many controllers ask for it. They start when
// they are first asked for and end with the set.

import type { Clock, GroupVersionResource, KubeObject, Random } from '@keelson/apimachinery';
import type { Client } from '../client.ts';
import type { SelectionOptions } from '../resource-options.ts';
import { startInformer, type Informer } from './informer.ts';

export interface SharedInformerOptions extends SelectionOptions {
  readonly metadataOnly?: boolean;
  /** All namespaces when absent. */
  readonly namespace?: string;
}

export interface Informers {
  /** The caller's type is believed: a resource has one kind. */
  informer<T extends KubeObject>(
    resource: GroupVersionResource,
    options?: SharedInformerOptions,
  ): Informer<T>;
  /** The informer of all objects of the resource, if somebody has asked for it. */
  existing(resource: GroupVersionResource): Informer | undefined;
  /** Resolves when all that were asked for so far have synced. */
  synced(signal?: AbortSignal): Promise<void>;
}

export interface InformersOptions {
  readonly client: Client;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly onError?: (error: unknown, resource: GroupVersionResource) => void;
  readonly freeze?: boolean;
}

export function createInformers(options: InformersOptions, signal: AbortSignal): Informers {
  const { client, onError = () => {}, ...rest } = options;
  const started = new Map<string, Informer>();
  return {
    existing: (resource) => started.get(keyOf(resource, {})),
    informer<T extends KubeObject>(
      resource: GroupVersionResource,
      shared: SharedInformerOptions = {},
    ) {
      const { metadataOnly = false, namespace = '', ...selection } = shared;
      const key = keyOf(resource, shared);
      let informer = started.get(key);
      if (informer === undefined) {
        const all = metadataOnly ? client.metadata(resource) : client.resource(resource);
        informer = startInformer(
          {
            ...rest,
            resource: all.namespace(namespace),
            selection,
            onError: (error) => onError(error, resource),
          },
          signal,
        );
        started.set(key, informer);
      }
      return informer as unknown as Informer<T>;
    },
    async synced(waiting) {
      await Promise.all([...started.values()].map((informer) => informer.synced(waiting)));
    },
  };
}

function keyOf(
  { group, version, resource }: GroupVersionResource,
  {
    metadataOnly = false,
    namespace = '',
    labelSelector = '',
    fieldSelector = '',
  }: SharedInformerOptions,
): string {
  return JSON.stringify([
    group,
    version,
    resource,
    metadataOnly,
    namespace,
    labelSelector,
    fieldSelector,
  ]);
}
