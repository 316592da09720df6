// The strategy of one served version of a custom resource: defaults, status and generation,
// validation by schema, scale and rules, table cells and field labels.

import {
  asJson,
  fieldError,
  findCondition,
  formatApiVersion,
  isJsonObject,
  statusErrors,
  type FieldError,
  type JsonObject,
  type KubeObject,
  copyJson,
} from '@keelson/apimachinery';
import type { Strategy, SubresourceStrategy } from '../../strategy.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { propertySchema, type JsonSchema } from '../schema/json-schema.ts';
import { isOfKind } from './coercion.ts';
import { applySchemaDefaults } from './defaulting.ts';
import {
  hasStatusSubresource,
  schemaOf,
  type CustomResourceDefinition,
  type CustomResourceDefinitionVersion,
} from './definition-parts.ts';
import { validateEmbedded, validateTypeMeta } from './embedded-metadata.ts';
import { finalizerWarnings } from './finalizer-warnings.ts';
import { validateListTypes } from './list-types.ts';
import { createPrinterTable } from './printer-columns.ts';
import { validateScaleSpec, validateScaleStatus } from './scale.ts';
import { validateSchema } from './schema-validation.ts';
import {
  blocksRules,
  hasRules,
  rulesNotChecked,
  type RuleFindings,
  type SchemaRuleCompiler,
  type SchemaRules,
} from './schema-rules.ts';
import { createSelectableFields } from './selectable-fields.ts';

export interface CustomResourceStrategyOptions {
  /** Absent: rules are not run. */
  readonly rules?: SchemaRuleCompiler;
}

/** What the functions of one strategy share. */
interface Scope {
  readonly schema: JsonSchema;
  readonly version: CustomResourceDefinitionVersion;
  readonly expected: { readonly apiVersion: string; readonly kind: string };
  runRules(input: RuleInput): RuleFindings;
  /** What rules said about the object without refusing it; asked for once it was validated. */
  readonly ruleWarnings: WeakMap<KubeObject, readonly string[]>;
}

export function createCustomResourceStrategy(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  options: CustomResourceStrategyOptions = {},
): Strategy {
  const { group, names } = crd.spec;
  const gvk = { group, version: version.name, kind: names.kind };
  const schema = schemaOf(version);
  const scope: Scope = {
    schema,
    version,
    expected: { apiVersion: formatApiVersion(gvk), kind: gvk.kind },
    runRules: ruleRunner(schema, options.rules),
    ruleWarnings: new WeakMap(),
  };
  const hasStatus = hasStatusSubresource(version);
  const table = createPrinterTable(version.additionalPrinterColumns);
  const fields = createSelectableFields(version.selectableFields, schema);
  return {
    applyDefaults(object) {
      const root = asJson(object);
      if (isOfKind(root, gvk)) applySchemaDefaults(root, schema);
    },
    async beginCreate() {
      if (isTerminating(crd)) {
        throw statusErrors.methodNotSupported({ group, resource: names.plural }, 'create');
      }
      return undefined;
    },
    prepareForCreate(object) {
      if (hasStatus) delete object['status'];
      object.metadata.generation = 1;
    },
    prepareForUpdate(object, old) {
      if (hasStatus) takeField(object, old, 'status');
      bumpGeneration(object, old);
    },
    validate: (object) => validateCreate(scope, object),
    validateUpdate: (object, old, { features }) =>
      validateUpdate(scope, { object, before: old, ratchet: features.enabled(ratchetingGate) }),
    warningsOnCreate: (object) => finalizerWarnings(object, undefined),
    warningsOnUpdate: (object, old) => [
      ...(scope.ruleWarnings.get(object) ?? []),
      ...finalizerWarnings(object, old),
    ],
    allowUnconditionalUpdate: false,
    allowsBareFinalizers: true,
    tableCells: (object, nowMs) => table.cells(object, nowMs),
    fieldValues: (object) => fields.values(object),
    resetFields: hasStatus ? [['status']] : [],
    subresources: hasStatus ? { status: statusStrategy(scope) } : {},
  };
}

/** Its objects are being removed: there must not be new ones. */
function isTerminating({ status }: CustomResourceDefinition): boolean {
  return findCondition(status?.conditions, 'Terminating')?.status === 'True';
}

function takeField(object: KubeObject, old: KubeObject, name: string): void {
  if (old[name] === undefined) delete object[name];
  else object[name] = copyJson(old[name]);
}

/** Any change outside metadata is a new generation. */
function bumpGeneration(object: KubeObject, old: KubeObject): void {
  const { metadata: _new, ...now } = object;
  const { metadata: _old, ...before } = old;
  if (isSemanticallyEqual(now, before)) return;
  object.metadata.generation = Number(old.metadata.generation ?? 0) + 1;
}

const ratchetingGate = 'CRDValidationRatcheting';

function ruleRunner(schema: JsonSchema, compiler: SchemaRuleCompiler | undefined) {
  let compiled: SchemaRules | undefined;
  return ({ root, old, ratchet }: RuleInput): RuleFindings => {
    if (!compiler) return { errors: [], warnings: [] };
    compiled ??= compiler.compile(schema);
    return compiled.evaluate(root, old, { ratchet });
  };
}

function validateCreate(scope: Scope, object: KubeObject): FieldError[] {
  const wrongKind = validateTypeMeta(object, scope.expected);
  if (wrongKind.length > 0) return wrongKind;
  const root = asJson(object);
  const { schema, version } = scope;
  const errors = [
    ...validateSchema(root, schema),
    ...validateScaleSpec(root, version.subresources?.scale),
    ...validateScaleStatus(root, version.subresources?.scale),
    ...validateEmbedded(root, schema, '', false),
    ...validateListTypes(root, schema),
  ];
  const input = { object, root, old: undefined, ratchet: false };
  return [...errors, ...ruleErrors(scope, errors, input)];
}

interface Update {
  readonly object: KubeObject;
  readonly before: KubeObject;
  /** Whether rules only warn of what is as it was. */
  readonly ratchet: boolean;
}

function validateUpdate(scope: Scope, { object, before, ratchet }: Update): FieldError[] {
  const wrongKind = validateTypeMeta(object, scope.expected);
  if (wrongKind.length > 0) return wrongKind;
  const [root, old] = [asJson(object), asJson(before)];
  const { schema, version } = scope;
  const errors = [
    ...validateSchema(root, schema, '', { value: old }),
    ...validateScaleSpec(root, version.subresources?.scale),
    ...validateScaleStatus(root, version.subresources?.scale),
    ...validateEmbedded(root, schema, '', false),
    ...changedListErrors(root, old, schema),
  ];
  return [...errors, ...ruleErrors(scope, errors, { object, root, old, ratchet })];
}

/** Lists that broke their promise before may go on doing so. */
function changedListErrors(root: JsonObject, old: JsonObject, schema: JsonSchema): FieldError[] {
  return validateListTypes(old, schema).length > 0 ? [] : validateListTypes(root, schema);
}

interface RuleInput {
  readonly object: KubeObject;
  readonly root: JsonObject;
  readonly old: JsonObject | undefined;
  readonly ratchet: boolean;
}

function ruleErrors(
  scope: Scope,
  errors: readonly FieldError[],
  input: RuleInput,
): readonly FieldError[] {
  if (!hasRules(scope.schema)) return [];
  if (blocksRules(errors)) return [fieldError.invalid('<nil>', null, rulesNotChecked)];
  const findings = scope.runRules(input);
  if (findings.warnings.length > 0) scope.ruleWarnings.set(input.object, findings.warnings);
  return findings.errors;
}

/** Updates through `/status` change nothing but the status, and managedFields, which say who changed it. */
function statusStrategy(scope: Scope): SubresourceStrategy {
  return {
    prepareForUpdate(object, old) {
      const { managedFields } = object.metadata;
      for (const name of new Set([...Object.keys(object), ...Object.keys(old)])) {
        if (name !== 'status') takeField(object, old, name);
      }
      if (managedFields === undefined) delete object.metadata.managedFields;
      else object.metadata.managedFields = managedFields;
    },
    warningsOnUpdate: (object) => [...(scope.ruleWarnings.get(object) ?? [])],
    validateUpdate(object, before, { features }) {
      const wrongKind = validateTypeMeta(object, scope.expected);
      if (wrongKind.length > 0) return wrongKind;
      const [root, old] = [asJson(object), asJson(before)];
      const errors = [
        ...errorsOfStatus(root, old, scope.schema),
        ...validateScaleStatus(root, scope.version.subresources?.scale),
        ...changedListErrors(root, old, scope.schema),
      ];
      const ratchet = features.enabled(ratchetingGate);
      return [...errors, ...ruleErrors(scope, errors, { object, root, old, ratchet })];
    },
    resetFields: [['metadata'], ['spec']],
  };
}

function errorsOfStatus(root: JsonObject, old: JsonObject, schema: JsonSchema): FieldError[] {
  const { status } = root;
  const statusSchema = propertySchema(schema, 'status');
  if (status === undefined || statusSchema === undefined) return [];
  const before = isJsonObject(old['status']) ? { value: old['status'] } : undefined;
  return validateSchema(status, statusSchema, 'status', before);
}
