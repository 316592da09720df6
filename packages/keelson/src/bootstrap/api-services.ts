// The APIServices of what the server serves itself. They are made at start and then left alone: one
// that is deleted comes back with the next start, and one that is no longer served goes with it.

import { formatApiVersion, type KubeObject } from '@keelson/apimachinery';
import type { ApiServer } from '@keelson/apiserver';
import { localApiServices } from './bootstrap-objects.generated.ts';

const keyPrefix = '/registry/apiregistration.k8s.io/apiservices/';
const automanagedLabel = 'kube-aggregator.kubernetes.io/automanaged';
const managedOnStart = 'onstart';
/** COMPAT: the aggregator's own group has none. */
const unregisteredGroup = 'apiregistration.k8s.io';
/** Of groups and versions that are not served by default. */
const otherGroupPriorities: Readonly<Record<string, number>> = {
  'internal.apiserver.k8s.io': 16_000,
  'storagemigration.k8s.io': 15_800,
};
const betaPriority = 12;
const alphaPriority = 9;
const otherVersionPriorities: Readonly<Record<string, number>> = {
  'certificates.k8s.io/v1beta1': 9,
  'certificates.k8s.io/v1alpha1': 1,
  'coordination.k8s.io/v1beta1': 13,
  'coordination.k8s.io/v1alpha2': 12,
};
/** Of a group that nobody has thought of. */
const lastGroupPriority = 15_000;

/** `create` stores an object with its status, unless it is there. */
export async function reconcileApiServices(
  server: ApiServer,
  now: string,
  create: (object: KubeObject) => Promise<void>,
): Promise<void> {
  const { storage } = server.dependencies;
  const wanted = new Map(servedVersions(server).map((gv) => [`${gv.version}.${gv.group}`, gv]));
  const { entries } = await storage.list(keyPrefix);
  const known = new Set(entries.map(({ key }) => key.slice(keyPrefix.length)));
  await Promise.all([
    ...[...wanted]
      .filter(([name]) => !known.has(name))
      .map(([name, gv]) => create(apiService(name, specOf(gv), now))),
    ...entries.map(({ key, object }) => {
      const gv = wanted.get(key.slice(keyPrefix.length));
      if (object.metadata.labels?.[automanagedLabel] !== managedOnStart) return undefined;
      return storage.guaranteedUpdate(key, (current) => {
        if (current === undefined || gv === undefined) return undefined;
        const isSame = JSON.stringify(current.object['spec']) === JSON.stringify(specOf(gv));
        return isSame ? current.object : { ...current.object, spec: specOf(gv) };
      });
    }),
  ]);
}

interface Served {
  readonly group: string;
  readonly version: string;
}

function servedVersions(server: ApiServer): Served[] {
  const found = new Map<string, Served>();
  for (const { definition, custom } of server.index.list()) {
    const { group, version } = definition;
    if (custom || group === unregisteredGroup) continue;
    found.set(formatApiVersion(definition), { group, version });
  }
  return [...found.values()];
}

function specOf({ group, version }: Served): object {
  const rows = localApiServices.filter(([name]) => name === group);
  const row = rows.find(([, name]) => name === version);
  const groupPriorityMinimum = rows[0]?.[2] ?? otherGroupPriorities[group] ?? lastGroupPriority;
  const versionPriority =
    row?.[3] ??
    otherVersionPriorities[`${group}/${version}`] ??
    (version.includes('alpha') ? alphaPriority : betaPriority);
  return { ...(group === '' ? {} : { group }), version, groupPriorityMinimum, versionPriority };
}

function apiService(name: string, spec: object, now: string): KubeObject {
  return {
    kind: 'APIService',
    apiVersion: 'apiregistration.k8s.io/v1',
    metadata: { name, labels: { [automanagedLabel]: managedOnStart } },
    spec,
    status: {
      conditions: [
        {
          type: 'Available',
          status: 'True',
          lastTransitionTime: now,
          reason: 'Local',
          message: 'Local APIServices are always available',
        },
      ],
    },
  };
}
