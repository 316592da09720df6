/**
 * Builds environments and programs: the place where parsing, checking, planning and costing meet.
 */

import { checkExpression } from './checker/checker.ts';
import type { CheckIssue } from './checker/checker.ts';
import type { CheckedExpression } from './checker/checked-expression.ts';
import type { Declarations } from './checker/declarations.ts';
import { literalValidator } from './checker/validate-literals.ts';
import { estimateExpressionCost } from './cost/estimate-expression-cost.ts';
import type {
  Compilation,
  Environment,
  EnvironmentOptions,
  ExpressionLimits,
} from './environment.ts';
import type { Issue } from './issue.ts';
import { createFrame, EvaluationCancelled } from './interpreter/frame.ts';
import type { Evaluator, FrameLimits } from './interpreter/frame.ts';
import { planExpression } from './interpreter/plan.ts';
import type { Plan } from './interpreter/plan.ts';
import type { FunctionDeclaration, Library, Validator } from './library/library.ts';
import { optionalLibrary } from './library/optional/optional-library.ts';
import { standardLibrary } from './library/standard/standard-library.ts';
import type { Macro } from './macros/macro.ts';
import { macroKey, parseExpression } from './parser/parser.ts';
import { positionAt } from './parser/source-positions.ts';
import type { Evaluation, Program } from './program.ts';
import { celTypes } from './types/type.ts';
import { fatalError } from './values/error.ts';

/** Limits that cel-go has too; every expression of Kubernetes fits in them. */
const defaultLimits: ExpressionLimits = { expressionLengthMax: 100_000, recursionDepthMax: 250 };

/** How often a running evaluation looks at its signal, unless told otherwise. */
const defaultCheckFrequency = 100;

/**
 * An environment with the standard functions and macros, and what the options add. Throws when
 * declarations contradict each other: two overloads with one id.
 */
export function createEnvironment(options: EnvironmentOptions = {}): Environment {
  const libraries = uniqueLibraries([
    standardLibrary({ isCrossType: options.crossTypeNumericComparisons === true }),
    ...(options.optionalSyntax === true ? [optionalLibrary] : []),
    ...(options.libraries ?? []),
  ]);
  const declarations = declare(libraries, options);
  const macros = new Map<string, Macro>();
  for (const macro of libraries.flatMap((library) => library.macros ?? [])) {
    macros.set(macroKey(macro.name, macro.isMember, macro.argumentCount), macro);
  }
  const parserOptions = {
    macros,
    limits: { ...defaultLimits, ...options.limits },
    optionalSyntax: options.optionalSyntax === true,
    escapedIdentifiers: options.escapedIdentifiers === true,
  };
  const validators = [
    literalValidator({
      validateLiterals: options.validateLiterals === true,
      homogeneousLiterals: options.homogeneousLiterals === true,
    }),
    ...libraries.flatMap((library) => library.validators ?? []),
  ];
  return {
    compile: (text) => {
      const { tree, issues } = parseExpression(text, parserOptions);
      if (tree === undefined) return { issues: toOrdered(issues) };
      const outcome = checkExpression(tree, declarations);
      if (outcome.checked === undefined) return { issues: toIssues(text, outcome.issues) };
      const problems = validate(outcome.checked, validators);
      if (problems.length > 0) return { issues: toIssues(text, problems) };
      return { program: createProgram(text, outcome.checked, { declarations, options }) };
    },
    extend: (more) => createEnvironment(mergeOptions(options, more)),
  };
}

function toOrdered(issues: readonly Issue[]): readonly Issue[] {
  return issues.toSorted((left, right) => left.line - right.line || left.column - right.column);
}

function toIssues(text: string, issues: readonly CheckIssue[]): NonNullable<Compilation['issues']> {
  return issues.map(({ offset, message }) => ({ message, ...positionAt(text, offset) }));
}

function validate(checked: CheckedExpression, validators: readonly Validator[]): CheckIssue[] {
  return validators
    .flatMap((validator) => validator(checked))
    .map(({ expressionId, message }) => ({
      offset: checked.offsets.get(expressionId) ?? 0,
      message,
    }))
    .toSorted((left, right) => left.offset - right.offset);
}

interface ProgramContext {
  readonly declarations: Declarations;
  readonly options: EnvironmentOptions;
}

function createProgram(
  source: string,
  checked: CheckedExpression,
  context: ProgramContext,
): Program {
  const { declarations, options } = context;
  const freePresenceTests = options.freePresenceTests === true;
  const limits: FrameLimits = {
    interruptionCheckFrequency: options.interruptionCheckFrequency ?? defaultCheckFrequency,
  };
  // Many expressions are checked and never run, so planning waits for the first run.
  let planned: Plan | undefined;
  const plan = (): Plan => {
    planned ??= planExpression(checked, {
      declarations,
      freePresenceTests,
      count: options.costs?.count,
      foldConstants: options.foldConstants === true,
    });
    return planned;
  };
  return {
    source,
    resultType: checked.types.get(checked.expression.id) ?? celTypes.dyn,
    expression: checked.expression,
    types: checked.types,
    variables: checked.variables,
    get instantiationError() {
      return plan().failure;
    },
    evaluate: (bindings, evaluationOptions = {}) =>
      run(plan().evaluator, createFrame(bindings, evaluationOptions, limits)),
    estimateCost: (estimator) =>
      estimateExpressionCost(checked, {
        declarations,
        freePresenceTests,
        estimator,
        estimateCall: options.costs?.estimate,
      }),
  };
}

function run(evaluator: Evaluator, frame: ReturnType<typeof createFrame>): Evaluation {
  try {
    const result = evaluator(frame);
    return { result, cost: frame.cost };
  } catch (error) {
    if (error instanceof EvaluationCancelled) {
      return { result: fatalError(error.message), cost: frame.cost };
    }
    // SECURITY: what JavaScript itself refuses (too long a string, too deep a stack) must not end
    // the caller.
    if (!(error instanceof RangeError)) throw error;
    return { result: fatalError('operation cancelled: value too large'), cost: frame.cost };
  }
}

function uniqueLibraries(libraries: readonly Library[]): Library[] {
  return [...new Map(libraries.map((library) => [library.name, library])).values()];
}

function declare(libraries: readonly Library[], options: EnvironmentOptions): Declarations {
  const functions = new Map<string, FunctionDeclaration>();
  const overloads = new Map<string, FunctionDeclaration['overloads'][number]>();
  for (const added of libraries.flatMap((library) => library.functions ?? [])) {
    for (const overload of added.overloads) {
      if (overloads.has(overload.id)) throw new Error(`two overloads have the id ${overload.id}`);
      overloads.set(overload.id, overload);
    }
    const known = functions.get(added.name)?.overloads ?? [];
    functions.set(added.name, { name: added.name, overloads: [...known, ...added.overloads] });
  }
  const constants = libraries.flatMap((library) => library.constants ?? []);
  return {
    container: options.container ?? '',
    variables: new Map(Object.entries(options.variables ?? {})),
    constants: new Map(constants.map((constant) => [constant.name, constant])),
    functions,
    overloads,
    types: [...(options.types ?? []), ...libraries.flatMap((library) => library.types ?? [])],
  };
}

function mergeOptions(base: EnvironmentOptions, more: EnvironmentOptions): EnvironmentOptions {
  return {
    ...base,
    ...more,
    variables: { ...base.variables, ...more.variables },
    types: [...(more.types ?? []), ...(base.types ?? [])],
    libraries: [...(base.libraries ?? []), ...(more.libraries ?? [])],
    limits: { ...base.limits, ...more.limits },
  };
}
