// Tables and metadata-only answers are made, in Kubernetes, from the internal form of an object,
// not from the version that was asked for. For built-in kinds that is, but for a few annotations
// which only versioned forms have, what is stored. Custom resources have no internal form.

import type { KubeObject } from '@keelson/apimachinery';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import type { Strategy } from '../registry/strategy.ts';
import { internalPackage } from './decode-body.ts';

/** An object as it is stored and as it is served. */
export interface ShownObject {
  readonly stored: KubeObject;
  readonly served: KubeObject;
}

/**
 * The form that tables and partial metadata show; never the argument when something is left out.
 */
export function internalForm(
  endpoint: ResourceEndpoint,
  { stored, served }: ShownObject,
): KubeObject {
  if (endpoint.custom) return served;
  const hidden = internalStrategy(endpoint).versionedAnnotations ?? [];
  const { annotations } = stored.metadata;
  if (annotations === undefined || !hidden.some((key) => key in annotations)) return stored;
  const { annotations: _annotations, ...metadata } = stored.metadata;
  const kept = Object.entries(annotations).filter(([key]) => !hidden.includes(key));
  return {
    ...stored,
    metadata: {
      ...metadata,
      ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }),
    },
  };
}

/** The strategy that knows the internal form. */
export function internalStrategy(endpoint: ResourceEndpoint): Strategy {
  return endpoint.custom ? endpoint.strategy : (endpoint.scope?.strategy ?? endpoint.strategy);
}

/** Go's name of the type behind an answer, `*core.PodList`; some refusals quote it. */
export function goTypeOfAnswer(
  endpoint: ResourceEndpoint,
  subresource: string,
  isList: boolean,
): string {
  const suffix = isList ? 'List' : '';
  if (endpoint.custom) return `*unstructured.Unstructured${suffix}`;
  const gvk =
    endpoint.definition.subresources.find((s) => s.name === subresource)?.gvk ??
    endpoint.definition;
  return `*${internalPackage(gvk)}.${gvk.kind}${suffix}`;
}
