// PATCH: JSON patch, merge patch, strategic merge patch and server-side apply. The patch is applied
// inside the storage loop to whatever the object is then.

import {
  copyJson,
  decodeValue,
  DecodeError,
  encodeJsonText,
  fieldError,
  fromUnstructured,
  parseApiVersion,
  setOwn,
  StatusError,
  statusErrors,
  typeForKind,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type StructType,
  asJson,
  asKubeObject,
} from '@keelson/apimachinery';
import { plainError } from '../../registry/storage-errors.ts';
import { updateObject } from '../../registry/store-update.ts';
import { internalPackage, reportStrictErrors, schemeOf } from '../decode-body.ts';
import {
  emptyObject,
  managerContext,
  managerName,
  recordUpdate,
  servedApiVersion,
} from '../field-manager.ts';
import { negotiateOutput, singleHeader } from '../negotiation.ts';
import {
  parseApplyBody,
  parseCborApplyBody,
  parsePatchBody,
  type ParsedPatch,
  type PatchType,
} from '../patch-body.ts';
import { parsePatchOptions, type PatchRequestOptions } from '../query-options.ts';
import type { ResourceRequest } from '../resource-request.ts';
import { checkNamespace } from './create.ts';
import { checkName } from './update.ts';
import { respondUpdated, updateRequest } from './update-request.ts';

const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** Only where CBOR is spoken. */
const applyCbor = 'application/apply-patch+cbor';

export async function patchResource(request: ResourceRequest): Promise<void> {
  const { context, endpoint, services } = request;
  const scope = endpoint.scope;
  if (scope === undefined) throw statusErrors.methodNotSupported(endpoint.definition, 'patch');
  const type = patchTypeOf(request);
  const format = negotiateOutput(context, endpoint.custom);
  const body = await context.request.body(services.limits.bodyBytesMax);
  const options = parsePatchOptions(context.info.query, type === 'apply');
  const patch = type === 'apply' ? undefined : parsePatchBody(type, body);
  const applied = type === 'apply' ? readConfiguration(request, body, options) : undefined;

  let namesRevision = false;
  const update = updateRequest(request, {
    verb: 'patch',
    options,
    make(live) {
      const next =
        applied !== undefined
          ? applyConfiguration(request, live, applied, options)
          : applyPatch(request, live, requirePatch(patch), options);
      namesRevision = next.metadata.resourceVersion !== live?.metadata.resourceVersion;
      return next;
    },
    createIfAbsent: type === 'apply' && request.subresource === '',
    expectedUid: undefined,
  });
  const result = await retryConflicts(
    () => updateObject(scope, update),
    () => !namesRevision,
    services.limits.patchConflictRetriesMax,
  );
  await respondUpdated(request, result, format);
}

/**
 * A patch says what to change, not of which revision: when another write came first it is applied
 * again to what that made. One that names a revision can never fit another.
 */
async function retryConflicts<T>(
  attempt: () => Promise<T>,
  isWorthwhile: () => boolean,
  retriesMax: number,
): Promise<T> {
  for (let retries = 0; ; retries++) {
    try {
      return await attempt();
    } catch (error) {
      const status = error instanceof StatusError ? error.status : undefined;
      // With causes it is a conflict of field managers, which trying again does not settle.
      const isConflict = status?.reason === 'Conflict' && status.details?.causes === undefined;
      if (!isConflict || !isWorthwhile() || retries >= retriesMax) throw error;
    }
  }
}

function readConfiguration(
  request: ResourceRequest,
  body: Uint8Array,
  options: PatchRequestOptions,
): KubeObject {
  const parse = contentType(request) === applyCbor ? parseCborApplyBody : parseApplyBody;
  const { object, strictError } = parse(body);
  if (strictError !== undefined) {
    if (options.fieldValidation === 'Strict')
      throw statusErrors.badRequest(
        `error strict decoding YAML: error converting YAML to JSON: ${strictError}`,
      );
    reportStrictErrors(request, [strictError], options.fieldValidation, (why) =>
      statusErrors.badRequest(why),
    );
  }
  return object;
}

function requirePatch(patch: ParsedPatch | undefined): ParsedPatch {
  if (patch === undefined) throw new Error('unreachable: only apply has no patch');
  return patch;
}

function contentType({ context }: ResourceRequest): string {
  const header = singleHeader(context.request.headers['content-type']);
  return header.split(';')[0]?.trim() ?? '';
}

function patchTypeOf(request: ResourceRequest): PatchType {
  const { context } = request;
  const given = contentType(request);
  const type = given === applyCbor && context.cbor === true ? 'apply' : patchTypes[given];
  // COMPAT: the router of kube-apiserver answers these, in its own words.
  if (type === undefined)
    throw statusErrors.generic(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  if (type === 'strategic' && request.endpoint.custom)
    throw statusErrors.unsupportedMediaType(
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml' +
        (context.cbor === true ? `, ${applyCbor}` : ''),
    );
  return type;
}

function applyPatch(
  request: ResourceRequest,
  live: KubeObject | undefined,
  patch: ParsedPatch,
  options: PatchRequestOptions,
): KubeObject {
  const { endpoint, subresource } = request;
  if (live === undefined) throw statusErrors.notFound(endpoint.definition, request.name);
  const projection = endpoint.projections.get(subresource);
  const before = projection === undefined ? live : projection.project(live);
  const patched = patch.apply(
    asJson(before),
    projection === undefined ? endpoint.definition.type : undefined,
  );
  const decoded =
    projection === undefined
      ? decodePatched(request, { patched, before: asJson(before) }, patch, options)
      : asKubeObject(copyJson(patched));
  checkNamespace(request, decoded);
  checkName(request, decoded);
  const merged = projection === undefined ? decoded : projection.merge(decoded, live);
  return recordUpdate(request, live, merged, managerName(request, options.fieldManager));
}

/** The patched JSON as an object of the kind; what does not decode is 422, as the patch made it so. */
function decodePatched(
  request: ResourceRequest,
  { patched, before }: { readonly patched: JsonObject; readonly before: JsonObject },
  patch: ParsedPatch,
  options: PatchRequestOptions,
): KubeObject {
  const { endpoint, services } = request;
  const shown = () =>
    patch.type === 'strategic' ? patch.goText : encodeJsonText(patched as JsonValue);
  const refuse = (why: string) =>
    statusErrors.invalid({ group: '', kind: '' }, '', [fieldError.invalid('patch', shown(), why)]);
  if (endpoint.customDecode !== undefined) {
    const { object, unknownFields } = endpoint.customDecode(asKubeObject(patched));
    reportStrictErrors(request, unknownFields, options.fieldValidation, refuse);
    endpoint.strategy.applyDefaults?.(object, services.features);
    return object;
  }
  try {
    const { type } = endpoint.definition;
    const isStrategic = patch.type === 'strategic';
    if (!isStrategic) checkPatchedKind(request, patched, refuse);
    const { changed, same } = partsOf(patched, before);
    const json = isStrategic ? fromUnstructured(changed, type) : changed;
    const { value, strictErrors } = decodeValue(json, type, { strict: true });
    const object = asKubeObject(inFieldOrder({ ...value, ...copyJson(same) }, type));
    reportStrictErrors(request, strictErrors, options.fieldValidation, refuse);
    endpoint.versionDefaults?.(object);
    endpoint.strategy.applyDefaults?.(object, services.features);
    return object;
  } catch (error) {
    if (error instanceof DecodeError) throw refuse(error.message);
    throw error;
  }
}

/**
 * Members that a patch has left alone are decoded already, and nearly all of an object when a patch
 * is of its status.
 */
function partsOf(patched: JsonObject, before: JsonObject) {
  const changed: JsonObject = {};
  const same: JsonObject = {};
  for (const name in patched) {
    const value = patched[name];
    const isSame = Object.hasOwn(before, name) && before[name] === value;
    setOwn(isSame ? same : changed, name, value);
  }
  return { changed, same };
}

function inFieldOrder(object: JsonObject, { fields }: StructType): JsonObject {
  return Object.fromEntries(
    fields.filter(({ name }) => object[name] !== undefined).map(({ name }) => [name, object[name]]),
  );
}

/** A patch that changes apiVersion or kind makes another object of it, which is none of this resource. */
function checkPatchedKind(
  request: ResourceRequest,
  patched: JsonObject,
  refuse: (why: string) => StatusError,
): void {
  const { definition } = request.endpoint;
  const apiVersion = typeof patched['apiVersion'] === 'string' ? patched['apiVersion'] : '';
  const kind = typeof patched['kind'] === 'string' ? patched['kind'] : '';
  if (
    (apiVersion === '' || apiVersion === servedApiVersion(request)) &&
    (kind === '' || kind === definition.kind)
  )
    return;
  const gv = parseApiVersion(apiVersion);
  const type = gv === undefined ? undefined : typeForKind({ ...gv, kind });
  if (type === undefined)
    throw refuse(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme ${JSON.stringify(schemeOf(definition))}`,
    );
  decodeValue(patched, type);
  throw refuse(
    `converting (${gv?.version}.${kind}) to (${internalPackage(definition)}.${definition.kind}): unknown conversion`,
  );
}

function applyConfiguration(
  request: ResourceRequest,
  live: KubeObject | undefined,
  applied: KubeObject,
  options: PatchRequestOptions,
): KubeObject {
  const { endpoint, services } = request;
  const manager = endpoint.fieldManager;
  if (manager === undefined)
    throw statusErrors.generic(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  const merged = manager.apply(live ?? emptyObject(request), applied, {
    ...managerContext(request, options.fieldManager),
    force: options.force === true,
  });
  if (live === undefined) checkNew(request, applied);
  const decoded = decodeApplied(request, merged, options);
  checkNamespace(request, decoded);
  checkName(request, decoded);
  endpoint.versionDefaults?.(decoded);
  endpoint.strategy.applyDefaults?.(decoded, services.features);
  return decoded;
}

function decodeApplied(
  request: ResourceRequest,
  merged: KubeObject,
  options: PatchRequestOptions,
): KubeObject {
  const { endpoint } = request;
  if (endpoint.customDecode !== undefined) {
    const { object, unknownFields } = endpoint.customDecode(merged);
    reportStrictErrors(request, unknownFields, options.fieldValidation, (why) =>
      statusErrors.badRequest(why),
    );
    return object;
  }
  const { type } = endpoint.definition;
  try {
    return asKubeObject(decodeValue(fromUnstructured(asJson(merged), type), type).value);
  } catch (error) {
    if (error instanceof DecodeError) throw plainError(unconvertible(merged, error.message));
    throw error;
  }
}

/** COMPAT: what fits the schema and still no Go type, such as half a replica, is answered 500. */
function unconvertible({ apiVersion = '', kind }: KubeObject, why: string): string {
  return `failed to convert new object to proper version: unable to convert unstructured object to ${apiVersion}, Kind=${kind}: ${why}`;
}

/** An apply that creates must say what it creates, and cannot mean an object that existed before. */
function checkNew(request: ResourceRequest, applied: KubeObject): void {
  const { definition } = request.endpoint;
  if (!applied.metadata.name)
    throw statusErrors.badRequest(
      `the name of the object (${request.name} based on URL) was undeterminable: name must be provided`,
    );
  const { uid } = applied.metadata;
  if (uid)
    throw statusErrors.conflict(
      definition,
      request.name,
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    );
}
