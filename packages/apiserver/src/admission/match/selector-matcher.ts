// The selectors of webhooks and policies: on the labels of the request's namespace, and on those of
// its object. An object is selected when it was, or will be.

import { statusErrors, type KubeObject, type LabelMatcher } from '@keelson/apimachinery';
import type { ObjectSource } from '../../object-source.ts';
import type { AdmissionAttributes } from '../admission.ts';
import { isNamespaceResource } from './rule-matcher.ts';

/**
 * Requests outside of namespaces are always selected. Throws NotFound when the namespace is not
 * there and its labels are asked for.
 */
export function selectsNamespace(
  selector: LabelMatcher,
  attributes: AdmissionAttributes,
  namespaces: ObjectSource,
): boolean {
  if (attributes.namespace === '' && !isNamespaceResource(attributes.gvr)) return true;
  if (selector.isEmpty) return true;
  return selector.matches(namespaceLabels(attributes, namespaces) ?? {});
}

/** A namespace that is being written is judged by the labels that it will have. */
function namespaceLabels(
  attributes: AdmissionAttributes,
  namespaces: ObjectSource,
): Readonly<Record<string, string>> | undefined {
  const { gvr, object, operation, subresource } = attributes;
  const isWritten = operation === 'CREATE' || operation === 'UPDATE';
  if (isNamespaceResource(gvr) && subresource === '' && isWritten) return object?.metadata.labels;
  const name = attributes.namespace || attributes.name;
  const namespace = namespaces.get('', name);
  if (namespace === undefined)
    throw statusErrors.notFound({ group: '', resource: 'namespaces' }, name);
  return namespace.metadata.labels;
}

export function selectsObject(
  selector: LabelMatcher,
  { object, oldObject }: Pick<AdmissionAttributes, 'object' | 'oldObject'>,
): boolean {
  if (selector.isEmpty) return true;
  const selects = (one: KubeObject | undefined) =>
    one?.metadata !== undefined && selector.matches(one.metadata.labels ?? {});
  return selects(object) || selects(oldObject);
}
