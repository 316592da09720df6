// PUT of an object or of one of its subresources.

import { cloneDecoded, statusErrors, type KubeObject } from '@keelson/apimachinery';
import { updateObject } from '../../registry/store-update.ts';
import { decodeBody } from '../decode-body.ts';
import { emptyObject, managerName, recordUpdate } from '../field-manager.ts';
import { negotiateOutput } from '../negotiation.ts';
import { parseWriteOptions } from '../query-options.ts';
import type { ResourceRequest } from '../resource-request.ts';
import { checkNamespace } from './create.ts';
import { respondUpdated, updateRequest } from './update-request.ts';

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
  const manager = managerName(request, options.fieldManager);
  const update = updateRequest(request, {
    verb: 'update',
    options,
    make(live) {
      const wanted = cloneDecoded(body);
      const merged = projection === undefined ? wanted : projectInto(request, wanted, live);
      return recordUpdate(request, live ?? emptyObject(request), merged, manager);
    },
    createIfAbsent: false,
    expectedUid: body.metadata.uid,
  });
  await respondUpdated(request, await updateObject(scope, update), format);
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
