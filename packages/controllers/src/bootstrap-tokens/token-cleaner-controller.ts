// Deletes bootstrap tokens when their time has come: a token that expired is a password that nobody
// should find any more.

import { isStatusError } from '@keelson/apimachinery';
import type { Secret } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import { secretsResource } from '../machinery/resources.ts';
import { runController } from '../machinery/run-controller.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';
import { bootstrapTokenNamespace, bootstrapTokenType, expiryOf } from './bootstrap-token-secret.ts';

export function createTokenCleanerController(context: ControllerContext): Controller {
  const { client, informers, clock, log, metrics } = context;
  const queue = createWorkQueue({ clock, meter: metrics.workQueue('token_cleaner') });
  const secrets = informers.informer<Secret>(secretsResource, {
    namespace: bootstrapTokenNamespace,
    fieldSelector: `type=${bootstrapTokenType}`,
  });
  const resource = client.resource(secretsResource).namespace(bootstrapTokenNamespace);
  const reconcile = async (key: string, signal: AbortSignal) => {
    const { namespace, name } = parseKey(key);
    const secret = secrets.store.get(namespace, name);
    if (secret === undefined) return;
    const leftMs = expiryOf(secret) - clock.now();
    if (leftMs === Number.POSITIVE_INFINITY) return;
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { uid = '' } = secret.metadata;
    try {
      await resource.delete(name, { preconditions: { uid }, signal });
    } catch (error) {
      // Gone, or another token of the same name, which comes by itself.
      if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict')) throw error;
    }
  };
  return {
    async run(signal) {
      const enqueue = (secret: Secret) => queue.add(keyOf(secret));
      const end = secrets.addHandler({ onAdd: enqueue, onUpdate: enqueue });
      const onError = (error: unknown, key: string) =>
        log.warn('bootstrap token not deleted', { key, error: errorText(error) });
      await secrets.synced(signal).catch(() => {});
      await runController({ queue, reconcile, workers: 1, onError }, signal);
      end();
    },
  };
}
