// The groups of discovery in the order of APIServices, with what extension servers say about theirs.

import type { APIService } from '@keelson/apimachinery/types/apiregistration.k8s.io.v1';
import type { RegisteredVersion, Registrations } from '../endpoints/discovery/registrations.ts';
import type { ApiServiceTable } from './api-service-table.ts';
import type { RemoteDocuments } from './remote-documents.ts';

export function createRegistrations(
  apiServices: ApiServiceTable,
  documents: RemoteDocuments,
): Registrations {
  let generation = -1;
  let byName: ReadonlyMap<string, readonly APIService[]> = new Map();
  const current = () => {
    if (generation === apiServices.generation) return byName;
    generation = apiServices.generation;
    return (byName = new Map(apiServices.groups().map(({ name, services }) => [name, services])));
  };
  const toVersion = (apiService: APIService): RegisteredVersion => ({
    version: apiService.spec.version ?? '',
    ...(apiService.spec.service === undefined ? {} : { remote: documents.discovery(apiService) }),
  });
  return {
    groups: () => [...current().keys()],
    versionsOf: (group) => (current().get(group) ?? []).map(toVersion),
    get generation() {
      return apiServices.generation + documents.generation;
    },
  };
}
