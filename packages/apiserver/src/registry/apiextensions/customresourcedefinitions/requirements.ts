// What is held against a definition. A new one must keep every rule; an update is not refused for
// what the stored definition broke already, under rules that came later.

import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { hasAskedReviewVersion } from '../../validation/review-versions.ts';
import { caBundleProblem } from '../../validation/webhook-client.ts';
import { someSchema, type JsonSchema } from '../schema/json-schema.ts';
import { hasInvalidType, isStructural } from '../schema/structural.ts';
import { isConditionTrue } from './conditions.ts';
import { hasUnprunedDefaults } from './default-checks.ts';
import { internalSpec } from './internal-form.ts';
import { hasNonAtomicSet, mapListKeyErrors } from './list-and-map-checks.ts';
import { selectableFieldsMax } from './part-checks.ts';

/** Each is off where the stored definition already broke it. */
export interface Requirements {
  readonly schemas: boolean;
  readonly structural: boolean;
  readonly validTypes: boolean;
  readonly prunedDefaults: boolean;
  readonly atomicSets: boolean;
  readonly mapKeys: boolean;
  readonly askedReviewVersion: boolean;
  readonly caBundle: boolean;
  /** Versions whose rules were accepted as they are. */
  readonly unchangedVersions: ReadonlySet<string>;
  /** Versions that may keep too many selectable fields; empty name: the fields of all versions. */
  readonly manySelectable: ReadonlySet<string>;
  /** Rules and message expressions that were accepted as they are. */
  readonly storedExpressions: ReadonlySet<string>;
}

export const strictRequirements: Requirements = {
  schemas: true,
  structural: true,
  validTypes: true,
  prunedDefaults: true,
  atomicSets: true,
  mapKeys: true,
  askedReviewVersion: true,
  // Before the definition is established nothing calls its webhook.
  caBundle: false,
  unchangedVersions: new Set(),
  manySelectable: new Set(),
  storedExpressions: new Set(),
};

export function updateRequirements(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
): Requirements {
  const schemas = schemasOf(old);
  const none = (broken: (schema: JsonSchema) => boolean) =>
    !schemas.some((schema) => someSchema(schema, broken));
  const reviewVersions = old.spec.conversion?.webhook?.conversionReviewVersions ?? [];
  const oldBundle = old.spec.conversion?.webhook?.clientConfig?.caBundle;
  const established = isConditionTrue(old, 'Established');
  return {
    schemas: schemas.every((schema) => schema !== undefined),
    structural: schemas.every(isStructural),
    validTypes: !schemas.some(hasInvalidType),
    prunedDefaults: !schemas.some((s) => s && isStructural(s) && hasUnprunedDefaults(s)),
    atomicSets: none(hasNonAtomicSet),
    mapKeys: none((schema) => mapListKeyErrors(schema, '').length > 0),
    askedReviewVersion: reviewVersions.length === 0 || hasAskedReviewVersion(reviewVersions),
    caBundle: established && caBundleProblem(oldBundle) === undefined,
    unchangedVersions: unchangedVersions(crd, old),
    manySelectable: manySelectable(crd, old),
    storedExpressions: expressionsOf(schemas),
  };
}

function schemasOf(crd: CustomResourceDefinition): (JsonSchema | undefined)[] {
  return (crd.spec.versions ?? []).map((version) => version.schema?.openAPIV3Schema);
}

function expressionsOf(schemas: readonly (JsonSchema | undefined)[]): ReadonlySet<string> {
  const expressions = new Set<string>();
  const collect = (schema: JsonSchema): boolean => {
    for (const { rule, messageExpression } of schema['x-kubernetes-validations'] ?? []) {
      if (rule) expressions.add(rule);
      if (messageExpression) expressions.add(messageExpression);
    }
    return false;
  };
  for (const schema of schemas) someSchema(schema, collect);
  return expressions;
}

function unchangedVersions(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
): ReadonlySet<string> {
  const before = new Map((old.spec.versions ?? []).map((v) => [v.name, v.schema]));
  const same = (crd.spec.versions ?? []).filter(
    (v) => before.has(v.name) && isSemanticallyEqual(v.schema, before.get(v.name)),
  );
  return new Set(same.map((v) => v.name));
}

function manySelectable(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
): ReadonlySet<string> {
  const [now, before] = [internalSpec(crd), internalSpec(old)];
  const kept = new Set<string>();
  const check = (name: string, fields: readonly unknown[], was: readonly unknown[]) => {
    if (was.length > selectableFieldsMax && isSemanticallyEqual(fields, was)) kept.add(name);
  };
  check('', now.selectableFields, before.selectableFields);
  for (const version of now.versions) {
    const was = before.versions.find((v) => v.source.name === version.source.name);
    if (was) check(version.source.name, version.selectableFields, was.selectableFields);
  }
  return kept;
}
