// Objects that are used have a finalizer, which is taken away here when they are deleted and nothing
// uses them any more, and given back to those that stay. Creation has given it already (the admission
// plugins StorageObjectInUseProtection and PodGroupProtection).

import { isStatusError, type GroupVersionResource, type KubeObject } from '@keelson/apimachinery';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import { runController } from '../machinery/run-controller.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';
import type { ReportedStatus } from './unused-condition.ts';

/** Who takes a finalizer away to delete the object in the next request is to be faster. */
const giveBackMs = 500;

/** Objects that use what is protected. */
export interface Users {
  synced(signal: AbortSignal): Promise<void>;
  /** Tells the keys of what a user that has changed uses, or has used. Returns what ends it. */
  onChange(tell: (key: string) => void): () => void;
}

export function usersIn<T extends KubeObject>(
  informer: Pick<Informer<T>, 'synced' | 'addHandler'>,
  keysOf: (user: T) => readonly string[],
): Users {
  return {
    synced: (signal) => informer.synced(signal),
    onChange(tell) {
      const tellAll = (user: T) => keysOf(user).forEach(tell);
      return informer.addHandler({
        onAdd: tellAll,
        onUpdate(user, old) {
          tellAll(old);
          tellAll(user);
        },
        onDelete: tellAll,
      });
    },
  };
}

export interface Protection<T extends KubeObject> {
  /** What its queue is called in metrics. */
  readonly queue: string;
  readonly resource: GroupVersionResource;
  readonly finalizer: string;
  /** False: what lost it while it stays does without. */
  readonly isGivenBack?: boolean;
  isUsed(object: T, signal: AbortSignal): Promise<boolean>;
  /** Whose changes may free what is deleted. */
  readonly users?: readonly Users[];
  /** What objects that stay say of their users. */
  readonly status?: ReportedStatus<T>;
}

export function createProtectionController<T extends KubeObject>(
  { client, informers, clock, log, metrics }: ControllerContext,
  protection: Protection<T>,
): Controller {
  const { queue: queueName, resource, finalizer, isUsed, users = [], status } = protection;
  const { isGivenBack = true } = protection;
  const queue = createWorkQueue({ clock, meter: metrics.workQueue(queueName) });
  const objects = informers.informer<T>(resource);
  const isGoing = ({ metadata }: KubeObject) => metadata.deletionTimestamp !== undefined;
  /** Going, and has it; or staying, and lacks it. */
  const isOfConcern = (object: KubeObject) =>
    isGoing(object) === (object.metadata.finalizers ?? []).includes(finalizer) &&
    (isGoing(object) || isGivenBack);
  const isToReport = (object: T) => !isGoing(object) && status?.isRight(object) === false;
  const enqueue = (object: T) => {
    if (isOfConcern(object)) queue.addAfter(keyOf(object), isGoing(object) ? 0 : giveBackMs);
    else if (isToReport(object)) queue.add(keyOf(object));
  };
  const enqueueKey = (key: string) => {
    const { namespace, name } = parseKey(key);
    const object = objects.store.get(namespace, name);
    if (object !== undefined) enqueue(object);
  };

  const reconcile = async (key: string, signal: AbortSignal) => {
    const { namespace, name } = parseKey(key);
    const object = objects.store.get(namespace, name);
    if (object === undefined) return;
    if (!isOfConcern(object)) return isToReport(object) ? status?.write(object, signal) : undefined;
    if (isGoing(object) && (await isUsed(object, signal))) return;
    const known = object.metadata.finalizers ?? [];
    const finalizers = isGoing(object)
      ? known.filter((one) => one !== finalizer)
      : [...known, finalizer];
    const written = { ...object, metadata: { ...object.metadata, finalizers } };
    try {
      await client.resource<T>(resource).namespace(namespace).update(written, { signal });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
  };

  return {
    async run(signal) {
      const unsubscribe = [
        objects.addHandler({ onAdd: enqueue, onUpdate: enqueue }),
        ...users.map((some) => some.onChange(enqueueKey)),
      ];
      const onError = (error: unknown, key: string) =>
        log.warn('finalizer not as it should be', { finalizer, key, error: errorText(error) });
      const synced = [objects, ...users].map((some) => some.synced(signal));
      await Promise.all(synced).catch(() => {});
      await runController({ queue, reconcile, workers: 1, onError }, signal);
      for (const end of unsubscribe) end();
    },
  };
}
