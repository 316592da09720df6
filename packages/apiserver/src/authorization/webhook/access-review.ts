// What a webhook is asked and how its answer is understood: a SubjectAccessReview of v1 or v1beta1,
// which differ in one name (`groups`, `group`). Selectors are sent as requirements, never as text,
// so that no webhook has to parse what a client wrote.

import type { JsonLike } from '@keelson/cel';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { RequestAttributes, SelectorRequirement } from '../authorizer.ts';
import type { SubjectAccessReviewVersion } from '../configuration/authorization-configuration.ts';

export interface ReviewStatus {
  readonly allowed: boolean;
  readonly denied: boolean;
  readonly reason: string;
}

/** The spec as JSON: what is sent, and what cached answers are kept by. */
export function reviewSpec(
  user: UserInfo,
  attributes: RequestAttributes,
  version: SubjectAccessReviewVersion,
): string {
  const { name, uid, groups, extra } = user;
  const what = attributes.isResource
    ? { resourceAttributes: resourceAttributesOf(attributes) }
    : { nonResourceAttributes: given({ path: attributes.path, verb: attributes.verb }) };
  return JSON.stringify({
    ...what,
    ...given({ user: name }),
    ...(groups.length === 0 ? {} : { [version === 'v1' ? 'groups' : 'group']: groups }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
    ...given({ uid }),
  });
}

/** The body of a call. */
export function reviewBody(spec: string, version: SubjectAccessReviewVersion): string {
  return `{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/${version}","metadata":{},"spec":${spec},"status":{"allowed":false}}`;
}

/**
 * Reads an answer. Throws for what is no review of the version that was asked: it would be taken
 * for "no opinion", and so let a request pass that somebody meant to refuse.
 */
export function readReview(body: Uint8Array, version: SubjectAccessReviewVersion): ReviewStatus {
  const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
  const { apiVersion, kind, status } = fieldsOf(value);
  if (apiVersion !== `authorization.k8s.io/${version}` || kind !== reviewKind)
    throw new Error(
      `the webhook answered ${JSON.stringify(apiVersion ?? '')} ${JSON.stringify(kind ?? '')} instead of a SubjectAccessReview of authorization.k8s.io/${version}`,
    );
  const { allowed = false, denied = false, reason = '' } = fieldsOf(status);
  if (typeof allowed !== 'boolean' || typeof denied !== 'boolean' || typeof reason !== 'string')
    throw new Error('the status of the webhook’s answer has fields of other types');
  return { allowed, denied, reason };
}

const reviewKind = 'SubjectAccessReview';

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : {};
}

function resourceAttributesOf(
  attributes: Extract<RequestAttributes, { isResource: true }>,
): JsonLike {
  const { namespace, verb, group, version, resource, subresource, name } = attributes;
  const { fieldSelector, labelSelector } = attributes;
  return {
    ...given({ namespace, verb, group, version, resource, subresource, name }),
    ...(fieldSelector === undefined ? {} : { fieldSelector: selectorOf(fieldSelector) }),
    ...(labelSelector === undefined ? {} : { labelSelector: selectorOf(labelSelector) }),
  };
}

function selectorOf(requirements: readonly SelectorRequirement[]): JsonLike {
  return {
    requirements: requirements.map(({ key, operator, values }) => ({
      key,
      operator,
      ...(values.length === 0 ? {} : { values }),
    })),
  };
}

/** Empty texts are not sent. */
function given(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''));
}
