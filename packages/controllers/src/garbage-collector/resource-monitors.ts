// One informer of metadata for every resource whose objects can be deleted and watched, for as long
// as discovery has it; where other controllers have one of whole objects, that one serves, as in
// kube-controller-manager. Custom resources come and go with their definitions, which are watched
// themselves, so a change of them is looked for when one of them changes.

import {
  formatApiVersion,
  nextTurn,
  type KubeObject,
  type ObjectMeta,
} from '@keelson/apimachinery';
import {
  linkAbort,
  startInformer,
  type Client,
  type DiscoveredResource,
  type Informer,
  type InformerHandler,
} from '@keelson/client';
import { errorText, type ControllerContext } from '../machinery/controller.ts';
import { preferredResources } from '../machinery/preferred-resources.ts';
import type { ObjectReference } from './object-reference.ts';

export interface MonitorEvents {
  onChange(identity: ObjectReference, metadata: ObjectMeta): void;
  onDelete(identity: ObjectReference): void;
  /** Something that defines resources has changed. */
  onDefinitionChange(): void;
}

export interface ResourceMonitors {
  /** Starts and stops monitors until they are those of discovery. */
  synchronize(signal: AbortSignal): Promise<void>;
  /** Resolves when all monitors there are know their objects. */
  synced(signal: AbortSignal): Promise<void>;
}

interface Monitor {
  readonly resource: DiscoveredResource;
  readonly informer: Informer;
  stop(): void;
}

const startsPerTurn = 10;

/** Events are many, own nothing, and go by themselves. */
const ignored = new Set(['events.', 'events.events.k8s.io']);
const definitions = new Set([
  'customresourcedefinitions.apiextensions.k8s.io',
  'apiservices.apiregistration.k8s.io',
]);

export function createResourceMonitors(
  { informers, clock, random, log }: ControllerContext,
  { client, events }: { client: Client; events: MonitorEvents },
): ResourceMonitors {
  const monitors = new Map<string, Monitor>();
  const start = (resource: DiscoveredResource, signal: AbortSignal): Monitor => {
    const shared = informers.existing(resource);
    if (shared === undefined) return startOwn(resource, signal);
    const remove = shared.addHandler(handlerOf(resource, events));
    signal.addEventListener('abort', remove, { once: true });
    const stop = () => {
      signal.removeEventListener('abort', remove);
      remove();
    };
    return { resource, informer: shared, stop };
  };
  const startOwn = (resource: DiscoveredResource, signal: AbortSignal): Monitor => {
    const abort = linkAbort(signal);
    const onError = (error: unknown) =>
      log.warn('garbage collector cannot watch', {
        resource: `${resource.resource}.${resource.group}`,
        error: errorText(error),
      });
    const informer = startInformer(
      { resource: client.metadata(resource), transform: essence, clock, random, onError },
      abort.signal,
    );
    informer.addHandler(handlerOf(resource, events));
    const stop = () => {
      abort.abort();
      abort.release();
    };
    return { resource, informer, stop };
  };
  return {
    async synchronize(signal) {
      const api = await client.discovery.fetch(signal);
      const wanted = new Map<string, DiscoveredResource>();
      for (const resource of preferredResources(api, ['delete', 'list', 'watch'])) {
        const name = `${resource.resource}.${resource.group}`;
        if (!ignored.has(name))
          wanted.set(`${resource.version}/${name}/${resource.kind}`, resource);
      }
      const stale = new Set(api.stale.map(formatApiVersion));
      for (const [key, { resource, stop }] of monitors) {
        // A group whose server does not answer is not gone.
        if (wanted.has(key) || stale.has(formatApiVersion(resource))) continue;
        stop();
        monitors.delete(key);
      }
      let started = 0;
      for (const [key, resource] of wanted) {
        if (monitors.has(key)) continue;
        monitors.set(key, start(resource, signal));
        // Thousands of resources must not keep everybody else waiting.
        if (++started % startsPerTurn === 0) await nextTurn();
        if (signal.aborted) return;
      }
    },
    async synced(signal) {
      await Promise.all([...monitors.values()].map(({ informer }) => informer.synced(signal)));
    },
  };
}

function handlerOf(resource: DiscoveredResource, events: MonitorEvents): InformerHandler {
  const apiVersion = formatApiVersion(resource);
  const { kind } = resource;
  const isDefinition = definitions.has(`${resource.resource}.${resource.group}`);
  const identityOf = ({ metadata: { namespace = '', name = '', uid = '' } }: KubeObject) => ({
    apiVersion,
    kind,
    namespace,
    name,
    uid,
  });
  const onChange = (object: KubeObject) => {
    events.onChange(identityOf(object), object.metadata);
    if (isDefinition) events.onDefinitionChange();
  };
  return {
    onAdd: onChange,
    onUpdate: onChange,
    onDelete(object) {
      events.onDelete(identityOf(object));
      if (isDefinition) events.onDefinitionChange();
    },
  };
}

/** What the graph needs of an object; labels and managed fields are most of its bytes. */
function essence({ metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion } = metadata;
  const { ownerReferences, finalizers, deletionTimestamp } = metadata;
  return {
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
  };
}
