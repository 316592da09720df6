// Every active namespace has ConfigMaps with the authorities that its pods are to trust, which the
// projected volume of service account tokens mounts: `kube-root-ca.crt` for the API server, and
// `openshift-service-ca.crt` for serving certificates of services. They are put back when somebody
// changes or deletes them.
//
// COMPAT: the second one is not in every distribution, but the controller manager on record
// publishes it, and whoever counts ConfigMaps sees it. Where it is not published, nothing refers to
// it (the admission plugin ServiceAccount looks).

import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { ConfigMap, Namespace } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { durationBuckets } from '../machinery/controller-metrics.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import { configMapsResource, namespacesResource } from '../machinery/resources.ts';
import { isNamespaceTerminating } from '../machinery/status-causes.ts';

export interface CertificatePublisherOptions {
  /** PEM bundle. */
  readonly caPem: string;
}

export const createRootCaCertificatePublisherController = (
  context: ControllerContext,
  { caPem }: CertificatePublisherOptions,
): Controller =>
  createCertificatePublisher(context, {
    metrics: 'root_ca_cert_publisher',
    name: 'kube-root-ca.crt',
    dataKey: 'ca.crt',
    // COMPAT: the words of kube-controller-manager.
    description:
      'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. ' +
      'No other usage is guaranteed across distributions of Kubernetes clusters.',
    caPem,
  });

export const createServiceCaCertificatePublisherController = (
  context: ControllerContext,
  { caPem }: CertificatePublisherOptions,
): Controller =>
  createCertificatePublisher(context, {
    metrics: 'service_ca_cert_publisher',
    name: 'openshift-service-ca.crt',
    dataKey: 'service-ca.crt',
    caPem,
  });

interface Publication {
  /** What its queue and its metrics are called. */
  readonly metrics: string;
  readonly name: string;
  readonly dataKey: string;
  /** For the annotation that says what it is good for. */
  readonly description?: string;
  readonly caPem: string;
}
const descriptionAnnotation = 'kubernetes.io/description';

function createCertificatePublisher(
  context: ControllerContext,
  publication: Publication,
): Controller {
  const { client, informers, clock } = context;
  const measure = createSyncMetrics(context, publication.metrics);
  const namespaces = informers.informer<Namespace>(namespacesResource);
  const configMaps = informers.informer<ConfigMap>(configMapsResource, {
    fieldSelector: `metadata.name=${publication.name}`,
  });
  const reconcile = async (namespace: string, signal: AbortSignal) => {
    if (namespaces.store.get('', namespace)?.status?.phase !== 'Active') return;
    const current = configMaps.store.get(namespace, publication.name);
    if (current !== undefined && isAsPublished(current, publication)) return;
    const wanted = publishedConfigMap(namespace, current, publication);
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
  return createReconciler(context, {
    failure: 'authority not published',
    queue: publication.metrics,
    workers: 2,
    reads: [namespaces, configMaps],
    subscribe: (queue) => {
      const enqueueNamespace = ({ metadata }: KubeObject) => queue.add(metadata.name ?? '');
      const enqueueOwn = ({ metadata }: KubeObject) => queue.add(metadata.namespace ?? '');
      return [
        namespaces.addHandler({ onAdd: enqueueNamespace, onUpdate: enqueueNamespace }),
        configMaps.addHandler({ onAdd: enqueueOwn, onUpdate: enqueueOwn, onDelete: enqueueOwn }),
      ];
    },
    async reconcile(namespace, signal) {
      const startedMs = clock.monotonic();
      try {
        await reconcile(namespace, signal);
        measure(200, startedMs);
      } catch (error) {
        measure(isStatusError(error) ? (error.status.code ?? 500) : 500, startedMs);
        throw error;
      }
    },
  });
}

/** By the code of the answer, 500 for what was no answer. */
function createSyncMetrics({ metrics, clock }: ControllerContext, name: string) {
  // COMPAT: one text for both.
  const help = `[ALPHA] Number of namespace syncs happened in ${name.replaceAll('_', ' ')}.`;
  const total = metrics.counter(`${name}_sync_total`, help);
  const seconds = metrics.histogram(`${name}_sync_duration_seconds`, help, durationBuckets);
  return (status: number, startedMs: number) => {
    const labels = { code: String(status) };
    total.add(labels);
    seconds.observe(labels, (clock.monotonic() - startedMs) / 1000);
  };
}

/** Other annotations and labels are nobody's business. */
function isAsPublished(
  { data = {}, metadata }: ConfigMap,
  { dataKey, caPem, description }: Publication,
): boolean {
  return (
    Object.keys(data).length === 1 &&
    data[dataKey] === caPem &&
    (description === undefined || (metadata.annotations?.[descriptionAnnotation] ?? '') !== '')
  );
}

function publishedConfigMap(
  namespace: string,
  current: ConfigMap | undefined,
  { name, dataKey, caPem, description }: Publication,
): ConfigMap {
  const { metadata = { name, namespace }, ...rest } = current ?? {};
  const annotations = {
    ...metadata.annotations,
    ...(description !== undefined && { [descriptionAnnotation]: description }),
  };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    ...rest,
    metadata: { ...metadata, annotations },
    data: { [dataKey]: caPem },
  };
}
