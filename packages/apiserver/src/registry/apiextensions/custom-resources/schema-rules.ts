// The seam to CEL: rules of a schema (`x-kubernetes-validations`) are compiled and run by whoever
// implements these interfaces; here stands only when they run and what their findings mean.

import type { FieldError, JsonObject } from '@keelson/apimachinery';
import { someSchema, type JsonSchema } from '../schema/json-schema.ts';

export interface RuleFindings {
  readonly errors: readonly FieldError[];
  /** Findings about what an update left as it was. */
  readonly warnings: readonly string[];
}

/** The compiled rules of one schema. */
export interface SchemaRules {
  /** Runs the rules on a whole object; `old` is the stored one on update. */
  evaluate(
    object: JsonObject,
    old: JsonObject | undefined,
    options?: RuleEvaluationOptions,
  ): RuleFindings;
}

export interface RuleEvaluationOptions {
  /** False: findings about what is as it was are errors too. Default true. */
  readonly ratchet?: boolean;
}

export interface SchemaRuleCompiler {
  /** Called when the first object of a version with rules is validated. */
  compile(schema: JsonSchema): SchemaRules;
}

const withRules = new WeakMap<JsonSchema, boolean>();

/** Whether the schema has any rule. */
export function hasRules(schema: JsonSchema): boolean {
  let known = withRules.get(schema);
  if (known === undefined) {
    known = someSchema(schema, (inner) => (inner['x-kubernetes-validations']?.length ?? 0) > 0);
    withRules.set(schema, known);
  }
  return known;
}

const blockingTypes: ReadonlySet<string> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

/** True when an error makes it pointless to run rules: they may rely on types and bounds. */
export function blocksRules(errors: readonly FieldError[]): boolean {
  return errors.some((error) => blockingTypes.has(error.type));
}

/** What is said in place of the findings of rules that did not run. */
export const rulesNotChecked =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
