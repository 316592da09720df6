// A cluster that serves StorageVersionMigrations, and a definition with two versions whose objects
// are stored in the one or the other.

import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import type { ClusterOptions } from '../create-cluster.ts';

export const withMigrations = {
  featureGates: { StorageVersionMigrator: true },
  runtimeConfig: 'storagemigration.k8s.io/v1beta1=true',
} as const satisfies ClusterOptions;

export const migrationsResource = {
  group: 'storagemigration.k8s.io',
  version: 'v1beta1',
  resource: 'storageversionmigrations',
};
export const definitionsResource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
};
export const thingsResource = (version: string) => ({
  group: 'example.com',
  version,
  resource: 'things',
});
export const thingDefinition = 'things.example.com';

export function defineThings(
  storage: string,
  versions: readonly string[] = ['v1', 'v2'],
): CustomResourceDefinition {
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    metadata: { name: thingDefinition },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: versions.map((name) => ({
        name,
        served: true,
        storage: name === storage,
        schema: { openAPIV3Schema },
      })),
    },
  };
}
