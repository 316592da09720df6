// ConversionReview: what is sent to a conversion webhook and what may come back
// (k8s.io/apiextensions-apiserver pkg/apiserver/conversion/webhook_converter.go).
//
// A webhook may change everything of an object but its identity: kind, name, namespace and uid must
// stay, and of the metadata only labels and annotations are taken from the answer.

import {
  formatApiVersion,
  goTypeName,
  isJsonObject,
  jsonEqual,
  parseApiVersion,
  renderFieldError,
  type FieldError,
  type JsonObject,
  type JsonValue,
  copyJson,
} from '@keelson/apimachinery';
import { annotations, labels } from '../../validation/labels.ts';

export type ReviewVersion = 'v1' | 'v1beta1';

const group = 'apiextensions.k8s.io';

/** The first version of the definition's list that this server speaks. */
export function reviewVersionOf(versions: readonly string[]): ReviewVersion | undefined {
  return versions.find((version) => version === 'v1' || version === 'v1beta1');
}

export interface ConversionRequest {
  readonly version: ReviewVersion;
  readonly uid: string;
  readonly desiredApiVersion: string;
  readonly objects: readonly JsonObject[];
}

export function conversionReview(request: ConversionRequest): JsonObject {
  return {
    kind: 'ConversionReview',
    apiVersion: formatApiVersion({ group, version: request.version }),
    request: {
      uid: request.uid,
      desiredAPIVersion: request.desiredApiVersion,
      objects: [...request.objects],
    },
  };
}

/** Why an answer is not accepted; by kind, for the metrics. */
export class ConversionError extends Error {
  readonly failure: ConversionFailure;
  constructor(failure: ConversionFailure, message: string) {
    super(message);
    this.name = 'ConversionError';
    this.failure = failure;
  }
}
export type ConversionFailure =
  | 'conversion_webhook_call_failure'
  | 'conversion_webhook_malformed_response_failure'
  | 'conversion_webhook_partial_response_failure'
  | 'conversion_webhook_invalid_converted_object_failure';

/**
 * The objects of an answer, in the order of the request. `subject` is the kind that errors are
 * about, as Go writes it. Throws `ConversionError`.
 */
export function readConversionReview(
  answer: JsonValue,
  request: ConversionRequest,
  subject: string,
): JsonObject[] {
  const converted = convertedObjects(answer, request, subject);
  const { objects, desiredApiVersion } = request;
  if (converted.length !== objects.length)
    throw new ConversionError(
      'conversion_webhook_partial_response_failure',
      `conversion webhook for ${subject} returned ${converted.length} objects, expected ${objects.length}`,
    );
  return objects.map((original, i) => {
    try {
      return acceptedObject(original, converted[i] ?? null, desiredApiVersion);
    } catch (error) {
      if (!(error instanceof InvalidConversion)) throw error;
      throw new ConversionError(
        'conversion_webhook_invalid_converted_object_failure',
        `conversion webhook for ${subject} returned ${error.told(i, objects.length > 1)}`,
      );
    }
  });
}

function convertedObjects(
  answer: JsonValue,
  { version, uid }: ConversionRequest,
  subject: string,
): JsonValue[] {
  const malformed = (why: string) =>
    new ConversionError(
      'conversion_webhook_malformed_response_failure',
      `conversion webhook for ${subject} failed: ${why}`,
    );
  if (!isJsonObject(answer)) throw malformed('the answer is no JSON object');
  const expected = `${formatApiVersion({ group, version })}, Kind=ConversionReview`;
  const given = `${textOf(answer['apiVersion'])}, Kind=${textOf(answer['kind'])}`;
  // COMPAT: version v1beta1 verifies neither this nor the uid.
  if (version === 'v1' && given !== expected)
    throw malformed(`expected webhook response of ${expected}, got ${given}`);
  const response = answer['response'];
  if (!isJsonObject(response)) throw malformed('no response provided');
  const givenUid = textOf(response['uid']);
  if (version === 'v1' && givenUid !== uid)
    throw malformed(
      `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(givenUid)}`,
    );
  const result = isJsonObject(response['result']) ? response['result'] : {};
  const status = textOf(result['status']);
  if (status !== 'Success') {
    const message = textOf(result['message']);
    throw malformed(message || `response.result.status was '${status}', not 'Success'`);
  }
  const objects = response['convertedObjects'];
  return Array.isArray(objects) ? objects : [];
}

/** What is wrong with one object of an answer. */
class InvalidConversion extends Error {
  readonly #what: string;
  constructor(what: string, why: string) {
    super(why);
    this.#what = what;
  }
  /** COMPAT: Kubernetes words it differently for one object and for several. */
  told(index: number, isOneOfMany: boolean): string {
    if (!isOneOfMany) return `invalid ${this.#what}: ${this.message}`;
    const where = this.#what === 'metadata' ? 'metadata in object' : 'converted object';
    return `invalid ${where} at index ${index}: ${this.message}`;
  }
}

function acceptedObject(
  original: JsonObject,
  converted: JsonValue,
  desiredApiVersion: string,
): JsonObject {
  const refuse = (why: string, what = 'object') => new InvalidConversion(what, why);
  if (!isJsonObject(converted)) throw refuse('no JSON object');
  const apiVersion = textOf(converted['apiVersion']);
  if (parseApiVersion(apiVersion) === undefined || apiVersion !== desiredApiVersion)
    throw refuse(
      `invalid groupVersion (expected ${desiredApiVersion}, received ${apiVersion})`,
      'object at index 0',
    );
  const [kind, wanted] = [textOf(converted['kind']), textOf(original['kind'])];
  if (kind !== wanted)
    throw refuse(`invalid kind (expected ${wanted}, received ${kind})`, 'object at index 0');
  const [before, after] = [metadataOf(original), metadataOf(converted)];
  for (const [field, name] of [
    ['name', 'name'],
    ['namespace', 'namespace'],
    ['uid', 'UID'],
  ] as const) {
    const [was, is] = [textOf(before?.[field]), textOf(after?.[field])];
    if (was !== is) throw refuse(`must have the same ${name}: ${was} != ${is}`);
  }
  return { ...converted, metadata: restoredMetadata(converted, before ?? {}) };
}

/** The metadata of the original with the labels and annotations of the answer. */
function restoredMetadata(converted: JsonObject, original: JsonObject): JsonObject {
  const refuse = (why: string) => new InvalidConversion('metadata', why);
  const given = converted['metadata'];
  if (given === undefined) throw refuse('missing metadata in converted object');
  if (!isJsonObject(given))
    throw refuse(`invalid metadata of type ${goTypeName(given)} in converted object`);
  const metadata = copyJson(original);
  for (const field of ['labels', 'annotations'] as const) {
    const texts = given[field];
    if (texts === undefined || texts === null) {
      delete metadata[field];
      continue;
    }
    if (!isJsonObject(texts))
      throw refuse(`invalid metadata.${field} of type ${goTypeName(texts)} in converted object`);
    for (const [key, value] of Object.entries(texts))
      if (typeof value !== 'string')
        throw refuse(
          `metadata.${field}[${key}] must be a string, but is ${goTypeName(value ?? null)} in converted object`,
        );
    if (!jsonEqual(texts, metadata[field] ?? {})) {
      const errors = invalidTexts(field, texts as Record<string, string>);
      if (errors !== undefined) throw refuse(errors);
    }
    metadata[field] = texts;
  }
  return metadata;
}

/** COMPAT: in errors the field is called `annotation`. */
function invalidTexts(
  field: 'labels' | 'annotations',
  texts: Record<string, string>,
): string | undefined {
  const errors: FieldError[] = [];
  if (field === 'labels') labels(errors, 'metadata.labels', texts);
  else annotations(errors, 'metadata.annotation', texts);
  const different = [...new Set(errors.map(renderFieldError))];
  if (different.length < 2) return different[0];
  return `[${different.join(', ')}]`;
}

function metadataOf(object: JsonObject): JsonObject | undefined {
  return isJsonObject(object['metadata']) ? object['metadata'] : undefined;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
