// Keeps what is known of every extension server: its resources, its OpenAPI documents. Read when it
// becomes available, when its APIService changes, and once a minute; what was read stays while it
// does not answer.

import type { Clock } from '@keelson/apimachinery';
import type { APIService } from '@keelson/apimachinery/types/apiregistration.k8s.io.v1';
import type { RemoteVersion } from '../endpoints/discovery/registrations.ts';
import type { Features } from '../features/features.ts';
import type { Logger } from '../logger.ts';
import { isAvailable, type ApiServiceTable } from './api-service-table.ts';
import type { Backends } from './backends.ts';
import { fetchDocument, type DocumentRequest, type FetchedDocument } from './fetch-document.ts';
import { aggregatedAccept, resourcesOfAggregated, resourcesOfList } from './remote-discovery.ts';
import { discoveryPath } from './availability-check.ts';
import { asObject, asText, parseJson } from './untyped.ts';

export interface RemoteDocumentsOptions {
  readonly apiServices: ApiServiceTable;
  readonly backends: Backends;
  readonly features: Features;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface RemoteDocuments {
  discovery(apiService: APIService): RemoteVersion;
  /** Hash under which the server lists its OpenAPI document of version 3, when it has one. */
  openApiHash(apiService: APIService): string | undefined;
  /** Its whole OpenAPI document of version 2. */
  openApiV2(apiService: APIService): object | undefined;
  /** Reads anew, soon. */
  refresh(apiService: APIService): void;
  /** Grows when any of the answers above may be another. */
  readonly generation: number;
}

interface Known {
  readonly uid: string;
  readonly resources?: readonly object[];
  readonly openApiHash?: string;
  readonly openApiV2?: object;
  readonly openApiV2Etag?: string;
}

const refreshMs = 60_000;

/** Reads once a minute until the signal is aborted. */
export function createRemoteDocuments(options: RemoteDocumentsOptions): RemoteDocuments {
  const { apiServices, clock, signal, logger } = options;
  const known = new Map<string, Known>();
  const reading = new Set<string>();
  let generation = 0;
  const nameOf = ({ metadata }: APIService) => metadata.name ?? '';
  const find = (apiService: APIService): Known | undefined => {
    const found = known.get(nameOf(apiService));
    return found?.uid === apiService.metadata.uid ? found : undefined;
  };
  const refresh = (apiService: APIService): void => {
    const name = nameOf(apiService);
    if (apiService.spec.service === undefined || reading.has(name) || signal.aborted) return;
    reading.add(name);
    read(apiService, find(apiService), options)
      .then((next) => {
        if (JSON.stringify(next) !== JSON.stringify(known.get(name))) generation++;
        known.set(name, next);
      })
      .catch((error: unknown) =>
        logger.debug('an extension API server did not say what it serves', {
          name,
          error: String(error),
        }),
      )
      .finally(() => reading.delete(name));
  };
  let cancel = () => {};
  const schedule = () => {
    cancel = clock.after(refreshMs, () => {
      for (const name of known.keys())
        if (!apiServices.list().some((one) => nameOf(one) === name)) known.delete(name);
      for (const apiService of apiServices.list()) if (isAvailable(apiService)) refresh(apiService);
      schedule();
    });
  };
  schedule();
  signal.addEventListener('abort', () => cancel(), { once: true });
  return {
    refresh,
    discovery(apiService) {
      const resources = find(apiService)?.resources;
      return resources === undefined
        ? { freshness: 'Stale' }
        : { resources, freshness: isAvailable(apiService) ? 'Current' : 'Stale' };
    },
    openApiHash: (apiService) => find(apiService)?.openApiHash,
    openApiV2: (apiService) => find(apiService)?.openApiV2,
    get generation() {
      return generation;
    },
  };
}

type Fetch = (request: DocumentRequest) => Promise<FetchedDocument>;

async function read(
  apiService: APIService,
  before: Known | undefined,
  { backends, features, clock }: RemoteDocumentsOptions,
): Promise<Known> {
  const fetch: Fetch = (request) =>
    fetchDocument(backends.trusted(apiService), request, { features, clock });
  const resources = await readResources(apiService, fetch);
  return {
    uid: apiService.metadata.uid ?? '',
    ...(resources === undefined ? {} : { resources }),
    ...(await readOpenApiV3(apiService, fetch)),
    ...(await readOpenApiV2(before, fetch)),
  };
}

async function readResources(
  apiService: APIService,
  fetch: Fetch,
): Promise<readonly object[] | undefined> {
  const prefix = apiService.metadata.name === 'v1.' ? '/api' : '/apis';
  const aggregated = await fetch({ path: prefix, accept: aggregatedAccept });
  if (aggregated.status === 200 && aggregated.contentType.includes('as=APIGroupDiscoveryList')) {
    const resources = resourcesOfAggregated(parseJson(aggregated.bytes), apiService);
    if (resources !== undefined) return resources;
  }
  const list = await fetch({ path: discoveryPath(apiService), accept: 'application/json' });
  if (list.status !== 200)
    throw new Error(`bad status of ${discoveryPath(apiService)}: ${list.status}`);
  return resourcesOfList(parseJson(list.bytes), apiService);
}

async function readOpenApiV3(apiService: APIService, fetch: Fetch): Promise<Partial<Known>> {
  const { status, bytes } = await fetch({ path: '/openapi/v3', accept: 'application/json' });
  if (status !== 200) return {};
  const paths = asObject(asObject(parseJson(bytes))['paths']);
  const entry = asObject(paths[discoveryPath(apiService).slice(1)]);
  const url = asText(entry['serverRelativeURL']);
  if (url === '') return {};
  return { openApiHash: new URL(url, 'https://server').searchParams.get('hash') ?? '' };
}

async function readOpenApiV2(before: Known | undefined, fetch: Fetch): Promise<Partial<Known>> {
  const { openApiV2, openApiV2Etag } = before ?? {};
  const answer = await fetch({
    path: '/openapi/v2',
    accept: 'application/json',
    ...(openApiV2Etag === undefined ? {} : { known: openApiV2Etag }),
  });
  if (answer.status === 304 && openApiV2 !== undefined && openApiV2Etag !== undefined)
    return { openApiV2, openApiV2Etag };
  if (answer.status !== 200) return {};
  const document = asObject(parseJson(answer.bytes));
  if (Object.keys(document).length === 0) return {};
  return {
    openApiV2: document,
    ...(answer.etag === '' ? {} : { openApiV2Etag: answer.etag }),
  };
}
