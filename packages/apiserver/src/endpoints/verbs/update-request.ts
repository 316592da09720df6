// What PUT and PATCH have in common: the new object is made inside the storage's loop, from whatever
// is stored then, is admitted, and is answered as the resource or as the projection of a subresource.

import { keepTimesIfUnchanged, type KubeObject } from '@keelson/apimachinery';
import { withConversions } from '../../registry/apiextensions/conversion/pending-conversion.ts';
import type { UpdateRequest } from '../../registry/store-update.ts';
import type { WriteResult } from '../../registry/store-types.ts';
import type { OutputFormat } from '../negotiation.ts';
import type { WriteOptions } from '../query-options.ts';
import { toServed, toStored, type ResourceRequest } from '../resource-request.ts';
import { respondResource } from '../respond-resource.ts';
import { dropDuplicateOwners } from './create.ts';
import { updateAdmission } from './update-admission.ts';

export interface UpdateSubject extends Pick<UpdateRequest, 'createIfAbsent' | 'expectedUid'> {
  readonly verb: 'update' | 'patch';
  readonly options: WriteOptions;
  /**
   * The object as the client wants it, in the served version, from what is there (undefined:
   * nothing). May be called again, and changes nothing but the object that it returns.
   */
  make(live: KubeObject | undefined): KubeObject;
}

export function updateRequest(request: ResourceRequest, subject: UpdateSubject): UpdateRequest {
  const { context, endpoint } = request;
  const { verb, options, make, createIfAbsent, expectedUid } = subject;
  const admission = updateAdmission(request, options);
  const isProjected = endpoint.projections.has(request.subresource);
  return {
    user: context.user,
    verb,
    trace: context.trace,
    dryRun: options.dryRun,
    namespace: request.namespace,
    name: request.name,
    warn: (text) => context.warn(text),
    validateAdmission: admission.validate,
    async transform(existing) {
      const live = existing === undefined ? undefined : await toServed(endpoint, existing);
      const wanted = await withConversions(() => make(live));
      const admitted = await admission.mutate(await toStored(endpoint, wanted), existing);
      dropDuplicateOwners(request, admitted);
      return existing === undefined ? admitted : keepTimesIfUnchanged(existing, admitted);
    },
    subresource: isProjected ? undefined : endpoint.strategy.subresources?.[request.subresource],
    createIfAbsent,
    expectedUid,
  };
}

export async function respondUpdated(
  request: ResourceRequest,
  { object, entry, created }: WriteResult,
  format: OutputFormat,
): Promise<void> {
  const { endpoint, subresource } = request;
  const served = await toServed(endpoint, object);
  const projection = endpoint.projections.get(subresource);
  if (projection !== undefined)
    return respondResource(request, projection.project(served), 200, { format });
  respondResource(request, served, created ? 201 : 200, { entry, format });
}
