// PATCH: JSON patch, merge patch, strategic merge patch and server-side apply. The patch is applied
// inside the storage loop to whatever the object is then.

import {
  decodeValue,
  DecodeError,
  encodeJsonText,
  fieldError,
  statusErrors,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  asJson,
  asKubeObject,
} from '@keelson/apimachinery';
import { updateObject, type UpdateRequest } from '../../registry/store-update.ts';
import { reportStrictErrors } from '../decode-body.ts';
import { emptyObject, managerContext, managerName, recordUpdate, servedApiVersion } from '../field-manager.ts';
import { negotiateOutput, singleHeader } from '../negotiation.ts';
import { parseApplyBody, parsePatchBody, type ParsedPatch, type PatchType } from '../patch-body.ts';
import { parsePatchOptions, type PatchRequestOptions } from '../query-options.ts';
import { toServed, toStored, type ResourceRequest } from '../resource-request.ts';
import { respondResource } from '../respond-resource.ts';
import { optionsObject } from '../write-options.ts';
import { dropDuplicateOwners } from './create.ts';
import { checkName } from './update.ts';
import { updateAdmission } from './update-admission.ts';

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

export async function patchResource(request: ResourceRequest): Promise<void> {
  const { context, endpoint, services } = request;
  const scope = endpoint.scope;
  if (scope === undefined) throw statusErrors.methodNotSupported(endpoint.definition, 'patch');
  const type = patchTypeOf(request);
  const format = negotiateOutput(context, endpoint.custom);
  const body = await context.request.body(services.limits.bodyBytesMax);
  const options = parsePatchOptions(context.info.query, type === 'apply');
  const projection = endpoint.projections.get(request.subresource);
  const patch = type === 'apply' ? undefined : parsePatchBody(type, body);
  const applied = type === 'apply' ? parseApplyBody(body) : undefined;
  const admission = updateAdmission(request, options.dryRun, optionsObject('PatchOptions', options));

  const transform = async (existing: KubeObject | undefined): Promise<KubeObject> => {
    const live = existing === undefined ? undefined : await toServed(endpoint, existing);
    const next = applied !== undefined ? applyConfiguration(request, live, applied, options) : applyPatch(request, live, requirePatch(patch), options);
    const admitted = await admission.mutate(await toStored(endpoint, next), existing);
    dropDuplicateOwners(request, admitted);
    return admitted;
  };
  const update: UpdateRequest = {
    user: context.user,
    dryRun: options.dryRun,
    namespace: request.namespace,
    name: request.name,
    warn: (text) => context.warn(text),
    validateAdmission: admission.validate,
    transform,
    subresource: projection === undefined ? endpoint.strategy.subresources?.[request.subresource] : undefined,
    createIfAbsent: type === 'apply' && request.subresource === '',
    expectedUid: undefined,
  };
  const result = await updateObject(scope, update);
  const served = await toServed(endpoint, result.object);
  if (projection !== undefined) return respondResource(request, projection.project(served), 200, { format });
  respondResource(request, served, result.created ? 201 : 200, { entry: result.entry, format });
}

function requirePatch(patch: ParsedPatch | undefined): ParsedPatch {
  if (patch === undefined) throw new Error('unreachable: only apply has no patch');
  return patch;
}

function patchTypeOf(request: ResourceRequest): PatchType {
  const header = singleHeader(request.context.request.headers['content-type']);
  const type = patchTypes[header.split(';')[0]?.trim() ?? ''];
  // COMPAT: the router of kube-apiserver answers these, in its own words.
  if (type === undefined) throw statusErrors.generic(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  if (type === 'strategic' && request.endpoint.custom)
    throw statusErrors.unsupportedMediaType(
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
  return type;
}

function applyPatch(request: ResourceRequest, live: KubeObject | undefined, patch: ParsedPatch, options: PatchRequestOptions): KubeObject {
  const { endpoint, subresource } = request;
  if (live === undefined) throw statusErrors.notFound(endpoint.definition, request.name);
  const projection = endpoint.projections.get(subresource);
  const before = projection === undefined ? live : projection.project(live);
  const patched = patch.apply(asJson(before), projection === undefined ? endpoint.definition.type : undefined);
  const decoded = decodePatched(request, patched, patch, options, projection !== undefined);
  checkName(request, decoded);
  const merged = projection === undefined ? decoded : projection.merge(decoded, live);
  return recordUpdate(request, live, merged, managerName(request, options.fieldManager));
}

/** The patched JSON as an object of the kind; what does not decode is 422, as the patch made it so. */
function decodePatched(request: ResourceRequest, patched: JsonObject, patch: ParsedPatch, options: PatchRequestOptions, projected: boolean): KubeObject {
  const { endpoint, services } = request;
  const shown = () => (patch.type === 'strategic' ? patch.goText : encodeJsonText(patched as JsonValue));
  const refuse = (why: string) => statusErrors.invalid({ group: '', kind: '' }, '', [fieldError.invalid('patch', shown(), why)]);
  if (projected) return asKubeObject(structuredClone(patched));
  if (endpoint.customDecode !== undefined) {
    const { object, unknownFields } = endpoint.customDecode(asKubeObject(patched));
    reportStrictErrors(request, unknownFields, options.fieldValidation, refuse);
    return object;
  }
  try {
    const { value, strictErrors } = decodeValue(patched, endpoint.definition.type, { strict: true });
    const object = asKubeObject(value);
    reportStrictErrors(request, strictErrors, options.fieldValidation, refuse);
    endpoint.versionDefaults?.(object);
    endpoint.strategy.applyDefaults?.(object, services.features);
    return object;
  } catch (error) {
    if (error instanceof DecodeError) throw refuse(error.message);
    throw error;
  }
}

function applyConfiguration(request: ResourceRequest, live: KubeObject | undefined, applied: KubeObject, options: PatchRequestOptions): KubeObject {
  const { endpoint, services } = request;
  const manager = endpoint.fieldManager;
  if (manager === undefined) throw statusErrors.generic(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  if (applied.apiVersion !== servedApiVersion(request) || applied.kind !== endpoint.definition.kind) throw wrongApplyKind(request, applied);
  checkName(request, applied);
  if (endpoint.definition.namespaced) applied.metadata.namespace ??= request.namespace;
  const merged = manager.apply(live ?? emptyObject(request), applied, { ...managerContext(request, options.fieldManager), force: options.force === true });
  const decoded = decodeApplied(request, merged, options);
  endpoint.versionDefaults?.(decoded);
  endpoint.strategy.applyDefaults?.(decoded, services.features);
  return decoded;
}

function decodeApplied(request: ResourceRequest, merged: KubeObject, options: PatchRequestOptions): KubeObject {
  const { endpoint } = request;
  if (endpoint.customDecode !== undefined) {
    const { object, unknownFields } = endpoint.customDecode(merged);
    reportStrictErrors(request, unknownFields, options.fieldValidation, (why) => statusErrors.badRequest(why));
    return object;
  }
  return asKubeObject(decodeValue(asJson(merged), endpoint.definition.type).value);
}

function wrongApplyKind(request: ResourceRequest, applied: KubeObject) {
  if (applied.apiVersion !== servedApiVersion(request))
    return statusErrors.badRequest(`Incorrect version specified in apply patch. Specified patch version: ${applied.apiVersion ?? ''}, expected: ${servedApiVersion(request)}`);
  return statusErrors.badRequest(`Incorrect kind specified in apply patch. Specified patch kind: ${applied.kind ?? ''}, expected: ${request.endpoint.definition.kind}`);
}
