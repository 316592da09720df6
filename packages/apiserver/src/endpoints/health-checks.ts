// The named checks of the health endpoints. COMPAT: names and order are kube-apiserver's, because
// monitoring asks for them one by one. Those of start-up hooks pass once the server has started.

import type { HealthCheck, HealthChecks } from './health.ts';

export interface HealthState {
  /** Everything that must be there before the first request is served. */
  isStarted(): boolean;
  isShuttingDown(): boolean;
  /** Why the storage cannot be used, if so. */
  storageProblem(): string | undefined;
}

const startHooks = [
  'start-apiserver-admission-initializer',
  'generic-apiserver-start-informers',
  'priority-and-fairness-config-consumer',
  'priority-and-fairness-filter',
  'storage-object-count-tracker-hook',
  'start-apiextensions-informers',
  'start-apiextensions-controllers',
  'crd-informer-synced',
  'start-system-namespaces-controller',
  'peer-endpoint-reconciler-controller',
  'start-cluster-authentication-info-controller',
  'start-kube-apiserver-identity-lease-controller',
  'start-kube-apiserver-identity-lease-garbage-collector',
  'storage-readiness',
  'start-legacy-token-tracking-controller',
  'start-service-ip-repair-controllers',
  'rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'bootstrap-controller',
  'start-kubernetes-service-cidr-controller',
  'start-kube-aggregator-informers',
  'apiservice-status-local-available-controller',
  'apiservice-status-remote-available-controller',
  'apiservice-registration-controller',
  'apiservice-wait-for-first-sync',
  'apiservice-discovery-controller',
  'kube-apiserver-autoregistration',
] as const;
const lateHooks = ['apiservice-openapi-controller', 'apiservice-openapiv3-controller'] as const;

export function createHealthChecks(state: HealthState): HealthChecks {
  const started = (): string | undefined => (state.isStarted() ? undefined : 'not finished');
  const hook = (name: string): HealthCheck => ({
    name: `poststarthook/${name}`,
    check: name === 'storage-readiness' ? () => started() ?? state.storageProblem() : started,
  });
  const fine = (name: string): HealthCheck => ({ name, check: () => undefined });
  const etcd: HealthCheck = { name: 'etcd', check: () => state.storageProblem() };
  const hooks = [
    ...startHooks.map(hook),
    { name: 'autoregister-completion', check: started },
    ...lateHooks.map(hook),
  ];
  const common = [fine('ping'), fine('log'), fine('loopback-serving-certificate'), etcd, ...hooks];
  const readiness: HealthCheck[] = [
    fine('ping'),
    fine('log'),
    { name: 'informer-sync', check: started },
    ...hooks,
    {
      name: 'shutdown',
      check: () => (state.isShuttingDown() ? 'process is shutting down' : undefined),
    },
  ];
  return { livez: common, healthz: common, readyz: readiness };
}
