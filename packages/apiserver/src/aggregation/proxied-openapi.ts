// What extension servers add to OpenAPI: their documents of version 3 are read from them when
// somebody asks, those of version 2 become part of ours.

import type { RemoteOpenApi } from '../endpoints/openapi/remote-openapi.ts';
import type { ApiServiceTable } from './api-service-table.ts';
import { discoveryPath } from './availability-check.ts';
import type { AggregatorProxy } from './proxy-handler.ts';
import type { RemoteDocuments } from './remote-documents.ts';

export interface ProxiedOpenApiParts {
  readonly apiServices: ApiServiceTable;
  readonly documents: RemoteDocuments;
  readonly proxy: AggregatorProxy;
}

export function createProxiedOpenApi(parts: ProxiedOpenApiParts): RemoteOpenApi {
  const { apiServices, documents, proxy } = parts;
  /** In order of priority. */
  const remote = () =>
    apiServices
      .groups()
      .flatMap(({ services }) => services)
      .filter(({ spec }) => spec.service !== undefined);
  return {
    index: () =>
      remote().flatMap((apiService) => {
        const hash = documents.openApiHash(apiService);
        return hash === undefined ? [] : [{ path: discoveryPath(apiService).slice(1), hash }];
      }),
    async serve(path, context) {
      const found = remote().find((apiService) => discoveryPath(apiService) === `/${path}`);
      if (found === undefined || documents.openApiHash(found) === undefined) return false;
      await proxy.forward(context, found);
      return true;
    },
    v2: () =>
      remote().flatMap((apiService) => {
        const document = documents.openApiV2(apiService);
        if (document === undefined) return [];
        const own = discoveryPath(apiService);
        return [{ document, prefixes: [`${own}/`, `/apis/${apiService.spec.group ?? ''}/`] }];
      }),
    get generation() {
      return apiServices.generation + documents.generation;
    },
  };
}
