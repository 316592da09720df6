// The question that authorizers are asked, made from the URL of a request. Selectors of list, watch
// and deletecollection are part of it (KEP-4601), so that a node can be let list its own pods only.
// A selector that does not parse is left out: the check is then broader, never narrower, and the
// endpoint answers 400 later.

import {
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
  type FieldRequirement,
  type LabelRequirement,
} from '@keelson/apimachinery';
import type { RequestContext } from '../request-context.ts';
import type { RequestAttributes, SelectorRequirement } from './authorizer.ts';

/** Verbs whose selectors the API honours. */
const selectingVerbs: ReadonlySet<string> = new Set(['list', 'watch', 'deletecollection']);

/** What the caller of this request wants to do. `hasSelectors`: the gate AuthorizeWithSelectors. */
export function attributesOf(
  context: Pick<RequestContext, 'info'>,
  hasSelectors = true,
): RequestAttributes {
  const { info } = context;
  if (!info.isResourceRequest) return { isResource: false, verb: info.verb, path: info.path };
  const attributes = {
    isResource: true,
    verb: info.verb,
    namespace: info.namespace,
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    name: info.name,
  } as const;
  if (!selectingVerbs.has(info.verb) || !hasSelectors) return attributes;
  const fieldSelector = fieldRequirementsOf(info.query.get('fieldSelector'));
  const labelSelector = labelRequirementsOf(info.query.get('labelSelector'));
  if (fieldSelector === undefined && labelSelector === undefined) return attributes;
  return {
    ...attributes,
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
}

function fieldRequirementsOf(text: string | null): readonly SelectorRequirement[] | undefined {
  if (!text) return undefined;
  const parsed = orUndefined(() => parseFieldSelector(text));
  return parsed === undefined || parsed.isEmpty
    ? undefined
    : parsed.requirements.map(toFieldSelectorRequirement);
}

function labelRequirementsOf(text: string | null): readonly SelectorRequirement[] | undefined {
  if (!text) return undefined;
  const parsed = orUndefined(() => parseLabelSelector(text));
  const requirements = (parsed?.requirements ?? []).flatMap(toLabelSelectorRequirement);
  return requirements.length === 0 ? undefined : requirements;
}

/** `spec.nodeName=n1` is `{ key: spec.nodeName, operator: In, values: [n1] }`. */
export function toFieldSelectorRequirement(r: FieldRequirement): SelectorRequirement {
  return { key: r.field, operator: r.operator === '=' ? 'In' : 'NotIn', values: [r.value] };
}

/** None for the comparisons, which access reviews cannot express. */
export function toLabelSelectorRequirement(r: LabelRequirement): SelectorRequirement[] {
  switch (r.operator) {
    case '=':
    case '==':
    case 'in':
      return [{ key: r.key, operator: 'In', values: r.values }];
    case '!=':
    case 'notin':
      return [{ key: r.key, operator: 'NotIn', values: r.values }];
    case 'exists':
      return [{ key: r.key, operator: 'Exists', values: [] }];
    case '!':
      return [{ key: r.key, operator: 'DoesNotExist', values: [] }];
    default:
      return [];
  }
}

function orUndefined<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}
