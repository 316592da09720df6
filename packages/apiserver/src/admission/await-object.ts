// Waiting for an object that somebody is about to create, such as the default service account of a
// new namespace.

import type { Clock, KubeObject } from '@keelson/apimachinery';
import type { ObjectSource } from '../object-source.ts';

export interface AwaitedObject {
  readonly source: ObjectSource;
  readonly namespace: string;
  readonly name: string;
}

/** The object as soon as it is there, or undefined after `timeoutMs`. Rejects when aborted. */
export function awaitObject(
  { source, namespace, name }: AwaitedObject,
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const present = source.get(namespace, name);
    if (present !== undefined) return resolve(present);
    const end = (settle: () => void) => {
      unsubscribe();
      cancel();
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = () => end(() => reject(signal.reason));
    const unsubscribe = source.subscribe(({ type, object }) => {
      const { metadata } = object;
      if (type === 'DELETED' || metadata.name !== name || metadata.namespace !== namespace) return;
      end(() => resolve(object));
    });
    const cancel = clock.after(timeoutMs, () => end(() => resolve(undefined)));
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
