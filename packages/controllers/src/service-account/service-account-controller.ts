// Every active namespace has a service account named `default`, for pods that name none. One that
// is deleted is made anew.

import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { Namespace } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import { namespacesResource, serviceAccountsResource } from '../machinery/resources.ts';
import { runController } from '../machinery/run-controller.ts';
import { isNamespaceTerminating } from '../machinery/status-causes.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';

const accountName = 'default';

export function createServiceAccountController(context: ControllerContext): Controller {
  const { client, informers, clock, log, metrics } = context;
  const queue = createWorkQueue({ clock, meter: metrics.workQueue('serviceaccount') });
  const namespaces = informers.informer<Namespace>(namespacesResource);
  const accounts = informers.informer(serviceAccountsResource, {
    metadataOnly: true,
    fieldSelector: `metadata.name=${accountName}`,
  });
  const reconcile = async (namespace: string, signal: AbortSignal) => {
    if (namespaces.store.get('', namespace)?.status?.phase !== 'Active') return;
    if (accounts.store.get(namespace, accountName) !== undefined) return;
    const account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: accountName, namespace },
    };
    try {
      await client
        .resource(serviceAccountsResource)
        .namespace(namespace)
        .create(account, { signal });
    } catch (error) {
      const isFine =
        isStatusError(error, 'AlreadyExists') ||
        isStatusError(error, 'NotFound') ||
        isNamespaceTerminating(error);
      if (!isFine) throw error;
    }
  };
  return {
    async run(signal) {
      const enqueueNamespace = ({ metadata }: KubeObject) => queue.add(metadata.name ?? '');
      const unsubscribe = [
        namespaces.addHandler({ onAdd: enqueueNamespace, onUpdate: enqueueNamespace }),
        accounts.addHandler({ onDelete: ({ metadata }) => queue.add(metadata.namespace ?? '') }),
      ];
      const onError = (error: unknown, namespace: string) =>
        log.warn('default service account not created', { namespace, error: errorText(error) });
      // Before both are known, a namespace could look as if it had none.
      await Promise.all([namespaces.synced(signal), accounts.synced(signal)]).catch(() => {});
      await runController({ queue, reconcile, workers: 2, onError }, signal);
      for (const end of unsubscribe) end();
    },
  };
}
