/**
 * Names of the functions that operators call. COMPAT: errors print them, so they are cel-go's.
 */

export const operators = {
  add: '_+_',
  subtract: '_-_',
  multiply: '_*_',
  divide: '_/_',
  modulo: '_%_',
  negate: '-_',
  not: '!_',
  equals: '_==_',
  notEquals: '_!=_',
  less: '_<_',
  lessEquals: '_<=_',
  greater: '_>_',
  greaterEquals: '_>=_',
  in: '@in',
  and: '_&&_',
  or: '_||_',
  conditional: '_?_:_',
  index: '_[_]',
  optionalSelect: '_?._',
  optionalIndex: '_[?_]',
  notStrictlyFalse: '@not_strictly_false',
} as const;

/** The accumulator of macros; no source can name it. */
export const accumulatorName = '@result';

/** The iteration variable of loops that do not iterate, such as `cel.bind`. */
export const unusedVariableName = '#unused';
