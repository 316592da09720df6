/**
 * How `cel.bind` looks once it is expanded: a loop over nothing, whose accumulator is the name.
 */

import { accumulatorName } from '../operators.ts';
import type { ComprehensionExpression } from './expression.ts';

/** Whether a loop only gives a value a name. */
export function isBinding(loop: ComprehensionExpression): boolean {
  return (
    loop.range.kind === 'list' &&
    loop.range.elements.length === 0 &&
    loop.loopCondition.kind === 'constant' &&
    loop.loopCondition.value === false &&
    loop.accumulator !== accumulatorName
  );
}
