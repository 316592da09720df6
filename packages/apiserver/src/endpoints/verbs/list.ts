// LIST: selectors, pages and revisions. What is answered is made in `list-answer.ts`.

import { statusErrors, type KubeObject } from '@keelson/apimachinery';
import { interpretStorageError, tooLargeResourceVersion } from '../../registry/storage-errors.ts';
import { storagePrefix, type StoreScope } from '../../registry/store-types.ts';
import { isStorageError, type ListResult, type StoredEntry } from '../../storage/storage.ts';
import { decodeContinueToken, encodeContinueToken } from '../continue-token.ts';
import type { ShownObject } from '../internal-object.ts';
import { negotiateOutput } from '../negotiation.ts';
import { assertShape } from '../partial-metadata.ts';
import { parseListOptions, type ListRequestOptions } from '../query-options.ts';
import { untilRevision, type ResourceRequest } from '../resource-request.ts';
import { parsePredicate, type ObjectPredicate } from '../selectors.ts';
import { respondList, respondShaped } from './list-answer.ts';

export interface Page {
  readonly entries: readonly StoredEntry[];
  readonly revision: number;
  readonly continue: string;
  /** Known only without selectors. */
  readonly remaining: number | undefined;
  /** Told to the client, who otherwise could not know that the list is a part. */
  readonly shardSelector?: string;
}

export async function listResource(request: ResourceRequest): Promise<void> {
  const { context, endpoint } = request;
  const options = parseListOptions(context.info.query, false, request.services.features);
  const format = negotiateOutput(context, endpoint.custom);
  const predicate = parsePredicate(endpoint, options);
  const scope = endpoint.scope;
  if (endpoint.readHandler !== undefined) {
    const made = (await endpoint.readHandler.list()).filter(
      (object) => predicate.isEmpty || predicate.matches(object),
    );
    assertShape(request, format, true);
    return respondShaped(request, made.map(shownAsMade), unstoredPage, format);
  }
  if (scope === undefined) throw statusErrors.methodNotSupported(endpoint.definition, 'list');
  const page = await readPage(request, scope, options, predicate);
  const { shardSelector } = options;
  return respondList(request, shardSelector === '' ? page : { ...page, shardSelector }, format);
}

/** What is made when somebody asks has no revision. */
const unstoredPage: Page = { entries: [], revision: 0, continue: '', remaining: undefined };
const shownAsMade = (object: KubeObject): ShownObject => ({ stored: object, served: object });

/** One page; throws 410 when its revision is gone. */
export async function readPage(
  request: ResourceRequest,
  scope: StoreScope,
  options: ListRequestOptions,
  predicate: ObjectPredicate,
): Promise<Page> {
  const { prefix, key } = listRange(request, scope, predicate);
  await untilRevision(request, options.resourceVersion);
  // COMPAT: a single object has no second page, so nobody looks at the token.
  const start = startOf(key === undefined ? options : { ...options, continue: '' }, scope, prefix);
  if (key !== undefined) return readSingle(scope, key, predicate, start.revision);
  // COMPAT: like the watch cache, a list from any revision is not cut into pages.
  const limit = options.limit > 0 && options.resourceVersion !== '0' ? options.limit : Infinity;
  const entries: StoredEntry[] = [];
  let after = start.after;
  let result: ListResult;
  let remaining: number;
  // With selectors a page is filled from as many stretches of the store as it takes.
  do {
    result = await listStretch(scope, prefix, { revision: start.revision, after, limit }, options);
    remaining = result.remaining;
    for (const [i, entry] of result.entries.entries()) {
      after = entry.key;
      if (predicate.isEmpty || predicate.matches(entry.object)) entries.push(entry);
      if (entries.length >= limit) {
        remaining += result.entries.length - 1 - i;
        break;
      }
    }
  } while (remaining > 0 && entries.length < limit && result.entries.length > 0);
  const last = entries.at(-1);
  if (remaining === 0 || last === undefined)
    return { entries, revision: result.revision, continue: '', remaining: undefined };
  const token = encodeContinueToken({
    revision: result.revision,
    start: last.key.slice(prefix.length),
  });
  return {
    entries,
    revision: result.revision,
    continue: token,
    remaining: predicate.isEmpty ? remaining : undefined,
  };
}

/** The stretch of the store that can hold matches: a namespace, everything, or a single key. */
function listRange(
  request: ResourceRequest,
  scope: StoreScope,
  predicate: ObjectPredicate,
): { prefix: string; key?: string } {
  const { definition } = request.endpoint;
  const name = predicate.fields.exactValue('metadata.name');
  const namespace =
    request.namespace !== ''
      ? request.namespace
      : (predicate.fields.exactValue('metadata.namespace') ?? '');
  const prefix = storagePrefix(scope, isPathSegment(namespace) ? namespace : request.namespace);
  const located =
    name !== undefined &&
    isPathSegment(name) &&
    (!definition.namespaced || (namespace !== '' && isPathSegment(namespace)));
  return located ? { prefix, key: prefix + name } : { prefix };
}
const isPathSegment = (text: string) => text !== '' && !text.includes('/');

async function readSingle(
  scope: StoreScope,
  key: string,
  predicate: ObjectPredicate,
  revision: number | undefined,
): Promise<Page> {
  const now = scope.storage.revision();
  const entry = await readEntry(scope, key, revision === now ? undefined : revision);
  const entries = entry !== undefined && predicate.matches(entry.object) ? [entry] : [];
  return { entries, revision: revision ?? now, continue: '', remaining: undefined };
}

/** The entry as it is, or as it was at `revision`. */
async function readEntry(
  scope: StoreScope,
  key: string,
  revision: number | undefined,
): Promise<StoredEntry | undefined> {
  if (revision === undefined) return scope.storage.get(key);
  const prefix = key.slice(0, key.lastIndexOf('/') + 1);
  try {
    const { entries } = await scope.storage.list(prefix, { revision });
    return entries.find((e) => e.key === key);
  } catch (error) {
    throw interpretStorageError(error, scope.definition, '');
  }
}

async function listStretch(
  scope: StoreScope,
  prefix: string,
  stretch: { revision: number | undefined; after: string | undefined; limit: number },
  options: ListRequestOptions,
): Promise<ListResult> {
  try {
    return await scope.storage.list(prefix, {
      ...(stretch.revision === undefined ? {} : { revision: stretch.revision }),
      ...(stretch.after === undefined ? {} : { after: stretch.after }),
      ...(Number.isFinite(stretch.limit) ? { limit: stretch.limit } : {}),
    });
  } catch (error) {
    if (isStorageError(error, 'compacted') && options.continue !== '')
      throw expiredContinue(prefix, stretch.after ?? '');
    throw interpretStorageError(error, scope.definition, '');
  }
}

// COMPAT: the client may go on with an inconsistent list from the key where it stopped.
function expiredContinue(prefix: string, after: string) {
  const error = statusErrors.expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  error.status.metadata.continue = encodeContinueToken({
    revision: -1,
    start: after.slice(prefix.length),
  });
  return error;
}

/** Which revision to read, and after which key. */
function startOf(
  options: ListRequestOptions,
  scope: StoreScope,
  prefix: string,
): { revision: number | undefined; after: string | undefined } {
  const rv = options.resourceVersion;
  if (options.continue !== '') {
    const token = decodeContinueToken(options.continue);
    if (rv !== '' && rv !== '0')
      throw statusErrors.badRequest(
        'specifying resource version is not allowed when using continue',
      );
    return {
      revision: token.revision > 0 ? token.revision : undefined,
      after: prefix + token.start,
    };
  }
  if (rv === '') return { revision: undefined, after: undefined };
  if (!/^\d+$/.test(rv))
    throw statusErrors.badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(rv)}: strconv.ParseUint: parsing ${JSON.stringify(rv)}: invalid syntax`,
    );
  const wanted = Number(rv);
  const current = scope.storage.revision();
  if (wanted > current) throw tooLargeResourceVersion(rv, current);
  // COMPAT: a limited list at a revision, without saying how it is meant, is a list at exactly that
  // revision.
  const exact =
    options.resourceVersionMatch === 'Exact' ||
    (options.resourceVersionMatch === '' && options.limit > 0);
  return { revision: exact && wanted > 0 ? wanted : undefined, after: undefined };
}
