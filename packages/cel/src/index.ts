// Common Expression Language (https://cel.dev): parse, check, evaluate, with cost.
//
// An environment says which names an expression may use. It compiles text to a program, or to
// issues that say what is wrong and where. A program is evaluated with values for its variables;
// the outcome is a value or an error, and what it cost. Nothing here throws for any text, and with
// a cost limit every evaluation ends. It runs in a browser.
//
// ```js
// const environment = createEnvironment({
//   variables: { user: celTypes.string, groups: listType(celTypes.string) },
//   libraries: [stringsLibrary()],
// });
//
// const text = 'user.lowerAscii() == "ada" && groups.exists(g, g == "admins")';
// const { program } = environment.compile(text);
// const bindings = { user: 'Ada', groups: fromJson(['users', 'admins']) };
// program.evaluate(bindings, { costLimit: 1000 }).result; // true
//
// const { issues } = environment.compile('user == 1');
// issues[0].message; // found no matching overload for '_==_' applied to '(string, int)'
//
// // Before anything is evaluated: what can it cost, with at most 10 groups of 20 characters?
// const estimateSize = ({ path }) => ({ min: 0, max: path?.includes('@items') ? 20 : 10 });
// program.estimateCost({ estimateSize }).max; // 65
// ```

export { createEnvironment } from './create-environment.ts';
export type {
  CallCosts,
  Compilation,
  Environment,
  EnvironmentOptions,
  ExpressionLimits,
} from './environment.ts';
export type {
  Bindings,
  Evaluation,
  EvaluationOptions,
  ExplainedPart,
  Explanation,
  Program,
} from './program.ts';
export { describeValue } from './explanation/value-text.ts';
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
export { formatType, typeToString } from './types/format-type.ts';
export { isSameType } from './types/same-type.ts';
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
export { isEqual } from './values/equality.ts';
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
export { regexLibrary } from './library/extensions/regex.ts';
export { setsLibrary } from './library/extensions/sets.ts';
export { stringsLibrary } from './library/extensions/strings.ts';
export type { StringsVersion } from './library/extensions/strings.ts';
export { twoVariableComprehensionsLibrary } from './library/extensions/two-variable-comprehensions.ts';

export { isMacroError } from './macros/macro.ts';
export type { Macro, MacroCall, MacroError } from './macros/macro.ts';
export type { ExpressionFactory } from './ast/expression-factory.ts';
export type { Expression } from './ast/expression.ts';
export type { NodeTable } from './ast/node-table.ts';
export { childrenOf } from './checker/walk-expression.ts';

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
