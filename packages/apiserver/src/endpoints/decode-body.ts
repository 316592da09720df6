// The body of a write as an object of the expected kind: negotiate, parse, check apiVersion and
// kind, decode with field validation, default. Texts are those of kube-apiserver's decoders.

import {
  asKubeObject,
  decodeCbor,
  DecodeError,
  decodeObject,
  decodeProtobufMessage,
  decodeValue,
  decodeYamlObject,
  formatApiVersion,
  parseApiVersion,
  isJsonObject,
  parseJsonObject,
  parseYaml,
  readProtobufEnvelope,
  readTypeMeta,
  statusErrors,
  typeForKind,
  type GroupVersionKind,
  type JsonObject,
  type KubeObject,
  type StatusError,
  type StructType,
} from '@keelson/apimachinery';
import { negotiateInput, type MediaType } from './negotiation.ts';
import {
  assertDeleteOptions,
  dryRunErrors,
  type DeleteRequestOptions,
  type FieldValidation,
} from './query-options.ts';
import type { ResourceRequest } from './resource-request.ts';
import { isRetiredKind } from './retired-kinds.ts';

/** What a body must be. Other versions are taken for the expected one when it says so. */
export interface ExpectedKind extends GroupVersionKind {
  readonly acceptedVersions?: readonly string[];
}

/** Throws 400, 413 or 415. The object has `metadata`, and the expected apiVersion and kind. */
export async function decodeBody(
  request: ResourceRequest,
  expected: ExpectedKind,
  fieldValidation: FieldValidation,
): Promise<KubeObject> {
  const { context, endpoint, services } = request;
  const mediaType = negotiateInput(context, endpoint.custom);
  const body = await context.request.body(services.limits.bodyBytesMax);
  const parsed =
    endpoint.customDecode !== undefined && expected.kind === endpoint.definition.kind
      ? decodeCustom(request, body, mediaType, expected)
      : decodeBuiltin(body, mediaType, expected);
  const subject = `${expected.kind} in version ${JSON.stringify(expected.version)} cannot be handled as a ${expected.kind}`;
  reportStrictErrors(request, parsed.strictErrors, fieldValidation, (why) =>
    statusErrors.badRequest(`${subject}: ${why}`),
  );
  const object = parsed.object;
  object.metadata ??= {};
  if (expected.kind === endpoint.definition.kind) {
    endpoint.versionDefaults?.(object);
    endpoint.strategy.applyDefaults?.(object, services.features);
  }
  return object;
}

/** Unknown and duplicate fields: an error, warnings or nothing, as the client wants it. */
export function reportStrictErrors(
  request: ResourceRequest,
  errors: readonly string[],
  fieldValidation: FieldValidation,
  refuse: (why: string) => StatusError,
): void {
  if (errors.length === 0 || fieldValidation === 'Ignore') return;
  if (fieldValidation === 'Strict') throw refuse(`strict decoding error: ${errors.join(', ')}`);
  for (const text of errors) for (const line of warningLines(text)) request.context.warn(line);
}

/**
 * COMPAT: what the YAML library found comes as one text with a line each; each is a warning of its
 * own.
 */
function warningLines(text: string): string[] {
  if (!text.startsWith('yaml: unmarshal errors:\n')) return [text];
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
}

interface Decoded {
  readonly object: KubeObject;
  readonly strictErrors: readonly string[];
}

function decodeBuiltin(body: Uint8Array, mediaType: MediaType, expected: ExpectedKind): Decoded {
  const type = typeForKind(expected);
  if (type === undefined)
    throw new Error(`no schema for ${formatApiVersion(expected)} ${expected.kind}`);
  if (mediaType === 'application/vnd.kubernetes.protobuf')
    return decodeProtobufBody(body, expected);
  if (mediaType === 'application/yaml') {
    const meta = orUnrecognized(body, expected.kind, '', () => parseYaml(body).value);
    checkKind(isJsonObject(meta) ? meta : {}, expected);
    const decoded = orCannotBeHandled(expected, () =>
      decodeYamlObject(body, type, { strict: true }),
    );
    return { object: withKind(decoded.object, expected), strictErrors: decoded.strictErrors };
  }
  if (mediaType === 'application/cbor') return decodeCborBody(body, type, expected);
  try {
    const decoded = decodeObject(body, type, { strict: true });
    checkKind(decoded.object, expected);
    return { object: withKind(decoded.object, expected), strictErrors: decoded.strictErrors };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    // Kubernetes looks at version and kind first, so what is wrong there is what it says.
    checkKind(
      orUnrecognized(body, expected.kind, typeMetaPrefix, () => readTypeMeta(body)),
      expected,
    );
    throw cannotBeHandled(expected, error.message);
  }
}

const typeMetaPrefix = "couldn't get version/kind; json parse error: ";

function decodeCborBody(body: Uint8Array, type: StructType, expected: ExpectedKind): Decoded {
  const json = orUnrecognized(body, expected.kind, '', () => decodeCborObject(body));
  checkKind(json, expected);
  const { value, strictErrors } = orCannotBeHandled(expected, () =>
    decodeValue(json, type, { strict: true }),
  );
  return { object: withKind(asKubeObject(value), expected), strictErrors };
}

/** Throws `DecodeError`. */
export function decodeCborObject(body: Uint8Array): JsonObject {
  const value = decodeCbor(body);
  if (isJsonObject(value)) return value;
  throw new DecodeError('the document is not a map');
}

/**
 * The kind is checked before the message is looked at: one of another kind, such as a list, may
 * become far more than its bytes.
 */
function decodeProtobufBody(body: Uint8Array, expected: ExpectedKind): Decoded {
  const envelope = orUnrecognized(body, expected.kind, '', () => readProtobufEnvelope(body));
  checkKind(envelope, expected);
  const version = envelope.apiVersion || formatApiVersion(expected);
  const type = typeForKind({ ...expected, ...parseApiVersion(version) }) ?? typeForKind(expected);
  if (type === undefined) throw new Error(`no schema for ${version} ${expected.kind}`);
  const object = orCannotBeHandled(expected, () => decodeProtobufMessage(envelope.message, type));
  return { object: withKind(asKubeObject(object), expected), strictErrors: [] };
}

function decodeCustom(
  request: ResourceRequest,
  body: Uint8Array,
  mediaType: MediaType,
  expected: ExpectedKind,
): Decoded {
  const isJson = mediaType === 'application/json';
  const parsed = orUnrecognized(body, expected.kind, isJson ? typeMetaPrefix : '', () =>
    parseCustom(body, mediaType),
  );
  checkCustomVersion(parsed.value, expected);
  const decode = request.endpoint.customDecode;
  if (decode === undefined) throw new Error('unreachable: custom resources have a decoder');
  const decoded = orCannotBeHandled(expected, () =>
    decode(asKubeObject({ metadata: {}, ...withTypeMeta(parsed.value, expected) })),
  );
  return {
    object: decoded.object,
    strictErrors: [...parsed.strictErrors, ...decoded.unknownFields],
  };
}

function parseCustom(
  body: Uint8Array,
  mediaType: MediaType,
): { value: JsonObject; strictErrors: readonly string[] } {
  if (mediaType === 'application/yaml') return parseYamlObject(body);
  if (mediaType === 'application/cbor') return { value: decodeCborObject(body), strictErrors: [] };
  return parseJsonObject(body, { strict: true });
}

/** COMPAT: the kind of a custom resource is left to its validation. */
function checkCustomVersion(object: JsonObject, expected: ExpectedKind): void {
  const apiVersion = object['apiVersion'] || formatApiVersion(expected);
  const accepted = [formatApiVersion(expected), ...(expected.acceptedVersions ?? [])];
  if (accepted.some((version) => version === apiVersion)) return;
  throw wrongVersion(String(apiVersion), expected);
}

/** What the body does not say is taken from the path. */
function withTypeMeta(object: JsonObject, expected: ExpectedKind): JsonObject {
  const { kind, apiVersion, ...rest } = object;
  return {
    kind: kind || expected.kind,
    apiVersion: apiVersion || formatApiVersion(expected),
    ...rest,
  };
}

function parseYamlObject(body: Uint8Array): { value: JsonObject; strictErrors: readonly string[] } {
  const { value, duplicateKeys } = parseYaml(body);
  if (!isJsonObject(value)) throw new DecodeError('the document is not an object');
  return { value, strictErrors: duplicateKeys === undefined ? [] : [duplicateKeys] };
}

function orUnrecognized<T>(body: Uint8Array, kind: string, prefix: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof DecodeError) throw unrecognized(body, kind, prefix + error.message);
    throw error;
  }
}
function orCannotBeHandled<T>(expected: GroupVersionKind, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError) throw cannotBeHandled(expected, error.message);
    throw error;
  }
}

function unrecognized(body: Uint8Array, kind: string, why: string): StatusError {
  return statusErrors.badRequest(
    `the object provided is unrecognized (must be of type ${kind}): ${why} (${summarize(body)})`,
  );
}

/** COMPAT: the first bytes, as text when they look like JSON, else in hexadecimal. */
function summarize(body: Uint8Array): string {
  const max = 30;
  if (body.byteLength === 0) return '<empty>';
  const head = Buffer.from(body.subarray(0, max));
  return head.toString(body[0] === 0x7b ? 'utf8' : 'hex') + (body.byteLength > max ? ' ...' : '');
}

function checkKind(object: { apiVersion?: unknown; kind?: unknown }, expected: ExpectedKind): void {
  const apiVersion =
    typeof object.apiVersion === 'string' && object.apiVersion !== ''
      ? object.apiVersion
      : formatApiVersion(expected);
  const kind = typeof object.kind === 'string' && object.kind !== '' ? object.kind : expected.kind;
  const accepted = [formatApiVersion(expected), ...(expected.acceptedVersions ?? [])];
  if (accepted.includes(apiVersion) && kind === expected.kind) return;
  const gv = parseApiVersion(apiVersion);
  const version = gv?.version ?? '';
  const served = gv !== undefined && typeForKind({ ...gv, kind }) !== undefined;
  const known = served || isRetiredKind(apiVersion, kind);
  const subject = `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}`;
  if (!known)
    throw statusErrors.badRequest(
      `${subject}: no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme ${JSON.stringify(schemeOf(expected))}`,
    );
  if (kind !== expected.kind)
    throw statusErrors.badRequest(
      `${subject}: converting (${version}.${kind}) to (${internalPackage(expected)}.${expected.kind}): unknown conversion`,
    );
  throw wrongVersion(apiVersion, expected);
}

function wrongVersion(apiVersion: string, expected: ExpectedKind): StatusError {
  return statusErrors.badRequest(
    `the API version in the data (${apiVersion}) does not match the expected API version (${formatApiVersion(expected)})`,
  );
}

// COMPAT: Go names the source line where the scheme was made.
export function schemeOf(expected: { readonly group: string }): string {
  if (expected.group === 'apiextensions.k8s.io') return 'pkg/apiserver/apiserver.go:55';
  if (expected.group === 'apiregistration.k8s.io') return 'pkg/apiserver/scheme/scheme.go:33';
  return 'pkg/api/legacyscheme/scheme.go:30';
}
/** Go's package of the internal form of a group. */
export function internalPackage(expected: { readonly group: string }): string {
  if (expected.group === '' || expected.group === 'events.k8s.io') return 'core';
  return expected.group.split('.')[0] ?? '';
}

function cannotBeHandled(expected: GroupVersionKind, why: string): StatusError {
  return statusErrors.badRequest(
    `${expected.kind} in version ${JSON.stringify(expected.version)} cannot be handled as a ${expected.kind}: ${why}`,
  );
}

/** `kind` and `apiVersion` first: stored bytes begin with them, and typed lists leave them out. */
function withKind(object: KubeObject, expected: GroupVersionKind): KubeObject {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return { kind: expected.kind, apiVersion: formatApiVersion(expected), ...rest } as KubeObject;
}

const deleteOptionsKind: GroupVersionKind = {
  group: 'meta.k8s.io',
  version: 'v1',
  kind: 'DeleteOptions',
};

/** DeleteOptions in the body of a DELETE. */
export function decodeDeleteOptions(
  request: ResourceRequest,
  body: Uint8Array,
): DeleteRequestOptions {
  // The options have a protobuf form also where the objects have none.
  const mediaType = negotiateInput(request.context);
  const type = typeForKind(deleteOptionsKind);
  if (type === undefined) throw new Error('no schema for DeleteOptions');
  const object = decodeDeleteBody(body, mediaType, type);
  const kind =
    typeof object['kind'] === 'string' && object['kind'] !== '' ? object['kind'] : 'DeleteOptions';
  if (kind !== 'DeleteOptions')
    throw statusErrors.badRequest(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(object['apiVersion'] ?? '')} in scheme "pkg/apis/meta/internalversion/scheme/register.go:27"`,
    );
  const preconditions = object['preconditions'] as
    | { uid?: string; resourceVersion?: string }
    | undefined;
  const dryRun = (object['dryRun'] as string[] | undefined) ?? [];
  const options = {
    dryRun: dryRun.length > 0,
    gracePeriodSeconds:
      object['gracePeriodSeconds'] === undefined ? undefined : Number(object['gracePeriodSeconds']),
    orphanDependents: object['orphanDependents'] as boolean | undefined,
    propagationPolicy: object['propagationPolicy'] as string | undefined,
    uid: preconditions?.uid,
    resourceVersion: preconditions?.resourceVersion,
  };
  assertDeleteOptions(options, dryRunErrors(dryRun));
  return options;
}

function decodeDeleteBody(body: Uint8Array, mediaType: MediaType, type: StructType): KubeObject {
  try {
    if (mediaType === 'application/vnd.kubernetes.protobuf') {
      const { apiVersion, kind, message } = readProtobufEnvelope(body);
      const isOptions = kind === '' || kind === deleteOptionsKind.kind;
      return asKubeObject({
        ...(isOptions ? decodeProtobufMessage(message, type) : {}),
        apiVersion,
        kind,
      });
    }
    if (mediaType === 'application/yaml') return decodeYamlObject(body, type).object;
    if (mediaType === 'application/cbor')
      return asKubeObject(decodeValue(decodeCborObject(body), type).value);
    return decodeObject(body, type).object;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const isJson = mediaType === 'application/json';
    throw statusErrors.badRequest(
      isJson && error.reason === 'syntax' ? typeMetaPrefix + error.message : error.message,
    );
  }
}
