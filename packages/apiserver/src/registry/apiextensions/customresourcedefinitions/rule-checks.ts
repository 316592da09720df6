// Validation of rules (`x-kubernetes-validations`) in a definition: their texts here, their
// expressions and costs by whoever implements `RuleInspector`.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import { childPath, indexPath } from '../schema/field-path.ts';
import type { JsonSchema, ValidationRule } from '../schema/json-schema.ts';
import { resolveSchemaPath } from '../schema/schema-path.ts';
import { unreadableKeyword } from '../schema/structural.ts';
import { printedRule } from './go-values.ts';

/** What compiling one rule finds out. Costs are estimates for the largest values that the schema allows. */
export interface InspectedRule {
  /** Why the rule does not compile; `required` when it is empty. */
  readonly error?: { readonly required: boolean; readonly detail: string };
  readonly messageError?: string;
  readonly maxCost: bigint;
  /** How often the rule may run where its schema bounds no list or map around it. */
  readonly maxCardinality: bigint;
  /** Absent without messageExpression. */
  readonly messageMaxCost?: bigint;
  readonly usesOldSelf: boolean;
}

export interface RuleInspection {
  /** apiVersion, kind and metadata are there too. */
  readonly isResource: boolean;
  /** Expressions that were accepted before; they may use what only other servers know. */
  readonly stored: ReadonlySet<string>;
}

export interface RuleInspector {
  /** The rules of one schema, in order; undefined when values of the schema have no type in CEL. */
  inspect(schema: JsonSchema, inspection: RuleInspection): readonly InspectedRule[] | undefined;
}

const ruleCostMax = 10_000_000n;
const definitionCostMax = 100_000_000n;
const mostExpensiveMax = 4;
const uint64Max = 2n ** 64n - 1n;

const reasons: readonly string[] = [
  'FieldValueDuplicate',
  'FieldValueForbidden',
  'FieldValueInvalid',
  'FieldValueRequired',
];

const hasLineBreak = (text: string) => /[\n\r]/.test(text);

/** Errors of what is written, before anything is compiled. `path` is that of the schema. */
export function ruleTextErrors(schema: JsonSchema, path: string): FieldError[] {
  const list = childPath(path, 'x-kubernetes-validations');
  return (schema['x-kubernetes-validations'] ?? []).flatMap((rule, i) => {
    const errors: FieldError[] = [];
    const at = (field: string) => childPath(indexPath(list, i), field);
    const messageProblem = ruleAndMessageError(rule, at);
    if (messageProblem) errors.push(messageProblem);
    const { messageExpression = '', reason, fieldPath = '' } = rule;
    if (messageExpression !== '' && messageExpression.trim() === '') {
      const why = 'messageExpression must be non-empty if specified';
      errors.push(fieldError.required(at('messageExpression'), why));
    }
    if (reason !== undefined && !reasons.includes(reason)) {
      errors.push(fieldError.notSupported(at('reason'), reason, reasons));
    }
    for (const why of fieldPathProblems(fieldPath, schema)) {
      errors.push(fieldError.invalid(at('fieldPath'), fieldPath, why));
    }
    return errors;
  });
}

function ruleAndMessageError(
  { rule = '', message = '' }: ValidationRule,
  at: (field: string) => string,
): FieldError | undefined {
  const [text, shown] = [rule.trim(), message.trim()];
  if (text === '') return fieldError.required(at('rule'), 'rule is not specified');
  if (message !== '' && shown === '') {
    return fieldError.invalid(at('message'), message, 'must be non-empty if specified');
  }
  if (hasLineBreak(shown)) {
    return fieldError.invalid(at('message'), message, 'must not contain line breaks');
  }
  if (hasLineBreak(text) && shown === '') {
    const why = 'message must be specified if rule contains line breaks';
    return fieldError.required(at('message'), why);
  }
  return undefined;
}

function fieldPathProblems(fieldPath: string, schema: JsonSchema): string[] {
  if (fieldPath === '') return [];
  const problems: string[] = [];
  if (fieldPath.trim() === '') problems.push('must be non-empty if specified');
  if (hasLineBreak(fieldPath)) problems.push('must not contain line breaks');
  if (unreadableKeyword(schema) === undefined && !resolveSchemaPath(fieldPath, schema).ok) {
    problems.push('must be a valid path');
  }
  return problems;
}

/** Adds up what all rules of one schema may cost. */
export interface CostTally {
  observe(path: string, cost: bigint): void;
  /** Errors when the total is too high: the most expensive rules, then the total. */
  errors(schemaPath: string): FieldError[];
}

export function createCostTally(): CostTally {
  let total = 0n;
  let most: { readonly path: string; readonly cost: bigint }[] = [];
  return {
    observe(path, cost) {
      total = saturated(total + cost);
      if (cost < 1n) return;
      most = [...most, { path, cost }]
        .sort((a, b) => (a.cost > b.cost ? -1 : a.cost < b.cost ? 1 : 0))
        .slice(0, mostExpensiveMax);
    },
    errors(schemaPath) {
      if (total <= definitionCostMax) return [];
      const share =
        'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
      const subject =
        'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema';
      const why = costSentence(subject, { cost: total, max: definitionCostMax });
      return [
        ...most.map(({ path }) => fieldError.forbidden(path, share)),
        fieldError.forbidden(schemaPath, why),
      ];
    },
  };
}

const saturated = (cost: bigint) => (cost > uint64Max ? uint64Max : cost);

interface Cost {
  readonly cost: bigint;
  readonly max: bigint;
}

function costSentence(subject: string, { cost, max }: Cost): string {
  const times = Number(cost) / Number(max);
  const factor =
    times > 100 ? 'more than 100x' : times < 1.5 ? `${times.toFixed(6)}x` : `${times.toFixed(1)}x`;
  return `${subject} exceeds budget by factor of ${factor} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`;
}

export interface RuleContext {
  readonly inspector: RuleInspector;
  readonly tally: CostTally;
  readonly isResource: boolean;
  /** How often the schema may occur in an object; undefined where a list or map has no bound. */
  readonly cardinality: bigint | undefined;
  /** The part of the schema where old and new values cannot be told to be the same. */
  readonly uncorrelatable: string | undefined;
  /** Rules that were accepted before are not held to a limit that came later. */
  readonly ignoreRuleCost: boolean;
  readonly stored: ReadonlySet<string>;
}

/** Errors of the compiled rules of one schema. */
export function compiledRuleErrors(
  schema: JsonSchema,
  path: string,
  context: RuleContext,
): FieldError[] {
  const rules = schema['x-kubernetes-validations'] ?? [];
  const list = childPath(path, 'x-kubernetes-validations');
  const inspectedRules = context.inspector.inspect(schema, context);
  if (inspectedRules === undefined) {
    const why = 'internal error: failed to retrieve type information for x-kubernetes-validations';
    return [fieldError.internal(list, why)];
  }
  return inspectedRules.flatMap((inspected, i) => {
    const rule = rules[i];
    if (!rule) return [];
    const at = (field: string) => childPath(indexPath(list, i), field);
    return [
      ...costErrors(inspected, at, context),
      ...expressionErrors(inspected, rule, at),
      ...oldSelfErrors(inspected, rule, { at, uncorrelatable: context.uncorrelatable }),
    ];
  });
}

type PathOf = (field: string) => string;

function costErrors(inspected: InspectedRule, at: PathOf, context: RuleContext): FieldError[] {
  const errors: FieldError[] = [];
  const check = (field: string, subject: string, cost: bigint) => {
    if (!context.ignoreRuleCost && cost > ruleCostMax) {
      const why = costSentence(subject, { cost, max: ruleCostMax });
      errors.push(fieldError.forbidden(at(field), why));
    }
    context.tally.observe(at(field), cost);
  };
  const times = context.cardinality ?? inspected.maxCardinality;
  check('rule', 'estimated rule cost', saturated(inspected.maxCost * times));
  if (inspected.messageMaxCost !== undefined && inspected.messageError === undefined) {
    check('messageExpression', 'estimated messageExpression cost', inspected.messageMaxCost);
  }
  return errors;
}

function expressionErrors(
  { error, messageError }: InspectedRule,
  rule: ValidationRule,
  at: PathOf,
): FieldError[] {
  const errors: FieldError[] = [];
  if (error?.required) errors.push(fieldError.required(at('rule'), error.detail));
  else if (error) errors.push(fieldError.invalid(at('rule'), printedRule(rule), error.detail));
  if (messageError !== undefined) {
    errors.push(fieldError.invalid(at('messageExpression'), printedRule(rule), messageError));
  }
  return errors;
}

function oldSelfErrors(
  { usesOldSelf }: InspectedRule,
  rule: ValidationRule,
  { at, uncorrelatable }: { readonly at: PathOf; readonly uncorrelatable: string | undefined },
): FieldError[] {
  if (usesOldSelf && uncorrelatable !== undefined) {
    const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`;
    return [fieldError.invalid(at('rule'), rule.rule, why)];
  }
  if (!usesOldSelf && rule.optionalOldSelf !== undefined) {
    const why = 'may not be set if oldSelf is not used in rule';
    return [fieldError.invalid(at('optionalOldSelf'), rule.optionalOldSelf, why)];
  }
  return [];
}
