/**
 * Gives every node a type, and every name and call what it refers to. COMPAT: the rules and the texts are cel-go's.
 *
 * Checking goes on after an error, with a type that goes with everything, so that all errors are found at once.
 */

import type {
  CallExpression,
  ComprehensionExpression,
  Expression,
  ListExpression,
  MapExpression,
  SelectExpression,
  StructExpression,
} from '../ast/expression.ts';
import type { FunctionDeclaration } from '../library/library.ts';
import { operators } from '../operators.ts';
import type { SyntaxTree } from '../parser/syntax-tree.ts';
import { formatArguments, formatType } from '../types/format-type.ts';
import { celTypes, listType, mapType, optionalType } from '../types/type.ts';
import type { CelType } from '../types/type.ts';
import type { CheckedExpression, Reference } from './checked-expression.ts';
import { candidateNames, findField, findIdentifier } from './declarations.ts';
import type { Declarations, ResolvedIdentifier } from './declarations.ts';
import { createOverloadInstances } from './overload-instances.ts';
import { createTypeSubstitution, isDynOrError, moreGeneral } from './type-substitution.ts';

/** Something wrong at an offset of the source. */
export interface CheckIssue {
  readonly offset: number;
  readonly message: string;
}

/** Either a checked tree or all that is wrong, in the order of the source. */
export type CheckOutcome =
  | { readonly checked: CheckedExpression; readonly issues?: undefined }
  | { readonly checked?: undefined; readonly issues: readonly CheckIssue[] };

/** Checks a tree. Never throws. */
export function checkExpression(tree: SyntaxTree, declarations: Declarations): CheckOutcome {
  const checker = createChecker(tree, declarations);
  checker.check(tree.expression);
  if (checker.issues.length > 0) {
    return { issues: checker.issues.toSorted((left, right) => left.offset - right.offset) };
  }
  return { checked: checker.finish() };
}

interface Checker {
  readonly issues: CheckIssue[];
  check(expression: Expression): CelType;
  finish(): CheckedExpression;
}

/** Names that loops bring in; the last is the innermost. */
type Scope = ReadonlyMap<string, CelType>;

function createChecker(tree: SyntaxTree, declarations: Declarations): Checker {
  const issues: CheckIssue[] = [];
  const types = new Map<number, CelType>();
  const references = new Map<number, Reference>();
  const variables = new Set<string>();
  const scopes: Scope[] = [];
  const substitution = createTypeSubstitution();
  const instances = createOverloadInstances(substitution);

  const report = (id: number, message: string): void => {
    issues.push({ offset: tree.offsets.get(id) ?? 0, message });
  };

  const reportUndeclared = (id: number, name: string): void => {
    const { container } = declarations;
    report(id, `undeclared reference to '${name}' (in container '${container}')`);
  };

  const reportMismatch = (id: number, expected: CelType, actual: CelType): void => {
    report(id, `expected type '${formatType(expected)}' but found '${formatType(actual)}'`);
  };

  const withScope = (scope: Scope, checkInner: () => void): void => {
    scopes.push(scope);
    checkInner();
    scopes.pop();
  };

  const findLocal = (name: string): CelType | undefined =>
    scopes.findLast((scope) => scope.has(name))?.get(name);

  const resolveName = (name: string): ResolvedIdentifier | undefined => {
    const local = findLocal(name);
    if (local !== undefined) return { name, type: local, value: undefined };
    for (const candidate of candidateNames(declarations.container, name)) {
      const found = findIdentifier(declarations, candidate);
      if (found === undefined) continue;
      if (declarations.variables.has(candidate)) variables.add(candidate);
      return found;
    }
    return undefined;
  };

  const refer = (expression: Expression, identifier: ResolvedIdentifier): CelType => {
    const { name, value } = identifier;
    references.set(expression.id, value === undefined ? { name } : { name, value });
    return identifier.type;
  };

  const findFunction = (name: string): FunctionDeclaration | undefined => {
    for (const candidate of candidateNames(declarations.container, name)) {
      const found = declarations.functions.get(candidate);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  const fieldType = (id: number, typeName: string, field: string): CelType | undefined => {
    const declaration = findField(declarations, typeName, field);
    if (declaration === undefined) report(id, `undefined field '${field}'`);
    return declaration?.type;
  };

  const check = (expression: Expression): CelType => {
    // An optional macro uses its target twice; it means the same both times.
    const known = types.get(expression.id);
    if (known !== undefined) return known;
    const type = checkKind(expression);
    types.set(expression.id, type);
    return type;
  };

  const checkKind = (expression: Expression): CelType => {
    switch (expression.kind) {
      case 'constant':
        return constantType(expression.value);
      case 'identifier': {
        const identifier = resolveName(expression.name);
        if (identifier !== undefined) return refer(expression, identifier);
        reportUndeclared(expression.id, expression.name);
        return celTypes.error;
      }
      case 'select':
        return checkSelect(expression);
      case 'call':
        return checkCall(expression);
      case 'list':
        return checkList(expression);
      case 'map':
        return checkMap(expression);
      case 'struct':
        return checkStruct(expression);
      case 'comprehension':
        return checkComprehension(expression);
    }
  };

  const checkSelect = (select: SelectExpression): CelType => {
    const qualified = select.isTest ? undefined : qualifiedName(select);
    if (qualified !== undefined && !startsWithLocal(qualified)) {
      const identifier = resolveName(qualified);
      if (identifier !== undefined) return refer(select, identifier);
    }
    const type = selectField(select.id, check(select.operand), select.field);
    return select.isTest ? celTypes.bool : type;
  };

  const startsWithLocal = (name: string): boolean =>
    findLocal(name.slice(0, name.indexOf('.'))) !== undefined;

  const selectField = (
    id: number,
    operand: CelType,
    field: string,
    isOptional = false,
  ): CelType => {
    const { type, wasOptional } = unwrapOptional(substitution.resolve(operand));
    const result = selectFrom(id, type, field);
    return wasOptional || isOptional ? optionalType(result) : result;
  };

  const selectFrom = (id: number, type: CelType, field: string): CelType => {
    switch (type.kind) {
      case 'map':
        return type.parameters[1] ?? celTypes.dyn;
      case 'object':
        return fieldType(id, type.name, field) ?? celTypes.error;
      case 'type-parameter':
        // From here on the operand is dyn, lest a later use decides otherwise.
        substitution.isAssignable(celTypes.dyn, type);
        return celTypes.dyn;
      default:
        if (!isDynOrError(type)) {
          report(id, `type '${formatType(type)}' does not support field selection`);
        }
        return celTypes.dyn;
    }
  };

  const checkOptionalSelect = (call: CallExpression): CelType => {
    const [operand, field] = call.arguments;
    if (operand === undefined || field?.kind !== 'constant' || typeof field.value !== 'string') {
      report(call.id, 'unsupported optional field selection');
      return celTypes.error;
    }
    const operandType = check(operand);
    types.set(field.id, celTypes.string);
    references.set(call.id, { name: call.function, overloadIds: ['select_optional_field'] });
    return selectField(call.id, operandType, field.value, true);
  };

  const checkCall = (call: CallExpression): CelType => {
    if (call.function === operators.optionalSelect) return checkOptionalSelect(call);
    for (const value of call.arguments) check(value);
    if (call.target === undefined) {
      const declaration = findFunction(call.function);
      if (declaration !== undefined) return resolveOverload(call, declaration);
      reportUndeclared(call.id, call.function);
      return celTypes.error;
    }
    const namespaced = findNamespaced(call.target, call.function);
    if (namespaced !== undefined) return resolveOverload(call, namespaced, true);
    check(call.target);
    const declaration = findFunction(call.function);
    if (declaration !== undefined) return resolveOverload(call, declaration);
    reportUndeclared(call.id, call.function);
    return celTypes.error;
  };

  const findNamespaced = (target: Expression, name: string): FunctionDeclaration | undefined => {
    const prefix = qualifiedName(target);
    if (prefix === undefined) return undefined;
    return findFunction(`${prefix}.${name}`);
  };

  const resolveOverload = (
    call: CallExpression,
    declaration: FunctionDeclaration,
    isNamespaced = false,
  ): CelType => {
    const isMember = call.target !== undefined && !isNamespaced;
    const values = [...(isMember && call.target ? [call.target] : []), ...call.arguments];
    const valueTypes = values.map((value) => types.get(value.id) ?? celTypes.error);
    const match = instances.match(declaration, isMember, valueTypes);
    if (match === undefined) {
      const found = valueTypes.map((type) => substitution.resolve(type, celTypes.dyn));
      const text = formatArguments(found, isMember);
      report(call.id, `found no matching overload for '${declaration.name}' applied to '${text}'`);
      return celTypes.error;
    }
    references.set(call.id, {
      name: declaration.name,
      overloadIds: match.overloadIds,
      ...(isNamespaced && { isNamespaced }),
    });
    return match.result;
  };

  // The type of an element written with `?`, which must be an optional.
  const optionalContent = (expression: Expression, type: CelType, isOptional: boolean): CelType => {
    if (!isOptional) return type;
    const content = unwrapOptional(substitution.resolve(type));
    if (!content.wasOptional && !isDynOrError(content.type)) {
      reportMismatch(expression.id, optionalType(type), type);
    }
    return content.type;
  };

  const join = (previous: CelType | undefined, current: CelType): CelType => {
    if (previous === undefined) return current;
    return substitution.isAssignable(previous, current)
      ? moreGeneral(previous, current)
      : celTypes.dyn;
  };

  const checkList = (list: ListExpression): CelType => {
    let element: CelType | undefined;
    list.elements.forEach((expression, index) => {
      const isOptional = list.optionalIndices.includes(index);
      element = join(element, optionalContent(expression, check(expression), isOptional));
    });
    return listType(element ?? substitution.freshParameter());
  };

  const checkMap = (map: MapExpression): CelType => {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of map.entries) {
      key = join(key, check(entry.key));
      value = join(value, optionalContent(entry.value, check(entry.value), entry.isOptional));
    }
    return mapType(key ?? substitution.freshParameter(), value ?? substitution.freshParameter());
  };

  const checkStruct = (struct: StructExpression): CelType => {
    const identifier = resolveName(struct.typeName);
    if (identifier === undefined) {
      reportUndeclared(struct.id, struct.typeName);
      for (const field of struct.fields) check(field.value);
      return celTypes.error;
    }
    references.set(struct.id, { name: identifier.name });
    const type = constructedType(struct.id, identifier.type);
    for (const field of struct.fields) {
      const actual = optionalContent(field.value, check(field.value), field.isOptional);
      if (type.kind === 'error') continue;
      const expected = fieldType(field.id, type.name, field.name) ?? celTypes.error;
      if (!substitution.isAssignable(expected, actual)) {
        const texts = `is '${formatType(expected)}' but provided type is '${formatType(actual)}'`;
        report(field.id, `expected type of field '${field.name}' ${texts}`);
      }
    }
    return type;
  };

  const constructedType = (id: number, type: CelType): CelType => {
    if (type.kind === 'error') return type;
    const [content] = type.parameters;
    if (type.kind !== 'type') {
      report(id, `'${type.name}' is not a type`);
      return celTypes.error;
    }
    if (content?.kind === 'object') return content;
    report(id, `'${content?.name ?? type.name}' is not a message type`);
    return celTypes.error;
  };

  const checkComprehension = (loop: ComprehensionExpression): CelType => {
    const range = substitution.resolve(check(loop.range));
    const accumulator = check(loop.accumulatorInit);
    const variablesOfLoop = iterationTypes(loop, range);
    let result: CelType = celTypes.error;
    withScope(new Map([[loop.accumulator, accumulator]]), () => {
      withScope(variablesOfLoop, () => {
        assertType(loop.loopCondition, celTypes.bool);
        assertType(loop.loopStep, accumulator);
      });
      result = check(loop.result);
    });
    return substitution.resolve(result);
  };

  const assertType = (expression: Expression, expected: CelType): void => {
    const actual = check(expression);
    if (!substitution.isAssignable(expected, actual)) {
      reportMismatch(expression.id, expected, actual);
    }
  };

  const iterationTypes = (loop: ComprehensionExpression, range: CelType): Scope => {
    const [first, second] = elementTypes(loop, range);
    const scope = new Map([[loop.iterationVariable, first]]);
    if (loop.iterationVariable2 !== '') scope.set(loop.iterationVariable2, second);
    return scope;
  };

  const elementTypes = (loop: ComprehensionExpression, range: CelType): [CelType, CelType] => {
    const [first = celTypes.dyn, second = celTypes.dyn] = range.parameters;
    switch (range.kind) {
      case 'list':
        return loop.iterationVariable2 === '' ? [first, first] : [celTypes.int, first];
      case 'map':
        return [first, second];
      default:
        if (isDynOrError(range) || range.kind === 'type-parameter') {
          substitution.isAssignable(celTypes.dyn, range);
          return [celTypes.dyn, celTypes.dyn];
        }
        report(
          loop.range.id,
          `expression of type '${formatType(range)}' cannot be range of a comprehension ` +
            '(must be list, map, or dynamic)',
        );
        return [celTypes.error, celTypes.error];
    }
  };

  const finish = (): CheckedExpression => {
    for (const [id, type] of types) types.set(id, substitution.resolve(type, celTypes.dyn));
    return { expression: tree.expression, types, references, offsets: tree.offsets, variables };
  };

  return { issues, check, finish };
}

/** `a.b.c` as one name, if the expression is nothing else. */
function qualifiedName(expression: Expression): string | undefined {
  if (expression.kind === 'identifier') return expression.name;
  if (expression.kind !== 'select' || expression.isTest) return undefined;
  const prefix = qualifiedName(expression.operand);
  return prefix === undefined ? undefined : `${prefix}.${expression.field}`;
}

function unwrapOptional(type: CelType): { type: CelType; wasOptional: boolean } {
  const [content] = type.parameters;
  if (type.kind === 'optional' && content !== undefined)
    return { type: content, wasOptional: true };
  return { type, wasOptional: false };
}

type Constant = Extract<Expression, { kind: 'constant' }>['value'];

function constantType(value: Constant): CelType {
  switch (typeof value) {
    case 'string':
      return celTypes.string;
    case 'bigint':
      return celTypes.int;
    case 'number':
      return celTypes.double;
    case 'boolean':
      return celTypes.bool;
    default:
      if (value === null) return celTypes.null;
      return value instanceof Uint8Array ? celTypes.bytes : celTypes.uint;
  }
}
