// Validation of the OpenAPI schema of a definition, keyword by keyword, and of the rules in it.

import { fieldError, isJsonObject, type FieldError } from '@keelson/apimachinery';
import { childPath, indexPath, keyPath } from '../schema/field-path.ts';
import {
  additionalSchema,
  defaultOf,
  isEmbeddedResource,
  itemSchema,
  listTypeOf,
  metaFields,
  propertySchema,
  sortedNames,
  type JsonSchema,
} from '../schema/json-schema.ts';
import { schemaTypes } from '../schema/structural.ts';
import { listTypeErrors, mapListKeyErrors, mapTypeErrors } from './list-and-map-checks.ts';
import {
  compiledRuleErrors,
  ruleTextErrors,
  type CostTally,
  type RuleInspector,
} from './rule-checks.ts';

export interface SchemaCheckOptions {
  readonly requireValidTypes: boolean;
  readonly requireAtomicSets: boolean;
  readonly requireMapKeys: boolean;
  readonly ignoreRuleCost: boolean;
}

/** How rules are looked at; absent where the schema is not structural, or below a junctor. */
export interface RuleScope {
  readonly inspector: RuleInspector;
  readonly tally: CostTally;
  readonly cardinality: bigint | undefined;
  /** Expressions that the stored definition has. */
  readonly stored: ReadonlySet<string>;
}

interface Place {
  readonly path: string;
  readonly isRoot: boolean;
  /** Why defaults are forbidden here; undefined where they are allowed. */
  readonly noDefaults: string | undefined;
  readonly insideMeta: boolean;
  readonly uncorrelatable: string | undefined;
  readonly rules: RuleScope | undefined;
  readonly options: SchemaCheckOptions;
}

interface SchemaFindings {
  readonly schema: FieldError[];
  readonly rules: FieldError[];
}

/** All errors of the schema: those of keywords first, then those of compiled rules. */
export function schemaErrors(
  schema: JsonSchema,
  path: string,
  { options, rules }: { readonly options: SchemaCheckOptions; readonly rules?: RuleScope },
): FieldError[] {
  const findings = check(schema, {
    path,
    isRoot: true,
    noDefaults: undefined,
    insideMeta: false,
    uncorrelatable: undefined,
    rules,
    options,
  });
  return [...findings.schema, ...findings.rules];
}

function check(schema: JsonSchema, place: Place): SchemaFindings {
  const { path, options } = place;
  const findings: SchemaFindings = { schema: keywordErrors(schema, place), rules: [] };
  const descend = (inner: JsonSchema | undefined, next: Partial<Place> & { path: string }) => {
    if (!inner) return;
    const found = check(inner, { ...place, isRoot: false, ...next });
    findings.schema.push(...found.schema);
    findings.rules.push(...found.rules);
  };
  checkAdditional(schema, place, { findings, descend });
  checkProperties(schema, place, descend);
  const aside = (inner: JsonSchema | undefined, at: string) =>
    descend(inner, { path: at, rules: undefined });
  aside(schema.not, childPath(path, 'not'));
  for (const junctor of ['allOf', 'oneOf', 'anyOf'] as const) {
    schema[junctor]?.forEach((inner, i) => aside(inner, indexPath(childPath(path, junctor), i)));
  }
  for (const name of sortedNames(schema.definitions)) {
    aside(schema.definitions?.[name], keyPath(childPath(path, 'definitions'), name));
  }
  checkItems(schema, place, descend);
  for (const name of sortedNames(schema.dependencies)) {
    const dependency = schema.dependencies?.[name];
    const at = keyPath(childPath(path, 'dependencies'), name);
    if (isJsonObject(dependency)) aside(dependency as JsonSchema, at);
  }
  findings.schema.push(
    ...preserveErrors(schema, path),
    ...mapTypeErrors(schema, path),
    ...listTypeErrors(schema, path, options.requireAtomicSets),
    ...(options.requireMapKeys ? mapListKeyErrors(schema, path) : []),
    ...ruleTextErrors(schema, path),
  );
  findings.rules.push(...ruleErrors(schema, place, findings));
  return findings;
}

type Descend = (schema: JsonSchema | undefined, next: Partial<Place> & { path: string }) => void;

/** Rules are compiled only where nothing is wrong with the schema at their place or below it. */
function ruleErrors(schema: JsonSchema, place: Place, findings: SchemaFindings): FieldError[] {
  const { rules, path, isRoot, uncorrelatable } = place;
  if (!rules || findings.schema.length > 0) return [];
  if ((schema['x-kubernetes-validations']?.length ?? 0) === 0) return [];
  return compiledRuleErrors(schema, path, {
    ...rules,
    isResource: isRoot || isEmbeddedResource(schema),
    uncorrelatable,
    ignoreRuleCost: place.options.ignoreRuleCost,
  });
}

function checkAdditional(
  schema: JsonSchema,
  place: Place,
  { findings, descend }: { readonly findings: SchemaFindings; readonly descend: Descend },
): void {
  const { additionalProperties } = schema;
  if (additionalProperties === undefined) return;
  const path = childPath(place.path, 'additionalProperties');
  if (sortedNames(schema.properties).length > 0 && additionalProperties !== true) {
    const why = 'additionalProperties and properties are mutual exclusive';
    findings.schema.push(fieldError.forbidden(path, why));
  }
  const noDefaults = place.insideMeta
    ? 'inside additionalProperties applying to object metadata'
    : place.noDefaults;
  const rules = place.rules && scaled(place.rules, schema, schema.maxProperties);
  descend(additionalSchema(schema), { path, noDefaults, rules });
}

function checkProperties(schema: JsonSchema, place: Place, descend: Descend): void {
  const atomic = schema['x-kubernetes-map-type'] === 'atomic';
  const uncorrelatable = place.uncorrelatable ?? (atomic ? place.path : undefined);
  const isResource = place.isRoot || isEmbeddedResource(schema);
  for (const name of sortedNames(schema.properties)) {
    const path = keyPath(childPath(place.path, 'properties'), name);
    const isMeta = isResource && metaFields.has(name);
    descend(propertySchema(schema, name), {
      path,
      uncorrelatable,
      insideMeta: place.insideMeta || isMeta,
      noDefaults: isMeta && place.isRoot ? `in top-level ${name}` : place.noDefaults,
    });
  }
}

function checkItems(schema: JsonSchema, place: Place, descend: Descend): void {
  const { items } = schema;
  if (items === undefined) return;
  const path = childPath(place.path, 'items');
  const correlatable = listTypeOf(schema) === 'map';
  const uncorrelatable = place.uncorrelatable ?? (correlatable ? undefined : place.path);
  const rules = place.rules && scaled(place.rules, schema, schema.maxItems);
  descend(itemSchema(schema), { path, uncorrelatable, rules });
  if (!Array.isArray(items)) return;
  (items as readonly JsonSchema[]).forEach((item, i) =>
    descend(item, { path: indexPath(path, i), uncorrelatable, rules }),
  );
}

/** How often what is inside of a list or map may occur. */
function scaled(
  rules: RuleScope,
  schema: JsonSchema,
  elementsMax: number | bigint | undefined,
): RuleScope {
  const container = schema.type === 'array' || schema.type === 'object';
  if (rules.cardinality === undefined || elementsMax === undefined || !container) {
    return { ...rules, cardinality: undefined };
  }
  const elements = elementsMax < 0 ? 0n : BigInt(elementsMax);
  return { ...rules, cardinality: rules.cardinality * elements };
}

/** Keywords that custom resources do not have, and values that they must not have. */
function keywordErrors(schema: JsonSchema, place: Place): FieldError[] {
  const { path, options } = place;
  const errors: FieldError[] = [];
  const forbid = (keyword: string, why: string) =>
    errors.push(fieldError.forbidden(childPath(path, keyword), why));
  const { type = '' } = schema;
  if (options.requireValidTypes && type !== '' && !schemaTypes.includes(type)) {
    errors.push(fieldError.notSupported(childPath(path, 'type'), type, schemaTypes));
  }
  if (defaultOf(schema) !== undefined && place.noDefaults !== undefined) {
    forbid('default', `must not be set ${place.noDefaults}`);
  }
  const unsupported: readonly (readonly [keyword: string, present: boolean])[] = [
    ['id', Boolean(schema.id)],
    ['additionalItems', schema.additionalItems !== undefined],
    ['patternProperties', sortedNames(schema.patternProperties).length > 0],
    ['definitions', sortedNames(schema.definitions).length > 0],
    ['dependencies', schema.dependencies !== undefined],
    ['$ref', schema.$ref !== undefined],
  ];
  for (const [keyword, present] of unsupported) {
    if (present) forbid(keyword, `${keyword} is not supported`);
  }
  if (type === 'null') forbid('type', 'type cannot be set to null, use nullable as an alternative');
  if (Array.isArray(schema.items) && schema.items.length > 0) {
    forbid('items', 'items must be a schema object and not an array');
  }
  if (place.insideMeta && isEmbeddedResource(schema)) {
    forbid('x-kubernetes-embedded-resource', 'must not be used inside of resource meta');
  }
  if (schema.uniqueItems === true) {
    const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
    forbid('uniqueItems', why);
  }
  return errors;
}

function preserveErrors(schema: JsonSchema, path: string): FieldError[] {
  if (schema['x-kubernetes-preserve-unknown-fields'] !== false) return [];
  const at = childPath(path, 'x-kubernetes-preserve-unknown-fields');
  return [fieldError.invalid(at, false, 'must be true or undefined')];
}
