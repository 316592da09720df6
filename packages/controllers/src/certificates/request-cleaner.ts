// Deletes requests of certificates that are over, of either kind: all of them are looked at once in
// a while. Who they were for and what became of them is the caller's to judge.

import { isStatusError, type GroupVersionResource, type KubeObject } from '@keelson/apimachinery';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import { runPeriodically } from '../machinery/run-periodically.ts';

export interface RequestCleanerOptions<T extends KubeObject> {
  readonly resource: GroupVersionResource;
  readonly periodMs: number;
  isOver(request: T, nowMs: number): boolean;
}

export function createRequestCleaner<T extends KubeObject>(
  { client, informers, clock, log }: ControllerContext,
  { resource, periodMs, isOver }: RequestCleanerOptions<T>,
): Controller {
  const requests = informers.informer<T>(resource);
  const clean = async (signal: AbortSignal) => {
    for (const request of requests.store.list()) {
      if (!isOver(request, clock.now())) continue;
      const { namespace = '', name = '', uid = '' } = request.metadata;
      try {
        // Another one may have its name by now.
        const options = { preconditions: { uid }, signal };
        await client.resource(resource).namespace(namespace).delete(name, options);
      } catch (error) {
        if (signal.aborted) return;
        if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict'))
          log.warn('certificate request not deleted', {
            resource: resource.resource,
            namespace,
            name,
            error: errorText(error),
          });
      }
    }
  };
  return {
    async run(signal) {
      await requests.synced(signal).catch(() => {});
      await runPeriodically(clean, { clock, periodMs }, signal);
    },
  };
}
