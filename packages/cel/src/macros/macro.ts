/**
 * What a macro is: a call that the parser replaces by another expression before anything is
 * checked.
 */

import type { Expression } from '../ast/expression.ts';
import type { ExpressionFactory } from '../ast/expression-factory.ts';

/** A place and what is wrong there; `expressionId` is the node to point at. */
export interface MacroError {
  readonly expressionId: number;
  readonly message: string;
}

/** A call as the parser met it. */
export interface MacroCall {
  readonly id: number;
  readonly target: Expression | undefined;
  readonly arguments: readonly Expression[];
}

/** Replaces calls of one name and number of arguments. */
export interface Macro {
  readonly name: string;
  /** Whether it is written `receiver.name(…)`. */
  readonly isMember: boolean;
  readonly argumentCount: number;
  /** The replacement, an error, or undefined to leave the call as it is. */
  expand(call: MacroCall, factory: ExpressionFactory): Expression | MacroError | undefined;
}

/** Whether an expansion failed. */
export function isMacroError(expansion: Expression | MacroError): expansion is MacroError {
  return 'message' in expansion;
}
