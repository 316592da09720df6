/**
 * A checked tree to closures: everything that can be decided before evaluation is decided here,
 * once. What each kind of node becomes is in the `plan-…` files beside this one.
 */

import type { CallExpression, Expression } from '../ast/expression.ts';
import type { CheckedExpression, Reference } from '../checker/checked-expression.ts';
import { operators } from '../operators.ts';
import type { CelError, CelValue } from '../values/value.ts';
import type { Evaluator } from './frame.ts';
import { planIdentifier, planIndex, planSelect } from './plan-attribute.ts';
import { planComparison } from './plan-comparison.ts';
import { planFunction } from './plan-function.ts';
import { planList, planMap, planStruct } from './plan-literal.ts';
import { planConditional, planIn, planLogic, planNotStrictlyFalse } from './plan-logic.ts';
import { planComprehension } from './plan-loop.ts';
import type { LocalVariable, Planning, PlanOptions } from './planning.ts';

export type { PlanOptions } from './planning.ts';

/** A tree that can be run. */
export interface Plan {
  readonly evaluator: Evaluator;
  /** The error of a constant part that always fails. */
  readonly failure: CelError | undefined;
}

/** Plans a whole expression. */
export function planExpression(checked: CheckedExpression, options: PlanOptions): Plan {
  const planner = new Planner(checked, options);
  const evaluator = planner.plan(checked.expression);
  return { evaluator, failure: planner.failure };
}

// Plans one tree.
class Planner implements Planning {
  readonly options: PlanOptions;
  failure: CelError | undefined;
  readonly #checked: CheckedExpression;
  readonly #locals: LocalVariable[] = [];
  #slotCount = 0;
  readonly #planned = new Map<Expression, Evaluator>();
  readonly #constants = new Map<Evaluator, CelValue>();

  constructor(checked: CheckedExpression, options: PlanOptions) {
    this.#checked = checked;
    this.options = options;
  }

  plan(expression: Expression): Evaluator {
    const known = this.#planned.get(expression);
    if (known !== undefined) return known;
    const evaluator = this.planAttribute(expression, 1);
    this.#planned.set(expression, evaluator);
    return evaluator;
  }

  planAttribute(expression: Expression, rootCost: number): Evaluator {
    const evaluator = this.#planKind(expression, rootCost);
    if (this.options.observed !== true || this.#constants.has(evaluator)) return evaluator;
    return (frame) => {
      const value = evaluator(frame);
      frame.observations?.set(expression.id, value);
      return value;
    };
  }

  #planKind(expression: Expression, rootCost: number): Evaluator {
    switch (expression.kind) {
      case 'constant':
        return this.constantly(expression.value);
      case 'identifier':
        return planIdentifier(this, { expression, name: expression.name, rootCost });
      case 'select':
        return planSelect(this, expression, rootCost);
      case 'call':
        return this.#planCall(expression, rootCost);
      case 'list':
        return planList(this, expression);
      case 'map':
        return planMap(this, expression);
      case 'struct':
        return planStruct(this, expression);
      case 'comprehension':
        return planComprehension(this, expression);
    }
  }

  #planCall(call: CallExpression, rootCost: number): Evaluator {
    switch (call.function) {
      case operators.and:
        return planLogic(this, call, false);
      case operators.or:
        return planLogic(this, call, true);
      case operators.conditional:
        return planConditional(this, call);
      case operators.index:
        return planIndex(this, call, { rootCost, isOptional: false });
      case operators.optionalIndex:
      case operators.optionalSelect:
        return planIndex(this, call, { rootCost, isOptional: true });
      case operators.notStrictlyFalse:
        return planNotStrictlyFalse(this, call);
      case operators.in:
        return planIn(this, call);
      default:
        return this.#planShort(call) ?? planFunction(this, call);
    }
  }

  // The short way does not stop at the field, whose value is what an observer asks for.
  #planShort(call: CallExpression): Evaluator | undefined {
    return this.options.observed === true ? undefined : planComparison(this, call);
  }

  referenceOf(expression: Expression): Reference | undefined {
    return this.#checked.references.get(expression.id);
  }

  constantly(value: CelValue): Evaluator {
    const evaluator: Evaluator = () => value;
    this.#constants.set(evaluator, value);
    return evaluator;
  }

  constantOf(evaluator: Evaluator): CelValue | undefined {
    return this.#constants.get(evaluator);
  }

  constantValues(evaluators: readonly Evaluator[]): CelValue[] | undefined {
    const isFolded = this.options.foldConstants && evaluators.every((e) => this.#constants.has(e));
    return isFolded ? evaluators.map((e) => this.#constants.get(e) ?? null) : undefined;
  }

  findLocal(name: string): LocalVariable | undefined {
    const local = this.#locals.findLast((variable) => variable.name === name);
    local?.onUse?.();
    return local;
  }

  withLocals(variables: readonly LocalVariable[], planInner: () => Evaluator): Evaluator {
    this.#locals.push(...variables);
    const evaluator = planInner();
    this.#locals.length -= variables.length;
    return evaluator;
  }

  takeSlots(count: number): number {
    const first = this.#slotCount;
    this.#slotCount += count;
    return first;
  }

  reportFailure(failure: CelError): void {
    this.failure ??= failure;
  }
}
