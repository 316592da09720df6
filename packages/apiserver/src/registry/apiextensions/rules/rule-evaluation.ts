// Runs the rules of a schema on an object, from the root down: the rules of a node before those
// inside it, all on one budget. On update, rules about what is as it was only warn (KEP-4008).
// COMPAT: texts are kube-apiserver's.

import {
  fieldError,
  isJsonObject,
  omittedValue,
  quoteGo,
  renderFieldError,
  type FieldError,
  type JsonObject,
  type JsonValue,
} from '@keelson/apimachinery';
import { isError, optionalNone, optionalOf, type CelResult, type Program } from '@keelson/cel';
import { schemaValue, type EnvironmentSet } from '@keelson/cel/kubernetes';
import { isUnchanged, oldItems } from '../custom-resources/ratcheting.ts';
import { hasRules, type SchemaRuleCompiler } from '../custom-resources/schema-rules.ts';
import { childPath, indexPath, keyPath, shownPath } from '../schema/field-path.ts';
import {
  additionalSchema,
  isEmbeddedResource,
  itemSchema,
  listTypeOf,
  propertySchema,
  type JsonSchema,
  type ValidationRule,
} from '../schema/json-schema.ts';
import { resolveSchemaPath } from '../schema/schema-path.ts';
import {
  compileRules,
  storedEnvironmentOf,
  type CompiledRule,
  type CompiledRules,
} from './compile-rules.ts';

/** What all rules of one object may cost together. */
const objectCostMax = 10_000_000;
/** What one evaluation may cost. */
const callCostMax = 1_000_000;
const messageBytesMax = 5120;

/** Compiles rules of stored definitions when the first object needs them. */
export function createSchemaRuleCompiler(environments: EnvironmentSet): SchemaRuleCompiler {
  return {
    compile(schema) {
      const compiled = new Map<JsonSchema, CompiledRules | undefined>();
      const environmentOf = storedEnvironmentOf(environments);
      const rulesOf = (inner: JsonSchema, isResource: boolean) => {
        if (!compiled.has(inner)) {
          compiled.set(inner, compileRules(inner, { isResource, environmentOf }));
        }
        return compiled.get(inner);
      };
      return {
        evaluate(object, old, { ratchet = true } = {}) {
          const run: Run = {
            rulesOf,
            ratchet,
            remaining: objectCostMax,
            errors: [],
            warnings: [],
          };
          const before = old === undefined ? undefined : { value: old };
          visit(run, {
            schema,
            value: object,
            path: '',
            old: before,
            unchanged: isSame(schema, object, before),
            isRoot: true,
          });
          return { errors: run.errors, warnings: run.warnings };
        },
      };
    },
  };
}

interface Run {
  rulesOf(schema: JsonSchema, isResource: boolean): CompiledRules | undefined;
  /** Whether rules only warn of what is as it was. */
  readonly ratchet: boolean;
  /** Negative: no further rule runs. */
  remaining: number;
  readonly errors: FieldError[];
  readonly warnings: string[];
}

interface Old {
  readonly value: JsonValue;
}

interface Node {
  readonly schema: JsonSchema;
  readonly value: JsonValue;
  readonly path: string;
  /** The value of the same place before, where one can be told. */
  readonly old: Old | undefined;
  /** Whether this, or the nearest place around it that can be compared, is as it was. */
  unchanged(): boolean;
  readonly isRoot: boolean;
}

function isSame(schema: JsonSchema, value: JsonValue, old: Old | undefined): () => boolean {
  let known: boolean | undefined;
  return () => (known ??= old !== undefined && isUnchanged(schema, value, old.value));
}

function visit(run: Run, node: Node): void {
  const { schema, value } = node;
  if (value === null || !hasRules(schema)) return;
  runRules(run, node);
  if (run.remaining < 0) return;
  if (Array.isArray(value)) visitItems(run, node, value);
  else if (isJsonObject(value)) visitFields(run, node, value);
}

function visitItems(run: Run, node: Node, value: readonly JsonValue[]): void {
  const items = itemSchema(node.schema);
  if (items === undefined) return;
  const olds = oldItems(node.schema, value, node.old?.value);
  const isMap = listTypeOf(node.schema) === 'map';
  value.forEach((item, i) => {
    if (run.remaining < 0) return;
    const correlated = olds(i);
    visit(run, {
      schema: items,
      value: item,
      path: indexPath(node.path, i),
      // Plain lists are compared by index, but their items have no old value for rules.
      old: isMap ? correlated : undefined,
      unchanged: correlated ? both(node, items, item, correlated) : node.unchanged,
      isRoot: false,
    });
  });
}

function visitFields(run: Run, node: Node, value: JsonObject): void {
  const { schema, path } = node;
  const additional = additionalSchema(schema);
  const isAtomic = schema['x-kubernetes-map-type'] === 'atomic';
  for (const [name, item] of Object.entries(value)) {
    if (run.remaining < 0) return;
    const property = propertySchema(schema, name);
    const inner = property ?? additional;
    if (inner === undefined || item === undefined) continue;
    const before = isJsonObject(node.old?.value) ? node.old.value[name] : undefined;
    const old = before === undefined || isAtomic ? undefined : { value: before };
    visit(run, {
      schema: inner,
      value: item,
      path: property === undefined ? keyPath(path, name) : childPath(path, name),
      old,
      unchanged: before === undefined ? node.unchanged : both(node, inner, item, { value: before }),
      isRoot: false,
    });
  }
}

/** Within what is unchanged everything is. */
function both(node: Node, schema: JsonSchema, value: JsonValue, old: Old): () => boolean {
  const own = isSame(schema, value, old);
  return () => own() || node.unchanged();
}

function runRules(run: Run, node: Node): void {
  const { schema, old } = node;
  const rules = schema['x-kubernetes-validations'] ?? [];
  if (rules.length === 0) return;
  const isResource = node.isRoot || isEmbeddedResource(schema);
  const compiled = run.rulesOf(schema, isResource);
  if (compiled === undefined) return;
  const self = schemaValue(node.value, schema, isResource);
  const hasOld = old !== undefined && old.value !== null;
  const oldSelf = hasOld ? schemaValue(old.value, schema, isResource) : undefined;
  rules.forEach((rule, i) => {
    const program = compiled.rules[i];
    if (program === undefined || run.remaining < 0) return;
    if (program.usesOldSelf && !hasOld && rule.optionalOldSelf !== true) return;
    runRule(run, { node, rule, compiled: program, self, oldSelf });
  });
}

interface RuleRun {
  readonly node: Node;
  readonly rule: ValidationRule;
  readonly compiled: CompiledRule;
  readonly self: CelResult;
  readonly oldSelf: CelResult | undefined;
}

function runRule(run: Run, rule: RuleRun): void {
  const { compiled, node } = rule;
  const failed = (why: string) => run.errors.push(technicalError(node, why));
  if (compiled.error !== undefined) {
    failed(`rule compile error: ${compiled.error}`);
    return;
  }
  if (compiled.program === undefined) return;
  const { result, cost } = compiled.program.evaluate(variablesOf(rule), { costLimit: callCostMax });
  if (cost > run.remaining) {
    run.remaining = -1;
    failed(
      'validation failed due to running out of cost budget, no further validation rules will be run',
    );
    return;
  }
  run.remaining -= cost;
  if (isError(result)) {
    if (result.message.startsWith(costExceeded)) run.remaining = -1;
    failed(evaluationProblem(result.message, rule.rule));
  } else if (result !== true) report(run, rule);
}

/** A rule may ask whether there is an old value; then it gets an optional one. */
function variablesOf({ rule, self, oldSelf }: RuleRun): Readonly<Record<string, CelResult>> {
  if (rule.optionalOldSelf !== true) return oldSelf === undefined ? { self } : { self, oldSelf };
  if (oldSelf === undefined) return { self, oldSelf: optionalNone };
  return { self, oldSelf: isError(oldSelf) ? oldSelf : optionalOf(oldSelf) };
}

const costExceeded = 'operation cancelled: actual cost limit exceeded';

function evaluationProblem(message: string, rule: ValidationRule): string {
  const shown = (rule.message ? rule.message : (rule.rule ?? '')).trim();
  if (message.startsWith('no such overload')) {
    return `'${message}': call arguments did not match a supported operator, function or macro signature for rule: ${shown}`;
  }
  if (message.startsWith(costExceeded)) {
    return `'${message}': no further validation rules will be run due to call cost exceeds limit for rule: ${shown}`;
  }
  return `${message} evaluating rule: ${shown}`;
}

/** COMPAT: the value is the type of the schema. */
function technicalError({ path, schema }: Node, why: string): FieldError {
  return fieldError.invalid(shownPath(path), schema.type ?? '', why);
}

/** The rule is false. */
function report(run: Run, rule: RuleRun): void {
  const { node, compiled } = rule;
  const add = (error: FieldError) => {
    if (run.ratchet && !compiled.usesOldSelf && node.unchanged())
      run.warnings.push(renderFieldError(error));
    else run.errors.push(error);
  };
  const path = pathOf(rule);
  if (compiled.message === undefined) {
    add(falseError(rule, path, messageOf(rule.rule)));
    return;
  }
  const outcome = evaluateMessage(run, rule, compiled.message);
  if ('problem' in outcome) {
    run.remaining = -1;
    add(fieldError.invalid(shownPath(path), node.schema.type ?? '', outcome.problem));
  } else add(falseError(rule, path, outcome.message ?? messageOf(rule.rule)));
}

function pathOf({ node, rule }: RuleRun): string {
  const { fieldPath = '' } = rule;
  if (fieldPath === '') return node.path;
  const found = resolveSchemaPath(fieldPath, node.schema);
  return found.ok ? childPath(node.path, found.resolved.path) : node.path;
}

function messageOf({ rule = '', message = '' }: ValidationRule): string {
  return message === '' ? `failed rule: ${rule.trim()}` : message.trim();
}

function falseError({ node, rule }: RuleRun, path: string, message: string): FieldError {
  const { value } = node;
  const shown = typeof value === 'object' && value !== null ? omittedValue : value;
  const at = shownPath(path);
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return fieldError.forbidden(at, message);
    case 'FieldValueRequired':
      return fieldError.required(at, message);
    case 'FieldValueDuplicate':
      return fieldError.duplicate(at, shown);
    default:
      return fieldError.invalid(at, shown, message);
  }
}

/** The message; none when the expression gives none that can be shown. */
type MessageOutcome = { readonly message: string | undefined } | { readonly problem: string };

function evaluateMessage(run: Run, rule: RuleRun, program: Program): MessageOutcome {
  const { self, oldSelf } = rule;
  const variables: Readonly<Record<string, CelResult>> =
    oldSelf === undefined ? { self } : { self, oldSelf };
  const { result, cost } = program.evaluate(variables, { costLimit: callCostMax });
  if (cost > run.remaining) {
    const problem =
      'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run';
    return { problem };
  }
  if (isError(result) && result.message.startsWith(costExceeded)) {
    const shown = quoteGo(rule.rule.messageExpression ?? '');
    return {
      problem: `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${shown}`,
    };
  }
  run.remaining -= cost;
  if (typeof result !== 'string') return { message: undefined };
  const message = result.trim();
  const isShown =
    message !== '' && !message.includes('\n') && Buffer.byteLength(message) <= messageBytesMax;
  return { message: isShown ? message : undefined };
}
