/**
 * Common Expression Language: parse, check, evaluate, with cost.
 */

export { createEnvironment } from './create-environment.ts';
export type {
  CallCosts,
  Compilation,
  Environment,
  EnvironmentOptions,
  ExpressionLimits,
} from './environment.ts';
export type { Bindings, Evaluation, EvaluationOptions, Program } from './program.ts';
export { formatIssues } from './issue.ts';
export type { Issue } from './issue.ts';

export {
  celTypes,
  listType,
  mapType,
  objectType,
  opaqueType,
  optionalType,
  typeParameter,
  typeType,
  wrapperType,
} from './types/type.ts';
export type { CelType, CelTypeKind } from './types/type.ts';
export type { FieldDeclaration, TypeProvider } from './types/type-provider.ts';

export { isError, isList, isMap, isOpaque, isOptional, kindOf } from './values/value.ts';
export type {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelObject,
  CelOpaque,
  CelOptional,
  CelResult,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  CelValue,
  CelValueKind,
} from './values/value.ts';
export { celError, fatalError, noSuchKey, noSuchOverload } from './values/error.ts';
export { celList, concatLists, elementsOf, lazyList } from './values/list.ts';
export { celMap, entriesOf, lazyMap } from './values/map.ts';
export {
  celDuration,
  celTimestamp,
  celTypeValue,
  celUint,
  optionalNone,
  optionalOf,
} from './values/scalars.ts';
export { fromJson } from './values/json.ts';
export type { JsonLike } from './values/json.ts';

export { declareFunction, globalOverload, memberOverload } from './library/library.ts';
export type {
  ConstantDeclaration,
  FunctionDeclaration,
  Library,
  Overload,
  ValidationProblem,
  Validator,
} from './library/library.ts';
export { bindingsLibrary } from './library/extensions/bindings.ts';
export { encodersLibrary } from './library/extensions/encoders.ts';
export { listsLibrary } from './library/extensions/lists.ts';
export type { ListsVersion } from './library/extensions/lists.ts';
export { mathLibrary } from './library/extensions/math.ts';
export type { MathVersion } from './library/extensions/math.ts';
export { setsLibrary } from './library/extensions/sets.ts';
export { stringsLibrary } from './library/extensions/strings.ts';
export type { StringsVersion } from './library/extensions/strings.ts';
export { twoVariableComprehensionsLibrary } from './library/extensions/two-variable-comprehensions.ts';

export { isMacroError } from './macros/macro.ts';
export type { Macro, MacroCall, MacroError } from './macros/macro.ts';
export type { ExpressionFactory } from './ast/expression-factory.ts';
export type { Expression } from './ast/expression.ts';

export type {
  CallContext,
  CallCost,
  CallEstimate,
  CallEstimator,
  CostEstimate,
  CostEstimator,
  EstimatedNode,
  SizeEstimate,
} from './cost/cost.ts';
