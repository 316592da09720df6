/**
 * What the loop macros ask of the names they are given.
 */

import type { Expression } from '../ast/expression.ts';
import { accumulatorName } from '../operators.ts';
import type { MacroError } from './macro.ts';

/**
 * The name of an iteration variable, or an error at the argument; `notAName` words what else it is.
 */
export function loopVariable(
  argument: Expression | undefined,
  notAName: string,
): string | MacroError {
  if (argument === undefined) return { expressionId: 0, message: notAName };
  if (argument.kind !== 'identifier' || argument.name.startsWith('.')) {
    return { expressionId: argument.id, message: notAName };
  }
  if (argument.name === accumulatorName || argument.name === '__result__') {
    const message = 'iteration variable overwrites accumulator variable';
    return { expressionId: argument.id, message };
  }
  return argument.name;
}
