// Every active namespace has a ConfigMap `kube-root-ca.crt` with the authority of the API server's
// certificate, which the projected volume of service account tokens mounts into pods. It is put
// back when somebody changes or deletes it.

import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { ConfigMap, Namespace } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import { configMapsResource, namespacesResource } from '../machinery/resources.ts';
import { runController } from '../machinery/run-controller.ts';
import { isNamespaceTerminating } from '../machinery/status-causes.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';

const configMapName = 'kube-root-ca.crt';
const dataKey = 'ca.crt';
const descriptionAnnotation = 'kubernetes.io/description';
/** COMPAT: the words of kube-controller-manager. */
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. ' +
  'No other usage is guaranteed across distributions of Kubernetes clusters.';

export interface RootCaPublisherOptions {
  /** PEM bundle. */
  readonly rootCaPem: string;
}

export function createRootCaCertificatePublisherController(
  context: ControllerContext,
  { rootCaPem }: RootCaPublisherOptions,
): Controller {
  const { client, informers, clock, log } = context;
  const queue = createWorkQueue({ clock });
  const namespaces = informers.informer<Namespace>(namespacesResource);
  const configMaps = informers.informer<ConfigMap>(configMapsResource, {
    fieldSelector: `metadata.name=${configMapName}`,
  });
  const reconcile = async (namespace: string, signal: AbortSignal) => {
    if (namespaces.store.get('', namespace)?.status?.phase !== 'Active') return;
    const current = configMaps.store.get(namespace, configMapName);
    if (current !== undefined && isAsPublished(current, rootCaPem)) return;
    const wanted = publishedConfigMap(namespace, current, rootCaPem);
    const resource = client.resource<ConfigMap>(configMapsResource).namespace(namespace);
    try {
      if (current === undefined) await resource.create(wanted, { signal });
      else await resource.update(wanted, { signal });
    } catch (error) {
      // Somebody else wrote it, or the namespace is gone: the next event tells.
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
      const enqueueOwn = ({ metadata }: KubeObject) => queue.add(metadata.namespace ?? '');
      const unsubscribe = [
        namespaces.addHandler({ onAdd: enqueueNamespace, onUpdate: enqueueNamespace }),
        configMaps.addHandler({ onAdd: enqueueOwn, onUpdate: enqueueOwn, onDelete: enqueueOwn }),
      ];
      const onError = (error: unknown, namespace: string) =>
        log.warn('authority not published', { namespace, error: errorText(error) });
      await Promise.all([namespaces.synced(signal), configMaps.synced(signal)]).catch(() => {});
      await runController({ queue, reconcile, workers: 2, onError }, signal);
      for (const end of unsubscribe) end();
    },
  };
}

/** Other annotations and labels are nobody's business. */
function isAsPublished({ data = {}, metadata }: ConfigMap, rootCaPem: string): boolean {
  return (
    Object.keys(data).length === 1 &&
    data[dataKey] === rootCaPem &&
    (metadata.annotations?.[descriptionAnnotation] ?? '') !== ''
  );
}

function publishedConfigMap(
  namespace: string,
  current: ConfigMap | undefined,
  rootCaPem: string,
): ConfigMap {
  const { metadata = { name: configMapName, namespace }, ...rest } = current ?? {};
  const annotations = { ...metadata.annotations, [descriptionAnnotation]: description };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    ...rest,
    metadata: { ...metadata, annotations },
    data: { [dataKey]: rootCaPem },
  };
}
