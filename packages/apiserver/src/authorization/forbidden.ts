// The one wording of a refusal by authorization, as kube-apiserver answers it:
//
//   pods "x" is forbidden: User "ann" cannot get resource "pods" in API group "" in the namespace "default"
//
// COMPAT: clients and people search for these texts; the sentence, not the reason, is HTML-escaped.

import { quoteGo, statusErrors, type StatusError } from '@keelson/apimachinery';
import type { UserInfo } from '../authentication/authenticator.ts';
import type { RequestAttributes } from './authorizer.ts';

/** The 403 for what an authorizer did not allow. `reason` may be empty. */
export function forbiddenByAuthorizer(
  user: UserInfo,
  attributes: RequestAttributes,
  reason: string,
): StatusError {
  const why = forbiddenMessage(attributes, user, reason);
  if (!attributes.isResource) return statusErrors.forbidden({ group: '', resource: '' }, '', why);
  const { group, resource, name } = attributes;
  return statusErrors.forbidden({ group, resource }, name, why);
}

/** Who cannot do what, and the authorizer's reason if it gave one. */
export function forbiddenMessage(
  attributes: RequestAttributes,
  user: UserInfo,
  reason: string,
): string {
  const sentence = escapeHtml(sentenceOf(attributes, user));
  return reason === '' ? sentence : `${sentence}: ${reason}`;
}

function sentenceOf(attributes: RequestAttributes, user: UserInfo): string {
  const who = `User ${quoteGo(user.name)} cannot ${attributes.verb}`;
  if (!attributes.isResource) return `${who} path ${quoteGo(attributes.path)}`;
  const { namespace, group, resource, subresource } = attributes;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  const what = `${who} resource ${quoteGo(full)} in API group ${quoteGo(group)}`;
  return namespace === ''
    ? `${what} at the cluster scope`
    : `${what} in the namespace ${quoteGo(namespace)}`;
}

/** As kube-apiserver shows what a client sent. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
