// PUT of an object or of one of its subresources.

import {
  cloneDecoded,
  keepTimesIfUnchanged,
  statusErrors,
  type KubeObject,
} from '@keelson/apimachinery';
import { withConversions } from '../../registry/apiextensions/conversion/pending-conversion.ts';
import { updateObject, type UpdateRequest } from '../../registry/store-update.ts';
import { decodeBody } from '../decode-body.ts';
import { emptyObject, managerName, recordUpdate } from '../field-manager.ts';
import { negotiateOutput } from '../negotiation.ts';
import { parseWriteOptions } from '../query-options.ts';
import { toServed, toStored, type ResourceRequest } from '../resource-request.ts';
import { respondResource } from '../respond-resource.ts';
import { checkNamespace, dropDuplicateOwners } from './create.ts';
import { updateAdmission } from './update-admission.ts';

export async function updateResource(request: ResourceRequest): Promise<void> {
  const { context, endpoint } = request;
  const scope = endpoint.scope;
  if (scope === undefined) throw statusErrors.methodNotSupported(endpoint.definition, 'update');
  const format = negotiateOutput(context, endpoint.custom);
  const options = parseWriteOptions(context.info.query, 'UpdateOptions');
  const projection = endpoint.projections.get(request.subresource);
  const bodyKind =
    projection === undefined
      ? endpoint.definition
      : (endpoint.definition.subresources.find((s) => s.name === request.subresource)?.gvk ??
        endpoint.definition);
  const body = await decodeBody(request, bodyKind, options.fieldValidation);
  checkName(request, body);
  checkNamespace(request, body);
  const admission = updateAdmission(request, options);
  const manager = managerName(request, options.fieldManager);

  const transform = async (existing: KubeObject | undefined): Promise<KubeObject> => {
    const servedOld = existing === undefined ? undefined : await toServed(endpoint, existing);
    const wanted = cloneDecoded(body);
    const merged = projection === undefined ? wanted : projectInto(request, wanted, servedOld);
    const marked = await withConversions(() =>
      recordUpdate(request, servedOld ?? emptyObject(request), merged, manager),
    );
    const admitted = await admission.mutate(await toStored(endpoint, marked), existing);
    dropDuplicateOwners(request, admitted);
    return existing === undefined ? admitted : keepTimesIfUnchanged(existing, admitted);
  };
  const update: UpdateRequest = {
    user: context.user,
    trace: context.trace,
    dryRun: options.dryRun,
    namespace: request.namespace,
    name: request.name,
    warn: (text) => context.warn(text),
    validateAdmission: admission.validate,
    transform,
    subresource:
      projection === undefined ? endpoint.strategy.subresources?.[request.subresource] : undefined,
    createIfAbsent: false,
    expectedUid: body.metadata.uid,
  };
  const result = await updateObject(scope, update);
  const served = await toServed(endpoint, result.object);
  if (projection !== undefined)
    return respondResource(request, projection.project(served), 200, { format });
  respondResource(request, served, result.created ? 201 : 200, { entry: result.entry, format });
}

function projectInto(
  request: ResourceRequest,
  projection: KubeObject,
  parent: KubeObject | undefined,
): KubeObject {
  const handler = request.endpoint.projections.get(request.subresource);
  if (parent === undefined || handler === undefined)
    throw statusErrors.notFound(request.endpoint.definition, request.name);
  return handler.merge(projection, parent);
}

/** The name of body and URL must agree; an absent one is filled in. */
export function checkName(request: ResourceRequest, object: KubeObject): void {
  const given = object.metadata.name ?? '';
  if (given === '') object.metadata.name = request.name;
  else if (given !== request.name)
    throw statusErrors.badRequest(
      `the name of the object (${given}) does not match the name on the URL (${request.name})`,
    );
}
