// DELETE of one object and of a collection.

import { statusErrors, type KubeObject, type Status } from '@keelson/apimachinery';
import {
  deleteObject,
  type DeleteObjectRequest,
  type DeleteResult,
} from '../../registry/store-delete.ts';
import { decodeDeleteOptions } from '../decode-body.ts';
import type { ShownObject } from '../internal-object.ts';
import { negotiateOutput } from '../negotiation.ts';
import { assertShape } from '../partial-metadata.ts';
import { parseDeleteQuery, parseListOptions, type DeleteRequestOptions } from '../query-options.ts';
import { admissionAttributes, toServed, type ResourceRequest } from '../resource-request.ts';
import { respondObject } from '../respond.ts';
import { respondResource } from '../respond-resource.ts';
import { parsePredicate } from '../selectors.ts';
import { shapeList } from './list-answer.ts';
import { readPage } from './list.ts';

export async function deleteResource(request: ResourceRequest): Promise<void> {
  const { context, endpoint } = request;
  const format = negotiateOutput(context, endpoint.custom);
  const options = await readDeleteOptions(request);
  const result = await deleteOne(request, request, options);
  const body = isStatus(result.body) ? result.body : await toServed(endpoint, result.body);
  // COMPAT: only the old way to ask for a cascade is answered 202 while the object stays.
  const accepted = !result.deletedNow && options.orphanDependents === false;
  respondResource(request, body as KubeObject, accepted ? 202 : 200, {
    entry: result.entry,
    format,
  });
}

/** Deletes what the selectors match, one by one; answers with the list of what was deleted. */
export async function deleteCollection(request: ResourceRequest): Promise<void> {
  const { context, endpoint } = request;
  const scope = endpoint.scope;
  if (scope === undefined)
    throw statusErrors.methodNotSupported(endpoint.definition, 'deletecollection');
  const format = negotiateOutput(context, endpoint.custom);
  const given = parseListOptions(context.info.query, false, request.services.features);
  // COMPAT: collections are always deleted page by page, which makes the list a limited one.
  const list = given.limit > 0 ? given : { ...given, limit: Number.MAX_SAFE_INTEGER };
  const predicate = parsePredicate(endpoint, list);
  const options = await readDeleteOptions(request);
  const page = await readPage(request, scope, list, predicate);
  const deleted: ShownObject[] = [];
  for (const { object } of page.entries) {
    const { name = '', namespace = '' } = object.metadata;
    try {
      await deleteOne(request, { name, namespace }, options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    deleted.push({ stored: object, served: await toServed(endpoint, object) });
  }
  assertShape(request, format, true);
  const answer = shapeList(request, deleted, { ...page, remaining: undefined }, format);
  respondObject(context, answer, 200, format);
}

async function deleteOne(
  request: ResourceRequest,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  options: DeleteRequestOptions,
): Promise<DeleteResult> {
  const { context, endpoint, services } = request;
  const scope = endpoint.scope;
  if (scope === undefined) throw statusErrors.methodNotSupported(endpoint.definition, 'delete');
  const subject = {
    operation: 'DELETE' as const,
    object: undefined,
    dryRun: options.dryRun,
    options: deleteOptionsObject(options),
  };
  // COMPAT: admission is not told which object of a collection it is, but by the object itself.
  const admitted: ResourceRequest = { ...request, namespace };
  const deletion: DeleteObjectRequest = {
    user: context.user,
    trace: context.trace,
    dryRun: options.dryRun,
    namespace,
    name,
    options,
    served: endpoint.definition,
    warn: (text) => context.warn(text),
    validateAdmission: async (_object, old) => {
      if (!services.admission.handles('DELETE')) return;
      const attributes = admissionAttributes(admitted, { ...subject, oldObject: old });
      await services.admission.mutate(attributes);
      await services.admission.validate(attributes);
    },
  };
  return deleteObject(scope, deletion);
}

/** From the body when there is one, else from the query. */
async function readDeleteOptions(request: ResourceRequest): Promise<DeleteRequestOptions> {
  const { context, services } = request;
  const body = await context.request.body(services.limits.bodyBytesMax);
  return body.byteLength > 0
    ? decodeDeleteOptions(request, body)
    : parseDeleteQuery(context.info.query);
}

function deleteOptionsObject(options: DeleteRequestOptions): KubeObject {
  const preconditions = {
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.resourceVersion === undefined ? {} : { resourceVersion: options.resourceVersion }),
  };
  return {
    kind: 'DeleteOptions',
    apiVersion: 'meta.k8s.io/v1',
    ...(options.gracePeriodSeconds === undefined
      ? {}
      : { gracePeriodSeconds: options.gracePeriodSeconds }),
    ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }),
    ...(options.orphanDependents === undefined
      ? {}
      : { orphanDependents: options.orphanDependents }),
    ...(options.propagationPolicy === undefined
      ? {}
      : { propagationPolicy: options.propagationPolicy }),
    ...(options.dryRun ? { dryRun: ['All'] } : {}),
  } as unknown as KubeObject;
}

const isStatus = (body: KubeObject | Status): body is Status =>
  body.kind === 'Status' && body.apiVersion === 'v1';
const isNotFound = (error: unknown) =>
  error instanceof Error && 'reason' in error && error.reason === 'NotFound';
