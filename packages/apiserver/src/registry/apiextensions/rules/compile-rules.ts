// Compiles the rules of one schema node (`x-kubernetes-validations`): `self` is the value of the
// node, `oldSelf` the value that it replaces. What does not compile says why; what does has its
// estimated cost.
// COMPAT: texts and the order of checks are kube-apiserver's.

import { celTypes, formatIssues, optionalType, type Environment, type Program } from '@keelson/cel';
import {
  costEstimatorOf,
  declareType,
  instantiationProblem,
  requestBytesMax,
  typeProviderOf,
  type DeclaredType,
  type EnvironmentSet,
} from '@keelson/cel/kubernetes';
import type { JsonSchema, ValidationRule } from '../schema/json-schema.ts';

export interface CompiledRule {
  /** Absent for an empty rule and for one that does not compile. */
  readonly program?: Program;
  readonly error?: string;
  readonly message?: Program;
  readonly messageError?: string;
  readonly maxCost: bigint;
  readonly messageMaxCost?: bigint;
  readonly usesOldSelf: boolean;
}

export interface CompiledRules {
  readonly rules: readonly CompiledRule[];
  /** How often the node may occur in the largest object. */
  readonly maxCardinality: bigint;
}

export interface RuleCompilation {
  /** apiVersion, kind and metadata are there too. */
  readonly isResource: boolean;
  /** The environment of an expression: what is stored may use more than what is new. */
  environmentOf(expression: string): Environment;
}

const uint64Max = 2n ** 64n - 1n;

/** The rules of the node in order; undefined when rules cannot see values of its schema. */
export function compileRules(
  schema: JsonSchema,
  { isResource, environmentOf }: RuleCompilation,
): CompiledRules | undefined {
  const declared = declareType(schema, 'selfType', isResource);
  if (declared === undefined) return undefined;
  const extended = createExtensions(declared);
  const compiler: RuleCompiler = {
    declared,
    environmentOf: (expression, isOptional) => extended(environmentOf(expression), isOptional),
  };
  const rules = schema['x-kubernetes-validations'] ?? [];
  return {
    rules: rules.map((rule) => compileRule(rule, compiler)),
    maxCardinality: BigInt(Math.floor(requestBytesMax / (declared.serializedSizeMin + 1))),
  };
}

/** The environment for expressions that are stored, whatever they are. */
export function storedEnvironmentOf(environments: EnvironmentSet): () => Environment {
  return () => environments.storedExpressions;
}

interface RuleCompiler {
  readonly declared: DeclaredType;
  environmentOf(expression: string, oldSelfIsOptional: boolean): Environment;
}

/** Adds the variables; an environment is extended once for each form of `oldSelf`. */
function createExtensions(declared: DeclaredType) {
  const types = [typeProviderOf(declared)];
  const self = declared.type;
  const forms = [new Map<Environment, Environment>(), new Map<Environment, Environment>()] as const;
  return (base: Environment, oldSelfIsOptional: boolean): Environment => {
    const known = forms[oldSelfIsOptional ? 1 : 0];
    let extended = known.get(base);
    if (extended === undefined) {
      const oldSelf = oldSelfIsOptional ? optionalType(self) : self;
      extended = base.extend({ variables: { self, oldSelf }, types });
      known.set(base, extended);
    }
    return extended;
  };
}

const notCompiled = { maxCost: 0n, usesOldSelf: false } as const;

function compileRule(rule: ValidationRule, compiler: RuleCompiler): CompiledRule {
  const { rule: text = '', messageExpression = '', optionalOldSelf = false } = rule;
  if (text.trim() === '') return notCompiled;
  const environment = compiler.environmentOf(text, optionalOldSelf);
  const { program, issues } = environment.compile(text);
  if (program === undefined) {
    return { ...notCompiled, error: `compilation failed: ${formatIssues(text, issues)}` };
  }
  if (program.resultType.kind !== celTypes.bool.kind) {
    return { ...notCompiled, error: 'cel expression must evaluate to a bool' };
  }
  const usesOldSelf = program.variables.has('oldSelf');
  const problem = instantiationProblem(program);
  if (problem !== undefined) {
    return { maxCost: 0n, usesOldSelf, error: `program instantiation failed: ${problem}` };
  }
  const compiled = { program, usesOldSelf, maxCost: maxCostOf(program, compiler.declared) };
  return { ...compiled, ...compileMessage(messageExpression, optionalOldSelf, compiler) };
}

function compileMessage(
  text: string,
  optionalOldSelf: boolean,
  compiler: RuleCompiler,
): Pick<CompiledRule, 'message' | 'messageError' | 'messageMaxCost'> {
  if (text === '') return {};
  const environment = compiler.environmentOf(text, optionalOldSelf);
  const { program, issues } = environment.compile(text);
  if (program === undefined) {
    return { messageError: `messageExpression compilation failed: ${formatIssues(text, issues)}` };
  }
  if (program.resultType.kind !== celTypes.string.kind) {
    return { messageError: 'messageExpression must evaluate to a string' };
  }
  const problem = instantiationProblem(program);
  if (problem !== undefined) {
    return { messageError: `messageExpression instantiation failed: ${problem}` };
  }
  return { message: program, messageMaxCost: maxCostOf(program, compiler.declared) };
}

function maxCostOf(program: Program, declared: DeclaredType): bigint {
  const { max } = program.estimateCost(costEstimatorOf(declared));
  const cost = Number.isFinite(max) ? BigInt(Math.floor(max)) : uint64Max;
  return cost > uint64Max ? uint64Max : cost;
}
