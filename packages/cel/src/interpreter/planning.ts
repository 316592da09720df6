/**
 * What the parts of a plan share while a tree is planned: what names mean, which evaluators are
 * constant, and how the parts of an expression are planned in turn.
 *
 * COMPAT: costs are charged as cel-go charges them. There, a name with the fields and indices
 * behind it is one attribute: 1 for the name (or for starting from a computed value), 1 for each
 * step; an index that is itself an attribute costs no step of its own, and the branches of a
 * conditional cost nothing for their names.
 */

import type { CallExpression, Expression } from '../ast/expression.ts';
import type { Reference } from '../checker/checked-expression.ts';
import type { Declarations } from '../checker/declarations.ts';
import type { CallCosts } from '../environment.ts';
import { operators } from '../operators.ts';
import type { CelError, CelResult, CelValue } from '../values/value.ts';
import type { Evaluator, Frame } from './frame.ts';

/** What planning needs beside the tree. */
export interface PlanOptions {
  readonly declarations: Declarations;
  readonly freePresenceTests: boolean;
  readonly costs: CallCosts | undefined;
  /** Compute literals of constants and conversions of constants now; they then cost nothing. */
  readonly foldConstants: boolean;
  /** Tell the frame the value of each node that is no constant. */
  readonly observed?: boolean;
}

/** A name that a loop brings in; one with `init` is computed when it is first used. */
export interface LocalVariable {
  readonly name: string;
  readonly slot: number;
  readonly init?: Evaluator;
  /** Told when a part that is being planned uses the name. */
  readonly onUse?: () => void;
}

/** One tree that is being planned. */
export interface Planning {
  readonly options: PlanOptions;
  plan(expression: Expression): Evaluator;
  /** `rootCost` is what an attribute costs beside its steps. */
  planAttribute(expression: Expression, rootCost: number): Evaluator;
  referenceOf(expression: Expression): Reference | undefined;
  /** An evaluator that is known to be constant. */
  constantly(value: CelValue): Evaluator;
  constantOf(evaluator: Evaluator): CelValue | undefined;
  /** The values of evaluators that are all constant, where constants are folded. */
  constantValues(evaluators: readonly Evaluator[]): CelValue[] | undefined;
  findLocal(name: string): LocalVariable | undefined;
  withLocals(variables: readonly LocalVariable[], planInner: () => Evaluator): Evaluator;
  /**
   * The first of so many new slots. Each loop has slots of its own: a binding may be computed for
   * the first time inside of any other loop.
   */
  takeSlots(count: number): number;
  /** A constant part always fails. */
  reportFailure(failure: CelError): void;
}

const attributeOperators: ReadonlySet<string> = new Set([
  operators.conditional,
  operators.index,
  operators.optionalIndex,
  operators.optionalSelect,
]);

/** Whether a part is an attribute, which costs by its name and steps. */
export function isAttribute(planning: Planning, expression: Expression): boolean {
  switch (expression.kind) {
    case 'identifier':
      return planning.referenceOf(expression)?.value === undefined;
    case 'select':
      return true;
    case 'call':
      return attributeOperators.has(expression.function);
    default:
      return false;
  }
}

/** The operands of an operator that has two. */
export function operandsOf(call: CallExpression): [Expression, Expression] {
  const [first, second] = call.arguments;
  if (first === undefined || second === undefined)
    throw new Error('the operator takes two operands');
  return [first, second];
}

/** The result, after what it cost. */
export function charged(frame: Frame, cost: number, result: CelResult): CelResult {
  frame.charge(cost);
  return result;
}
