// AdmissionReview: the question that a webhook is sent, and what may come back
// (k8s.io/apiserver pkg/admission/plugin/webhook/request/admissionreview.go).

import {
  DecodeError,
  decodeObject,
  encodeJsonText,
  formatApiVersion,
  isJsonObject,
  jsonKind,
  parseApiVersion,
  parseJson,
  readTypeMeta,
  typeForKind,
  type GroupVersionKind,
  type GroupVersionResource,
  type JsonObject,
  type JsonValue,
} from '@keelson/apimachinery';
import type {
  AdmissionResponse,
  AdmissionReview,
} from '@keelson/apimachinery/types/admission.k8s.io.v1';
import type { AdmissionAttributes } from '../admission.ts';
import { isNamespaceResource } from '../match/rule-matcher.ts';
import { asKind } from '../request-match.ts';
import type { VersionedObjects } from '../request-versions.ts';
import { WebhookCallError } from './failures.ts';
import type { Invocation } from './invocation.ts';

export type ReviewVersion = 'v1' | 'v1beta1';
export interface Review {
  readonly version: ReviewVersion;
  readonly uid: string;
  readonly body: Uint8Array;
}

const group = 'admission.k8s.io';

/** Throws WebhookCallError when the webhook understands no version that is spoken here. */
export function writeReview(
  invocation: Invocation,
  attributes: AdmissionAttributes,
  objects: VersionedObjects,
  uid: string,
): Review {
  const version = invocation.webhook.reviewVersions.find((v) => v === 'v1' || v === 'v1beta1');
  if (version === undefined)
    throw new WebhookCallError(
      'webhook does not accept known AdmissionReview versions (v1, v1beta1)',
      { code: 400 },
    );
  const review = {
    kind: 'AdmissionReview',
    apiVersion: formatApiVersion({ group, version }),
    request: { uid, ...requestOf(invocation, attributes), ...bodiesOf(attributes, objects) },
  };
  return { version, uid, body: Buffer.from(encodeJsonText(review as unknown as JsonValue)) };
}

function requestOf({ gvr, gvk }: Invocation, attributes: AdmissionAttributes): object {
  const { subresource, name, operation, user } = attributes;
  const namespace = isNamespaceResource(gvr) ? name : attributes.namespace;
  return {
    kind: kindOf(gvk),
    resource: resourceOf(gvr),
    ...(subresource !== '' && { subResource: subresource }),
    requestKind: kindOf(attributes.gvk),
    requestResource: resourceOf(attributes.gvr),
    ...(subresource !== '' && { requestSubResource: subresource }),
    ...(name !== '' && { name }),
    ...(namespace !== '' && { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid !== '' && { uid: user.uid }),
      ...(user.groups.length > 0 && { groups: user.groups }),
      ...(Object.keys(user.extra).length > 0 && { extra: user.extra }),
    },
  };
}

function bodiesOf({ dryRun, options }: AdmissionAttributes, objects: VersionedObjects): object {
  const { object = null, oldObject = null } = objects;
  return { object, oldObject, dryRun, options: options ?? null };
}

const kindOf = ({ group: g, version, kind }: GroupVersionKind) => ({ group: g, version, kind });
const resourceOf = ({ group: g, version, resource }: GroupVersionResource) => ({
  group: g,
  version,
  resource,
});

/** What a webhook decided. */
export type Verdict = Pick<
  AdmissionResponse,
  'allowed' | 'status' | 'warnings' | 'auditAnnotations'
> & {
  /** The operations of a JSON patch. */
  readonly patch?: readonly JsonObject[];
};

/** Throws WebhookCallError for an answer that is none. */
export function readReview(
  bytes: Uint8Array,
  review: Review,
  phase: 'admit' | 'validating',
): Verdict {
  const { response, kind = '', apiVersion = '' } = decodeReview(bytes, review.version);
  if (response === undefined) throw invalid('webhook response was absent');
  if (review.version === 'v1') {
    checkResponse(response, review.uid, phase);
    const given = `${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${kind}`;
    if (kind !== 'AdmissionReview' || apiVersion !== formatApiVersion({ group, version: 'v1' }))
      throw invalid(
        `expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${given}`,
      );
  }
  const { allowed, status, warnings, auditAnnotations } = response;
  const verdict = {
    allowed,
    ...(status !== undefined && { status }),
    ...(warnings !== undefined && { warnings }),
    ...(auditAnnotations !== undefined && { auditAnnotations }),
  };
  if (!response.patch || phase === 'validating' || !allowed) return verdict;
  // In v1beta1 a patch needs no type.
  const patchType = review.version === 'v1' ? response.patchType : 'JSONPatch';
  if (patchType !== 'JSONPatch')
    throw new WebhookCallError(`unsupported patch type ${JSON.stringify(patchType ?? '')}`, {
      code: 400,
    });
  return { ...verdict, patch: readPatch(Buffer.from(response.patch, 'base64')) };
}

function readPatch(bytes: Uint8Array): JsonObject[] {
  const undecodable = (why: string) =>
    new WebhookCallError(`received undecodable patch in webhook response: ${why}`);
  const wrongType = (value: JsonValue, goType: string) =>
    undecodable(`json: cannot unmarshal ${jsonKind(value)} into Go value of type ${goType}`);
  try {
    const patch = parseJson(bytes);
    if (patch === null) return [];
    if (!Array.isArray(patch)) throw wrongType(patch, 'jsonpatch.Patch');
    return patch.map((operation) => {
      if (!isJsonObject(operation)) throw wrongType(operation, 'jsonpatch.Operation');
      return operation;
    });
  } catch (error) {
    throw error instanceof DecodeError ? undecodable(error.message) : error;
  }
}

function decodeReview(bytes: Uint8Array, version: ReviewVersion): AdmissionReview {
  const type = typeForKind({ group, version: 'v1', kind: 'AdmissionReview' });
  if (type === undefined) throw new Error('no schema for AdmissionReview');
  try {
    const meta = readTypeMeta(bytes);
    const expected = formatApiVersion({ group, version });
    // What is not said is taken for what was expected.
    const { kind = 'AdmissionReview', apiVersion = expected } = said(meta);
    if (kind !== 'AdmissionReview' || apiVersion !== expected) {
      const given = `${parseApiVersion(apiVersion)?.version ?? ''}.${kind}`;
      throw new WebhookCallError(
        `failed to call webhook: converting (${given}) to (${version}.AdmissionReview): unknown conversion`,
      );
    }
    return asKind<AdmissionReview>(decodeObject(bytes, type).object);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new WebhookCallError(`failed to call webhook: ${error.message}`, { cause: error });
  }
}

function said({ kind, apiVersion }: { kind: string; apiVersion: string }) {
  return { ...(kind !== '' && { kind }), ...(apiVersion !== '' && { apiVersion }) };
}

function checkResponse(
  { uid, patch, patchType }: AdmissionResponse,
  expected: string,
  phase: 'admit' | 'validating',
): void {
  if (uid !== expected)
    throw invalid(`expected response.uid=${JSON.stringify(expected)}, got ${JSON.stringify(uid)}`);
  if (phase === 'validating') {
    if (patch) throw invalid('validating webhook may not return response.patch');
    if (patchType !== undefined)
      throw invalid('validating webhook may not return response.patchType');
    return;
  }
  if (patch && patchType === undefined)
    throw invalid('webhook returned response.patch but not response.patchType');
  if (!patch && patchType !== undefined)
    throw invalid('webhook returned response.patchType but not response.patch');
  if (patchType === '') throw invalid('webhook returned invalid response.patchType of ""');
}

function invalid(why: string): WebhookCallError {
  return new WebhookCallError(`received invalid webhook response: ${why}`);
}
