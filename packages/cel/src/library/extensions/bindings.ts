/**
 * `cel.bind(name, value, expression)`: a name for a value, computed when it is first used and at
 * most once.
 */

import type { Macro } from '../../macros/macro.ts';
import { unusedVariableName } from '../../operators.ts';
import type { Library } from '../library.ts';

const bind: Macro = {
  name: 'bind',
  isMember: true,
  argumentCount: 3,
  expand: (call, make) => {
    if (call.target?.kind !== 'identifier' || call.target.name !== 'cel') return undefined;
    const [variable, value, body] = call.arguments;
    if (variable?.kind !== 'identifier' || value === undefined || body === undefined) {
      const message = 'cel.bind() variable names must be simple identifiers';
      return { expressionId: variable?.id ?? call.id, message };
    }
    return make.comprehension({
      range: make.list(),
      iterationVariable: unusedVariableName,
      iterationVariable2: '',
      accumulator: variable.name,
      accumulatorInit: value,
      loopCondition: make.constant(false),
      loopStep: make.identifier(variable.name),
      result: body,
    });
  },
};

/** `cel.bind`. */
export const bindingsLibrary: Library = { name: 'cel.ext.bindings', macros: [bind] };
