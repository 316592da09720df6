// Validation of CustomResourceDefinitions (k8s.io/apiextensions-apiserver), on create and update. What
// an update is excused from is in requirements.ts.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type {
  CustomResourceDefinition,
  CustomResourceValidation,
} from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import { dns1123Subdomain } from '../../validation/names.ts';
import { childPath, indexPath } from '../schema/field-path.ts';
import { defaultOf, someSchema, type JsonSchema } from '../schema/json-schema.ts';
import { structuralErrors, unreadableKeyword } from '../schema/structural.ts';
import { approvalErrors } from './api-approval.ts';
import { isConditionTrue } from './conditions.ts';
import { defaultErrors } from './default-checks.ts';
import { printedSchema, printedVersions, setSchemaFields } from './go-values.ts';
import {
  internalSpec,
  subresourcesOf,
  type InternalSpec,
  type InternalVersion,
} from './internal-form.ts';
import {
  columnErrors,
  conversionErrors,
  deprecationErrors,
  labelErrors,
  namesErrors,
  requiredNamesErrors,
  selectableFieldsErrors,
  subresourcesErrors,
} from './part-checks.ts';
import { strictRequirements, updateRequirements, type Requirements } from './requirements.ts';
import { createCostTally, type RuleInspector } from './rule-checks.ts';
import { schemaErrors, type SchemaCheckOptions } from './schema-checks.ts';

export interface DefinitionValidationOptions {
  /** Absent: expressions are not looked at. */
  readonly rules?: RuleInspector;
}

interface Scope {
  readonly spec: InternalSpec;
  readonly requirements: Requirements;
  readonly rules: RuleInspector | undefined;
}

export function validateDefinition(
  crd: CustomResourceDefinition,
  { rules }: DefinitionValidationOptions = {},
): FieldError[] {
  return [
    ...nameErrors(crd),
    ...specErrors({ spec: internalSpec(crd), requirements: strictRequirements, rules }),
    ...statusErrors(crd),
    ...storedVersionsErrors(crd),
    ...approvalErrors(crd, undefined),
    ...preserveErrors(crd, undefined),
  ];
}

export function validateDefinitionUpdate(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
  { rules }: DefinitionValidationOptions = {},
): FieldError[] {
  const requirements = updateRequirements(crd, old);
  return [
    ...specErrors({ spec: internalSpec(crd), requirements, rules }),
    ...immutableErrors(crd, old),
    ...statusErrors(crd),
    ...storedVersionsErrors(crd),
    ...approvalErrors(crd, old),
    ...preserveErrors(crd, old),
  ];
}

/** Errors of an update through `/status`. */
export function statusErrors(crd: CustomResourceDefinition): FieldError[] {
  return namesErrors(crd.status?.acceptedNames ?? {}, 'status.acceptedNames');
}

function nameErrors({ metadata, spec }: CustomResourceDefinition): FieldError[] {
  const name = metadata.name ?? '';
  if (name === '' || name === `${spec.names.plural}.${spec.group}`) return [];
  return [fieldError.invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group')];
}

function specErrors(scope: Scope): FieldError[] {
  const { spec, requirements } = scope;
  const { source } = spec;
  return [
    ...groupErrors(source.group),
    ...scopeErrors(source.scope),
    ...missingSchemaErrors(scope),
    ...defaultsNeedPruningErrors(scope),
    ...spec.versions.flatMap((version, i) => versionErrors(scope, version, i)),
    ...versionListErrors(spec),
    ...requiredNamesErrors(source.names, 'spec.names'),
    ...namesErrors(source.names, 'spec.names'),
    ...liftedErrors(scope),
    ...conversionErrors(source.conversion, {
      path: 'spec.conversion',
      requireAskedVersion: requirements.askedReviewVersion,
      allowInvalidCaBundle: !requirements.caBundle,
    }),
  ];
}

function groupErrors(group: string): FieldError[] {
  const path = 'spec.group';
  if (!group) return [fieldError.required(path)];
  const problems = dns1123Subdomain(group);
  if (problems.length > 0) return [fieldError.invalid(path, group, problems.join(','))];
  if (group.includes('.')) return [];
  return [fieldError.invalid(path, group, 'should be a domain with at least one dot')];
}

function scopeErrors(scope: string): FieldError[] {
  if (!scope) return [fieldError.required('spec.scope')];
  if (scope === 'Cluster' || scope === 'Namespaced') return [];
  return [fieldError.notSupported('spec.scope', scope, ['Cluster', 'Namespaced'])];
}

function missingSchemaErrors({ spec, requirements }: Scope): FieldError[] {
  if (spec.schema?.openAPIV3Schema) return [];
  const why = requirements.schemas ? '' : 'because otherwise all fields are pruned';
  if (!requirements.schemas && spec.source.preserveUnknownFields === true) return [];
  return spec.versions.flatMap(({ source, schema }, i) => {
    const wanted = requirements.schemas || source.served;
    if (schema?.openAPIV3Schema || !wanted) return [];
    return [fieldError.required(`spec.versions[${i}].schema.openAPIV3Schema`, why)];
  });
}

function allSchemas(spec: InternalSpec): (JsonSchema | undefined)[] {
  return [spec, ...spec.versions].map((part) => part.schema?.openAPIV3Schema);
}

function hasDefaults(spec: InternalSpec): boolean {
  return allSchemas(spec).some((s) => someSchema(s, (inner) => defaultOf(inner) !== undefined));
}

function defaultsNeedPruningErrors({ spec }: Scope): FieldError[] {
  if (spec.source.preserveUnknownFields !== true || !hasDefaults(spec)) return [];
  const why = 'must be false in order to use defaults in the schema';
  return [fieldError.invalid('spec.preserveUnknownFields', true, why)];
}

const extensionKeywords = [
  'x-kubernetes-embedded-resource',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-validations',
] as const;

/** Pruning, defaults and extensions work on structural schemas only. */
function mustBeStructural({ spec, requirements }: Scope): boolean {
  if (requirements.structural || spec.source.preserveUnknownFields !== true) return true;
  const extended = (schema: JsonSchema) => extensionKeywords.some((k) => schema[k] !== undefined);
  return hasDefaults(spec) || allSchemas(spec).some((schema) => someSchema(schema, extended));
}

function versionErrors(scope: Scope, version: InternalVersion, index: number): FieldError[] {
  const path = indexPath('spec.versions', index);
  const { source, schema, subresources, columns, selectableFields } = version;
  const hasStatus = subresourcesOf(scope.spec, version)?.status !== undefined;
  const at = (name: string) => childPath(path, name);
  return [
    ...labelErrors(at('name'), source.name ?? ''),
    ...deprecationErrors(source, at('deprecationWarning')),
    ...validationErrors(scope, schema, { path: at('schema'), version: source.name, hasStatus }),
    ...subresourcesErrors(subresources, at('subresources')),
    ...columns.flatMap((column, i) =>
      columnErrors(column, indexPath(at('additionalPrinterColumns'), i)),
    ),
    ...selectableErrors(scope, { fields: selectableFields, path, version: source.name, schema }),
  ];
}

interface Selectable {
  readonly fields: InternalVersion['selectableFields'];
  readonly path: string;
  readonly version: string;
  readonly schema: CustomResourceValidation | undefined;
}

function selectableErrors(
  scope: Scope,
  { fields, path, version, schema }: Selectable,
): FieldError[] {
  if (fields.length === 0) return [];
  const at = childPath(path, 'selectableFields');
  const openApi = schema?.openAPIV3Schema;
  if (!openApi) {
    // COMPAT: the first sentence says the opposite of what it means.
    const why =
      version === ''
        ? 'may only be set when validations.schema is included'
        : 'may only be set when `version.schema.openAPIV3Schema` is not included';
    return [fieldError.invalid(at, '', why)];
  }
  const allowTooMany = scope.requirements.manySelectable.has(version);
  const errors = selectableFieldsErrors(fields, openApi, { path: at, allowTooMany });
  const unreadable = unreadableKeyword(openApi);
  if (unreadable === undefined) return errors;
  return [fieldError.invalid(childPath(path, 'schema.openAPIV3Schema'), '', unreadable), ...errors];
}

function versionListErrors(spec: InternalSpec): FieldError[] {
  const errors: FieldError[] = [];
  const versions = spec.source.versions ?? [];
  const refuse = (why: string) =>
    errors.push(fieldError.invalid('spec.versions', printedVersions(spec), why));
  const names = versions.map((version) => version.name);
  if (new Set(names).size < names.length) refuse('must contain unique version names');
  if (versions.filter((version) => version.storage).length !== 1) {
    refuse('must have exactly one version marked as storage version');
  }
  const [first] = names;
  // COMPAT: the first version also counts as the old field `spec.version`.
  if (first) errors.push(...labelErrors('spec.version', first));
  return errors;
}

/** Errors of what all versions have in common. */
function liftedErrors(scope: Scope): FieldError[] {
  const { spec } = scope;
  const version = spec.source.versions?.[0]?.name ?? '';
  const hasStatus = [spec, ...spec.versions].some((p) => p.subresources?.status !== undefined);
  return [
    ...validationErrors(scope, spec.schema, { path: 'spec.validation', version, hasStatus }),
    ...subresourcesErrors(spec.subresources, 'spec.subresources'),
    ...spec.columns.flatMap((column, i) =>
      columnErrors(column, indexPath('spec.additionalPrinterColumns', i)),
    ),
    ...selectableErrors(scope, {
      fields: spec.selectableFields,
      path: 'spec',
      version: '',
      schema: spec.schema,
    }),
  ];
}

interface ValidationPlace {
  readonly path: string;
  readonly version: string;
  readonly hasStatus: boolean;
}

function validationErrors(
  scope: Scope,
  validation: CustomResourceValidation | undefined,
  { path, version, hasStatus }: ValidationPlace,
): FieldError[] {
  const schema: JsonSchema | undefined = validation?.openAPIV3Schema;
  if (!schema) return [];
  const at = childPath(path, 'openAPIV3Schema');
  const { requirements } = scope;
  const errors: FieldError[] = hasStatus ? rootErrors(schema, at) : [];
  if (schema.nullable === true) {
    errors.push(
      fieldError.forbidden(childPath(at, 'nullable'), 'nullable cannot be true at the root'),
    );
  }
  const unreadable = unreadableKeyword(schema);
  const wanted = mustBeStructural(scope);
  const shape = wanted && unreadable === undefined ? shapeErrors(schema, at, requirements) : [];
  errors.push(...shape);
  const tally = createCostTally();
  const sound = wanted && unreadable === undefined && shape.length === 0;
  const rules =
    sound && scope.rules
      ? {
          inspector: scope.rules,
          tally,
          cardinality: 1n,
          stored: requirements.storedExpressions,
        }
      : undefined;
  const options: SchemaCheckOptions = {
    requireValidTypes: requirements.validTypes,
    requireAtomicSets: requirements.atomicSets,
    requireMapKeys: requirements.mapKeys,
    ignoreRuleCost: requirements.unchangedVersions.has(version),
  };
  errors.push(...schemaErrors(schema, at, { options, ...(rules ? { rules } : {}) }));
  if (errors.length === 0 && wanted && unreadable !== undefined) {
    errors.push(fieldError.invalid(at, '', unreadable));
  }
  return [...errors, ...tally.errors(at)];
}

function shapeErrors(schema: JsonSchema, path: string, requirements: Requirements): FieldError[] {
  const errors = structuralErrors(schema, path);
  if (errors.length > 0) return errors;
  return defaultErrors(schema, path, { requirePruned: requirements.prunedDefaults });
}

/** What the root may have beside properties where the status is validated on its own. */
const rootFields: readonly string[] =
  'Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations'.split(
    ' ',
  );

function rootErrors(schema: JsonSchema, path: string): FieldError[] {
  for (const name of setSchemaFields(schema)) {
    if (name === 'Type') {
      if (schema.type === 'object') continue;
      const why =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      return [fieldError.invalid(childPath(path, 'type'), schema.type, why)];
    }
    if (!rootFields.includes(name)) {
      const why = `only [${rootFields.join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`;
      return [fieldError.invalid(path, printedSchema(schema), why)];
    }
  }
  return [];
}

const immutableSentence = 'field is immutable';

/** Group and plural name the resource; kind and scope are fixed once it is served. */
function immutableErrors(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
): FieldError[] {
  const errors: FieldError[] = [];
  const check = (path: string, value: unknown, before: unknown) => {
    if (value !== before) errors.push(fieldError.invalid(path, value, immutableSentence));
  };
  if (isConditionTrue(old, 'Established')) {
    check('spec.scope', crd.spec.scope, old.spec.scope);
    check('spec.names.kind', crd.spec.names.kind, old.spec.names.kind);
  }
  check('spec.group', crd.spec.group, old.spec.group);
  check('spec.names.plural', crd.spec.names.plural, old.spec.names.plural);
  return errors;
}

function storedVersionsErrors({ spec, status }: CustomResourceDefinition): FieldError[] {
  const path = 'status.storedVersions';
  const stored = status?.storedVersions ?? [];
  if (stored.length === 0) {
    return [fieldError.invalid(path, null, 'must have at least one stored version')];
  }
  const versions = spec.versions ?? [];
  const errors = versions
    .filter((version) => version.storage && !stored.includes(version.name))
    .map(({ name }) => fieldError.invalid(path, stored, `must have the storage version ${name}`));
  stored.forEach((name, i) => {
    if (versions.some((version) => version.name === name)) return;
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(fieldError.invalid(indexPath(path, i), name, why));
  });
  return errors;
}

function preserveErrors(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition | undefined,
): FieldError[] {
  if (crd.spec.preserveUnknownFields !== true || old?.spec.preserveUnknownFields === true)
    return [];
  const why =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
  return [fieldError.invalid('spec.preserveUnknownFields', true, why)];
}
