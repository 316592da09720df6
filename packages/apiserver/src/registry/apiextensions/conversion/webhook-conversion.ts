// Conversion by a webhook: objects of any versions of a definition become objects of one, in as few
// calls as the bounds of a call allow.

import {
  createUid,
  encodeJson,
  formatApiVersion,
  parseJson,
  type Clock,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  type Random,
} from '@keelson/apimachinery';
import type {
  CustomResourceDefinition,
  WebhookClientConfig,
} from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import type { ConversionMetrics } from './conversion-metrics.ts';
import {
  ConversionError,
  conversionReview,
  readConversionReview,
  reviewVersionOf,
  type ConversionFailure,
} from './conversion-review.ts';

/** Posts JSON to a webhook. Throws an error whose message says why there is no answer. */
export interface WebhookCaller {
  post(call: {
    readonly address: WebhookClientConfig;
    readonly body: Uint8Array;
    readonly timeoutMs: number;
  }): Promise<Uint8Array>;
}

export interface WebhookConversionOptions {
  readonly webhooks: WebhookCaller;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: ConversionMetrics;
}

const timeoutMs = 30_000;
const objectsPerCallMax = 500;
/** Objects are put into one call until it is this large; one that is larger goes alone. */
const bytesPerCall = 4 * 1024 * 1024;

/** Converts objects to a version of `crd`, in their order; those that are of it already stay. */
export type Conversion = (
  objects: readonly JsonObject[],
  toApiVersion: string,
) => Promise<JsonObject[]>;

export function createWebhookConversion(
  crd: CustomResourceDefinition,
  options: WebhookConversionOptions,
): Conversion {
  const call = webhookCall(crd, options);
  return async (objects, toApiVersion) => {
    const converted = [...objects];
    for (const batch of batchesOf(objects, toApiVersion)) {
      const sent = batch.map((i) => objects[i] ?? {});
      const received = await call(sent, toApiVersion);
      batch.forEach((index, i) => (converted[index] = received[i] ?? {}));
    }
    return converted;
  };
}

/** Indexes of what has to be converted, one list for each call. */
function batchesOf(objects: readonly JsonObject[], toApiVersion: string): number[][] {
  const batches: number[][] = [];
  let batch: number[] = [];
  let bytes = 0;
  for (const [i, object] of objects.entries()) {
    if (object['apiVersion'] === toApiVersion) continue;
    if (batch.length === 0 || batch.length === objectsPerCallMax || bytes > bytesPerCall) {
      batches.push((batch = []));
      bytes = 0;
    }
    batch.push(i);
    if (objects.length > 1) bytes += encodeJson(object as unknown as KubeObject).byteLength;
  }
  return batches;
}

function webhookCall(
  { metadata, spec }: CustomResourceDefinition,
  { webhooks, clock, random, metrics }: WebhookConversionOptions,
): Conversion {
  const webhook = spec.conversion?.webhook;
  const version = reviewVersionOf(webhook?.conversionReviewVersions ?? []);
  const address = webhook?.clientConfig;
  const convert = async (objects: readonly JsonObject[], to: string, subject: string) => {
    if (version === undefined) throw new Error('no supported conversion review versions');
    const uid = createUid(random);
    const request = { version, uid, desiredApiVersion: to, objects };
    const body = encodeJson(conversionReview(request) as unknown as KubeObject);
    let answer: JsonValue;
    try {
      answer = parseJson(await webhooks.post({ address: address ?? {}, body, timeoutMs }));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new ConversionError(
        'conversion_webhook_call_failure',
        `conversion webhook for ${subject} failed: ${why}`,
      );
    }
    return readConversionReview(answer, request, subject);
  };
  return async (objects, to) => {
    const from = String(objects[0]?.['apiVersion'] ?? '');
    const startedAt = clock.monotonic();
    const observe = (failure: ConversionFailure | undefined, succeeded: boolean) => {
      const seconds = (clock.monotonic() - startedAt) / 1000;
      metrics.called(seconds, failure);
      const definition = metadata.name ?? '';
      metrics.converted({
        definition,
        from: versionIn(from),
        to: versionIn(to),
        succeeded,
        seconds,
      });
    };
    try {
      const converted = await convert(objects, to, `${from}, Kind=${spec.names.kind}`);
      observe(undefined, true);
      return converted;
    } catch (error) {
      observe(error instanceof ConversionError ? error.failure : undefined, false);
      throw error;
    }
  };
}

function versionIn(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}

/** What is said of an object whose version the definition does not have. */
export function unknownVersion(group: string, version: string): Error {
  const name = formatApiVersion({ group, version });
  return new Error(`request to convert CR from an invalid group/version: ${name}`);
}
