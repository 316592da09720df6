// APIServices as the aggregator reads them: who serves a group version, and in which order groups
// and their versions come. Follows the stored objects; asking costs a look-up.

import { findCondition } from '@keelson/apimachinery';
import type { KubeObject } from '@keelson/apimachinery';
import type {
  APIService,
  APIServiceCondition,
  ServiceReference,
} from '@keelson/apimachinery/types/apiregistration.k8s.io.v1';
import { compareVersions } from '../endpoints/discovery/version-order.ts';
import type { ObjectSource } from '../object-source.ts';

export interface ApiServiceGroup {
  readonly name: string;
  /** Best first. */
  readonly services: readonly APIService[];
}

export interface ApiServiceTable {
  /** The APIService of a group version, when there is one. */
  find(group: string, version: string): APIService | undefined;
  list(): readonly APIService[];
  /** Those that are served elsewhere; mostly none. */
  remote(): readonly APIService[];
  /**
   * In the order of discovery; the group of the core, which has no name, among them. Of their states,
   * only whether they are available is up to date.
   */
  groups(): readonly ApiServiceGroup[];
  /** Grows when what `groups` answers may have changed. */
  readonly generation: number;
}

/** Follows the source until the signal is aborted. */
export function createApiServiceTable(source: ObjectSource, signal: AbortSignal): ApiServiceTable {
  let generation = 0;
  let groups: readonly ApiServiceGroup[] | undefined;
  let remote: readonly APIService[] | undefined;
  const list = () => source.list() as unknown as readonly APIService[];
  const stop = source.subscribe(({ type, object, previous }) => {
    if (type === 'MODIFIED' && isSame(object, previous)) return;
    generation++;
    groups = undefined;
    remote = undefined;
  });
  signal.addEventListener('abort', stop, { once: true });
  return {
    find: (group, version) =>
      source.get('', `${version}.${group}`) as unknown as APIService | undefined,
    list,
    remote: () => (remote ??= list().filter(({ spec }) => spec.service !== undefined)),
    groups: () => (groups ??= inOrder(list())),
    get generation() {
      return generation;
    },
  };
}

/** The service that serves it; undefined when this server does. */
export function backingService(apiService: APIService): Required<ServiceReference> | undefined {
  const { service } = apiService.spec;
  if (service === undefined) return undefined;
  const { namespace = '', name = '', port = servicePortDefault } = service;
  return { namespace, name, port };
}
const servicePortDefault = 443;

export function availableCondition(apiService: APIService): APIServiceCondition | undefined {
  return findCondition(apiService.status?.conditions, 'Available');
}
export function isAvailable(apiService: APIService): boolean {
  return availableCondition(apiService)?.status === 'True';
}

function isSame(a: KubeObject, b: KubeObject | undefined): boolean {
  return (
    b !== undefined &&
    JSON.stringify(a['spec']) === JSON.stringify(b['spec']) &&
    isAvailable(a as unknown as APIService) === isAvailable(b as unknown as APIService)
  );
}

/** Groups by the highest priority of their versions, then by name; versions by theirs, then by age. */
function inOrder(all: readonly APIService[]): ApiServiceGroup[] {
  const byGroup = Map.groupBy(all, ({ spec }) => spec.group ?? '');
  const priority = (services: readonly APIService[]) =>
    Math.max(...services.map(({ spec }) => spec.groupPriorityMinimum));
  return [...byGroup]
    .map(([name, services]) => ({
      name,
      priority: priority(services),
      services: services.toSorted(
        (a, b) =>
          b.spec.versionPriority - a.spec.versionPriority ||
          compareVersions(a.spec.version ?? '', b.spec.version ?? ''),
      ),
    }))
    .toSorted((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1));
}
