// The predicate of a list or watch: label and field selectors of the query, compiled once and
// checked against the fields that the resource supports.

import {
  mapFields,
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
  statusErrors,
  type FieldMatcher,
  type KubeObject,
  type LabelMatcher,
} from '@keelson/apimachinery';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import { parseShardSelector } from './shard-selector.ts';

export interface ObjectPredicate {
  readonly labels: LabelMatcher;
  readonly fields: FieldMatcher;
  /** Selects everything, so nothing needs to be looked at. */
  readonly isEmpty: boolean;
  matches(object: KubeObject): boolean;
}

/** As they stand in the query; empty for none. */
export interface Selectors {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly shardSelector?: string;
}

/**
 * Throws 400 for selectors that cannot be parsed and for fields that the resource does not have.
 */
export function parsePredicate(
  endpoint: ResourceEndpoint,
  { labelSelector, fieldSelector, shardSelector = '' }: Selectors,
): ObjectPredicate {
  let labels: LabelMatcher;
  let fields: FieldMatcher;
  try {
    labels = parseLabelSelector(labelSelector);
    fields = mapFields(parseFieldSelector(fieldSelector), (field, value) => {
      if (!isKnownField(endpoint, field))
        throw statusErrors.badRequest(unknownField(endpoint, field));
      return { field, value };
    });
  } catch (error) {
    if (error instanceof SelectorError) throw statusErrors.badRequest(error.message);
    throw error;
  }
  const predicate = createPredicate(endpoint, labels, fields);
  if (shardSelector === '') return predicate;
  const isOfShard = parseShardSelector(shardSelector);
  const matches = (object: KubeObject) => predicate.matches(object) && isOfShard(object);
  return { ...predicate, isEmpty: false, matches };
}

export function createPredicate(
  endpoint: ResourceEndpoint,
  labels: LabelMatcher,
  fields: FieldMatcher,
): ObjectPredicate {
  const needsValues = fields.requirements.some(
    (r) => r.field !== 'metadata.name' && r.field !== 'metadata.namespace',
  );
  const matchesFields = (object: KubeObject): boolean => {
    const values = needsValues ? (endpoint.strategy.fieldValues?.(object) ?? {}) : {};
    return fields.matches((field) => {
      if (field === 'metadata.name') return object.metadata.name ?? '';
      if (field === 'metadata.namespace') return object.metadata.namespace ?? '';
      return values[field] ?? '';
    });
  };
  return {
    labels,
    fields,
    isEmpty: labels.isEmpty && fields.isEmpty,
    matches: (object) =>
      (labels.isEmpty || labels.matches(object.metadata.labels)) &&
      (fields.isEmpty || matchesFields(object)),
  };
}

const metadataFields = new Set(['metadata.name', 'metadata.namespace']);

function isKnownField(endpoint: ResourceEndpoint, field: string): boolean {
  const known = endpoint.definition.fieldLabels;
  return known.includes(field) || (known.length === 0 && metadataFields.has(field));
}

function unknownField(endpoint: ResourceEndpoint, field: string): string {
  const own = endpoint.strategy.unknownFieldLabel?.(field);
  if (own !== undefined) return own;
  const hasOwnFields =
    endpoint.custom || endpoint.definition.fieldLabels.some((f) => !metadataFields.has(f));
  return hasOwnFields
    ? `field label not supported: ${field}`
    : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`;
}
