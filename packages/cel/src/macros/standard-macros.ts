/**
 * The macros of the language: `has`, and the loops `all`, `exists`, `exists_one` (also
 * `existsOne`), `map` and `filter`.
 */

import type { ExpressionFactory } from '../ast/expression-factory.ts';
import type { ComprehensionExpression, Expression } from '../ast/expression.ts';
import { accumulatorName, operators } from '../operators.ts';
import { loopVariable } from './loop-variable.ts';
import type { Macro, MacroCall, MacroError } from './macro.ts';

const notASimpleName = 'argument must be a simple name';
const notAnIdentifier = 'argument is not an identifier';

/** How a loop computes; the rest is the same for all. */
export type LoopParts = Pick<
  ComprehensionExpression,
  'accumulatorInit' | 'loopCondition' | 'loopStep' | 'result'
>;

/** The loop of `all` over a predicate: true until one is false, errors allowed on the way. */
export function allLoop(make: ExpressionFactory, predicate: Expression): LoopParts {
  return {
    accumulatorInit: make.constant(true),
    loopCondition: make.call(operators.notStrictlyFalse, make.identifier(accumulatorName)),
    loopStep: make.call(operators.and, make.identifier(accumulatorName), predicate),
    result: make.identifier(accumulatorName),
  };
}

/** The loop of `exists`. */
export function existsLoop(make: ExpressionFactory, predicate: Expression): LoopParts {
  const isUndecided = make.call(operators.not, make.identifier(accumulatorName));
  return {
    accumulatorInit: make.constant(false),
    loopCondition: make.call(operators.notStrictlyFalse, isUndecided),
    loopStep: make.call(operators.or, make.identifier(accumulatorName), predicate),
    result: make.identifier(accumulatorName),
  };
}

/** The loop of `exists_one`: counts, and so meets every element. */
export function existsOneLoop(make: ExpressionFactory, predicate: Expression): LoopParts {
  return {
    accumulatorInit: make.constant(0n),
    loopCondition: make.constant(true),
    loopStep: make.call(
      operators.conditional,
      predicate,
      make.call(operators.add, make.identifier(accumulatorName), make.constant(1n)),
      make.identifier(accumulatorName),
    ),
    result: make.call(operators.equals, make.identifier(accumulatorName), make.constant(1n)),
  };
}

/** The loop that appends an element for each round, or for those where the filter holds. */
export function appendLoop(
  make: ExpressionFactory,
  element: Expression,
  filter?: Expression,
): LoopParts {
  const append = make.call(operators.add, make.identifier(accumulatorName), make.list(element));
  return {
    accumulatorInit: make.list(),
    loopCondition: make.constant(true),
    loopStep:
      filter === undefined
        ? append
        : make.call(operators.conditional, filter, append, make.identifier(accumulatorName)),
    result: make.identifier(accumulatorName),
  };
}

const has: Macro = {
  name: 'has',
  isMember: false,
  argumentCount: 1,
  expand: (call, make) => {
    const [argument] = call.arguments;
    if (argument?.kind === 'select' && !argument.isTest) {
      return make.test(argument.operand, argument.field);
    }
    return {
      expressionId: argument?.id ?? call.id,
      message: 'invalid argument to has() macro',
    };
  },
};

type MakeLoop = (
  make: ExpressionFactory,
  variable: Expression,
  values: readonly Expression[],
) => LoopParts;

function loopMacro(
  name: string,
  argumentCount: number,
  notAName: string,
  makeLoop: MakeLoop,
): Macro {
  const expand = (call: MacroCall, make: ExpressionFactory): Expression | MacroError => {
    const [variable, ...values] = call.arguments;
    const iterationVariable = loopVariable(variable, notAName);
    if (typeof iterationVariable !== 'string') return iterationVariable;
    if (call.target === undefined || variable === undefined) {
      return { expressionId: call.id, message: notAName };
    }
    return make.comprehension({
      range: call.target,
      iterationVariable,
      iterationVariable2: '',
      accumulator: accumulatorName,
      ...makeLoop(make, variable, values),
    });
  };
  return { name, isMember: true, argumentCount, expand };
}

function first(values: readonly Expression[]): Expression {
  const [value] = values;
  if (value === undefined) throw new Error('macros are called with as many arguments as they take');
  return value;
}

const all = loopMacro('all', 2, notASimpleName, (make, _variable, values) =>
  allLoop(make, first(values)),
);
const exists = loopMacro('exists', 2, notASimpleName, (make, _variable, values) =>
  existsLoop(make, first(values)),
);
const existsOne = (name: string): Macro =>
  loopMacro(name, 2, notASimpleName, (make, _variable, values) =>
    existsOneLoop(make, first(values)),
  );
const map = loopMacro('map', 2, notAnIdentifier, (make, _variable, values) =>
  appendLoop(make, first(values)),
);
const mapFiltered = loopMacro('map', 3, notAnIdentifier, (make, _variable, values) =>
  appendLoop(make, first(values.slice(1)), first(values)),
);
const filter = loopMacro('filter', 2, notAnIdentifier, (make, variable, values) =>
  appendLoop(make, variable, first(values)),
);

/** In every environment. */
export const standardMacros: readonly Macro[] = [
  has,
  all,
  exists,
  existsOne('exists_one'),
  existsOne('existsOne'),
  map,
  mapFiltered,
  filter,
];
