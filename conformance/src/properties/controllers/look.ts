// What is there at one moment, of every kind that the server keeps.

import type { JsonObject, KubeObject, ResourceDefinition } from '@keelson/apimachinery';
import type { Client } from '@keelson/client';
import { storedKinds } from '../../wire/stored-kinds.ts';

export interface Look {
  /** By `group/resource`. */
  of<T extends KubeObject = KubeObject & JsonObject>(id: string): readonly T[];
  /** Everything. */
  readonly all: readonly KubeObject[];
  /** By `group/resource namespace/name`; without what only tells of the past. */
  readonly byKey: ReadonlyMap<string, KubeObject>;
  /** By the same key. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What is not the same: the object's key with what it was and what it is. */
export function changesBetween(before: Look, after: Look): string[] {
  const keys = new Set([...Object.keys(before.versions), ...Object.keys(after.versions)]);
  const describe = (one: Look, key: string) => JSON.stringify(one.byKey.get(key) ?? 'absent');
  return [...keys]
    .filter((key) => before.versions[key] !== after.versions[key])
    .map((key) => `${key}: ${describe(before, key)} is now ${describe(after, key)}`);
}

/** Events tell what happened, leases that somebody is alive: they change though nothing does. */
const restless = new Set(['/events', 'events.k8s.io/events', 'coordination.k8s.io/leases']);

export const idOf = ({ group, resource }: ResourceDefinition): string => `${group}/${resource}`;
export const keyOf = ({ metadata: { namespace = '', name = '' } }: KubeObject): string =>
  `${namespace}/${name}`;

export async function look(client: Client): Promise<Look> {
  const kinds = new Map<string, readonly KubeObject[]>();
  const byKey = new Map<string, KubeObject>();
  const versions: Record<string, string> = {};
  const read = async (definition: ResourceDefinition) => {
    const { items } = await client.resource(definition).list();
    kinds.set(idOf(definition), items);
    if (restless.has(idOf(definition))) return;
    for (const object of items) {
      const { resourceVersion = '', uid = '' } = object.metadata;
      const key = `${idOf(definition)} ${keyOf(object)}`;
      byKey.set(key, object);
      versions[key] = `${resourceVersion} ${uid}`;
    }
  };
  await Promise.all(lived.map(read));
  return {
    of: <T extends KubeObject>(id: string) => (kinds.get(id) ?? []) as readonly T[],
    all: [...byKey.values()],
    byKey,
    versions,
  };
}

/** What a server with default settings serves. */
export const served: readonly ResourceDefinition[] = storedKinds.filter(
  ({ version }) => !/alpha|beta/.test(version),
);

/** What lives know beyond that: of these controllers live. */
const asked = new Set([
  'certificates.k8s.io/podcertificaterequests',
  'internal.apiserver.k8s.io/storageversions',
  'scheduling.k8s.io/podgroups',
  'storagemigration.k8s.io/storageversionmigrations',
]);
export const lived: readonly ResourceDefinition[] = [
  ...served,
  ...storedKinds.filter((definition) => asked.has(idOf(definition))),
];
/** How a server serves these. */
export const servingAsked = {
  featureGates: {
    GenericWorkload: true,
    PodCertificateRequest: true,
    StorageVersionAPI: true,
    StorageVersionMigrator: true,
  },
  runtimeConfig: [
    'certificates.k8s.io/v1beta1=true',
    'internal.apiserver.k8s.io/v1alpha1=true',
    'scheduling.k8s.io/v1alpha2=true',
    'storagemigration.k8s.io/v1beta1=true',
  ].join(','),
} as const;
