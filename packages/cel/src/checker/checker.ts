/**
 * Gives every node a type, and every name and call what it refers to. COMPAT: the rules and the
 * texts are cel-go's.
 *
 * Checking goes on after an error, with a type that goes with everything, so that all errors are
 * found at once.
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
import { operators } from '../operators.ts';
import type { SyntaxTree } from '../parser/syntax-tree.ts';
import { formatArguments, formatType } from '../types/format-type.ts';
import { celTypes, listType, mapType, optionalType } from '../types/type.ts';
import type { CelType } from '../types/type.ts';
import type { CheckedExpression, Reference } from './checked-expression.ts';
import { WritableNodeTable } from '../ast/node-table.ts';
import { candidateNames, findField, findIdentifier } from './declarations.ts';
import type { Declarations, ResolvedIdentifier } from './declarations.ts';
import type { DeclaredFunction } from './declared-function.ts';
import { matchOverloads } from './overload-instances.ts';
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
  const checker = new Checker(tree, declarations);
  checker.check(tree.expression);
  if (checker.issues.length > 0) {
    return { issues: checker.issues.toSorted((left, right) => left.offset - right.offset) };
  }
  return { checked: checker.finish() };
}

/** An expression may have as many mistakes as words; nobody reads more than these. */
const issuesMax = 100;

/** A name that a loop brings in. */
interface Local {
  readonly name: string;
  readonly type: CelType;
}

// Checks one tree.
class Checker {
  readonly #tree: SyntaxTree;
  readonly #declarations: Declarations;

  readonly issues: CheckIssue[] = [];
  readonly #types = new WritableNodeTable<CelType>();
  readonly #references = new WritableNodeTable<Reference>();
  readonly #variables = new Set<string>();
  // The last is the innermost.
  readonly #locals: Local[] = [];
  readonly #substitution = createTypeSubstitution();

  constructor(tree: SyntaxTree, declarations: Declarations) {
    this.#tree = tree;
    this.#declarations = declarations;
  }

  #report(id: number, message: string): void {
    if (this.issues.length >= issuesMax) return;
    this.issues.push({ offset: this.#tree.offsets.get(id) ?? 0, message });
  }

  #reportUndeclared(id: number, name: string): void {
    const { container } = this.#declarations;
    this.#report(id, `undeclared reference to '${name}' (in container '${container}')`);
  }

  #reportMismatch(id: number, expected: CelType, actual: CelType): void {
    this.#report(id, `expected type '${formatType(expected)}' but found '${formatType(actual)}'`);
  }

  #findLocal(name: string): CelType | undefined {
    for (let i = this.#locals.length - 1; i >= 0; i--) {
      const local = this.#locals[i];
      if (local?.name === name) return local.type;
    }
    return undefined;
  }

  #resolveName(name: string): ResolvedIdentifier | undefined {
    const local = this.#findLocal(name);
    if (local !== undefined) return { name, type: local, value: undefined };
    for (const candidate of candidateNames(this.#declarations.container, name)) {
      const found = findIdentifier(this.#declarations, candidate);
      if (found === undefined) continue;
      if (this.#declarations.variables.has(candidate)) this.#variables.add(candidate);
      return found;
    }
    return undefined;
  }

  #refer(expression: Expression, identifier: ResolvedIdentifier): CelType {
    const { name, value } = identifier;
    this.#references.set(expression.id, value === undefined ? { name } : { name, value });
    return identifier.type;
  }

  #findFunction(name: string): DeclaredFunction | undefined {
    for (const candidate of candidateNames(this.#declarations.container, name)) {
      const found = this.#declarations.functions.get(candidate);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #fieldType(id: number, typeName: string, field: string): CelType | undefined {
    const declaration = findField(this.#declarations, typeName, field);
    if (declaration === undefined) this.#report(id, `undefined field '${field}'`);
    return declaration?.type;
  }

  check(expression: Expression): CelType {
    // An optional macro uses its target twice; it means the same both times.
    const known = this.#types.get(expression.id);
    if (known !== undefined) return known;
    const type = this.#checkKind(expression);
    this.#types.set(expression.id, type);
    return type;
  }

  #checkKind(expression: Expression): CelType {
    switch (expression.kind) {
      case 'constant':
        return constantType(expression.value);
      case 'identifier': {
        const identifier = this.#resolveName(expression.name);
        if (identifier !== undefined) return this.#refer(expression, identifier);
        this.#reportUndeclared(expression.id, expression.name);
        return celTypes.error;
      }
      case 'select':
        return this.#checkSelect(expression);
      case 'call':
        return this.#checkCall(expression);
      case 'list':
        return this.#checkList(expression);
      case 'map':
        return this.#checkMap(expression);
      case 'struct':
        return this.#checkStruct(expression);
      case 'comprehension':
        return this.#checkComprehension(expression);
    }
  }

  #checkSelect(select: SelectExpression): CelType {
    const root = select.isTest ? undefined : rootName(select);
    if (root !== undefined && this.#findLocal(root) === undefined) {
      const identifier = this.#resolveName(qualifiedName(select) ?? '');
      if (identifier !== undefined) return this.#refer(select, identifier);
    }
    const type = this.#selectField(select.id, this.check(select.operand), select.field);
    return select.isTest ? celTypes.bool : type;
  }

  #selectField(id: number, operand: CelType, field: string, isOptional = false): CelType {
    const { type, wasOptional } = unwrapOptional(this.#substitution.resolve(operand));
    const result = this.#selectFrom(id, type, field);
    return wasOptional || isOptional ? optionalType(result) : result;
  }

  #selectFrom(id: number, type: CelType, field: string): CelType {
    switch (type.kind) {
      case 'map':
        return type.parameters[1] ?? celTypes.dyn;
      case 'object':
        return this.#fieldType(id, type.name, field) ?? celTypes.error;
      case 'type-parameter':
        // From here on the operand is dyn, lest a later use decides otherwise.
        this.#substitution.isAssignable(celTypes.dyn, type);
        return celTypes.dyn;
      default:
        if (!isDynOrError(type)) {
          this.#report(id, `type '${formatType(type)}' does not support field selection`);
        }
        return celTypes.dyn;
    }
  }

  #checkOptionalSelect(call: CallExpression): CelType {
    const [operand, field] = call.arguments;
    if (operand === undefined || field?.kind !== 'constant' || typeof field.value !== 'string') {
      this.#report(call.id, 'unsupported optional field selection');
      return celTypes.error;
    }
    const operandType = this.check(operand);
    this.#types.set(field.id, celTypes.string);
    this.#references.set(call.id, { name: call.function, overloadIds: ['select_optional_field'] });
    return this.#selectField(call.id, operandType, field.value, true);
  }

  #checkCall(call: CallExpression): CelType {
    if (call.function === operators.optionalSelect) return this.#checkOptionalSelect(call);
    const values = call.arguments.map((value) => this.check(value));
    if (call.target !== undefined) {
      const namespaced = this.#findNamespaced(call.target, call.function);
      if (namespaced !== undefined)
        return this.#resolveOverload(call, namespaced, { values, isMember: false });
      values.unshift(this.check(call.target));
    }
    const declaration = this.#findFunction(call.function);
    const isMember = call.target !== undefined;
    if (declaration !== undefined)
      return this.#resolveOverload(call, declaration, { values, isMember });
    this.#reportUndeclared(call.id, call.function);
    return celTypes.error;
  }

  #findNamespaced(target: Expression, name: string): DeclaredFunction | undefined {
    const { container, functionNamespaces } = this.#declarations;
    const root = rootName(target);
    if (root === undefined) return undefined;
    const isPossible = container !== '' || root.startsWith('.') || functionNamespaces.has(root);
    return isPossible ? this.#findFunction(`${qualifiedName(target)}.${name}`) : undefined;
  }

  #resolveOverload(
    call: CallExpression,
    declaration: DeclaredFunction,
    { isMember, values }: { readonly isMember: boolean; readonly values: readonly CelType[] },
  ): CelType {
    const match = matchOverloads(declaration, { isMember, values }, this.#substitution);
    if (match === undefined) {
      const found = values.map((type) => this.#substitution.resolve(type, celTypes.dyn));
      const text = formatArguments(found, isMember);
      this.#report(
        call.id,
        `found no matching overload for '${declaration.name}' applied to '${text}'`,
      );
      return celTypes.error;
    }
    const { name } = declaration;
    const { overloadIds, result } = match;
    const isNamespaced = call.target !== undefined && !isMember;
    this.#references.set(
      call.id,
      isNamespaced ? { name, overloadIds, isNamespaced } : { name, overloadIds },
    );
    return result;
  }

  // The type of an element written with `?`, which must be an optional.
  #optionalContent(expression: Expression, type: CelType, isOptional: boolean): CelType {
    if (!isOptional) return type;
    const content = unwrapOptional(this.#substitution.resolve(type));
    if (!content.wasOptional && !isDynOrError(content.type)) {
      this.#reportMismatch(expression.id, optionalType(type), type);
    }
    return content.type;
  }

  #join(previous: CelType | undefined, current: CelType): CelType {
    if (previous === undefined) return current;
    return this.#substitution.isAssignable(previous, current)
      ? moreGeneral(previous, current)
      : celTypes.dyn;
  }

  #checkList(list: ListExpression): CelType {
    let element: CelType | undefined;
    const optional = new Set(list.optionalIndices);
    list.elements.forEach((expression, index) => {
      const isOptional = optional.has(index);
      element = this.#join(
        element,
        this.#optionalContent(expression, this.check(expression), isOptional),
      );
    });
    return listType(element ?? this.#substitution.freshParameter());
  }

  #checkMap(map: MapExpression): CelType {
    let key: CelType | undefined;
    let value: CelType | undefined;
    for (const entry of map.entries) {
      key = this.#join(key, keyType(this.check(entry.key)));
      value = this.#join(
        value,
        this.#optionalContent(entry.value, this.check(entry.value), entry.isOptional),
      );
    }
    return mapType(
      key ?? this.#substitution.freshParameter(),
      value ?? this.#substitution.freshParameter(),
    );
  }

  #checkStruct(struct: StructExpression): CelType {
    const identifier = this.#resolveName(struct.typeName);
    if (identifier === undefined) {
      this.#reportUndeclared(struct.id, struct.typeName);
      for (const field of struct.fields) this.check(field.value);
      return celTypes.error;
    }
    this.#references.set(struct.id, { name: identifier.name });
    const type = this.#constructedType(struct.id, identifier.type);
    for (const field of struct.fields) {
      const actual = this.#optionalContent(field.value, this.check(field.value), field.isOptional);
      if (type.kind === 'error') continue;
      const expected = this.#fieldType(field.id, type.name, field.name) ?? celTypes.error;
      if (!this.#substitution.isAssignable(expected, actual)) {
        const texts = `is '${formatType(expected)}' but provided type is '${formatType(actual)}'`;
        this.#report(field.id, `expected type of field '${field.name}' ${texts}`);
      }
    }
    return type;
  }

  #constructedType(id: number, type: CelType): CelType {
    if (type.kind === 'error') return type;
    const [content] = type.parameters;
    if (type.kind !== 'type') {
      this.#report(id, `'${type.name}' is not a type`);
      return celTypes.error;
    }
    if (content?.kind === 'object') return content;
    this.#report(id, `'${content?.name ?? type.name}' is not a message type`);
    return celTypes.error;
  }

  #checkComprehension(loop: ComprehensionExpression): CelType {
    const range = this.#substitution.resolve(this.check(loop.range));
    const accumulator = this.check(loop.accumulatorInit);
    const [first, second] = this.#elementTypes(loop, range);
    const outside = this.#locals.length;
    this.#locals.push({ name: loop.accumulator, type: accumulator });
    this.#locals.push({ name: loop.iterationVariable, type: first });
    if (loop.iterationVariable2 !== '')
      this.#locals.push({ name: loop.iterationVariable2, type: second });
    this.#assertType(loop.loopCondition, celTypes.bool);
    this.#assertType(loop.loopStep, accumulator);
    this.#locals.length = outside + 1;
    const result = this.check(loop.result);
    this.#locals.length = outside;
    return this.#substitution.resolve(result);
  }

  #assertType(expression: Expression, expected: CelType): void {
    const actual = this.check(expression);
    if (!this.#substitution.isAssignable(expected, actual)) {
      this.#reportMismatch(expression.id, expected, actual);
    }
  }

  #elementTypes(loop: ComprehensionExpression, range: CelType): [CelType, CelType] {
    const [first = celTypes.dyn, second = celTypes.dyn] = range.parameters;
    switch (range.kind) {
      case 'list':
        return loop.iterationVariable2 === '' ? [first, first] : [celTypes.int, first];
      case 'map':
        return [first, second];
      default:
        if (isDynOrError(range) || range.kind === 'type-parameter') {
          this.#substitution.isAssignable(celTypes.dyn, range);
          return [celTypes.dyn, celTypes.dyn];
        }
        this.#report(
          loop.range.id,
          `expression of type '${formatType(range)}' cannot be range of a comprehension ` +
            '(must be list, map, or dynamic)',
        );
        return [celTypes.error, celTypes.error];
    }
  }

  finish(): CheckedExpression {
    this.#types.update((type) => this.#substitution.resolve(type, celTypes.dyn));
    return {
      expression: this.#tree.expression,
      types: this.#types,
      references: this.#references,
      offsets: this.#tree.offsets,
      variables: this.#variables,
    };
  }
}

/** The `a` of `a.b.c`, if the expression is nothing else. */
function rootName(expression: Expression): string | undefined {
  let at = expression;
  while (at.kind === 'select' && !at.isTest) at = at.operand;
  return at.kind === 'identifier' ? at.name : undefined;
}

/** `a.b.c` as one name, if the expression is nothing else. */
function qualifiedName(expression: Expression): string | undefined {
  if (expression.kind === 'identifier') return expression.name;
  if (expression.kind !== 'select' || expression.isTest) return undefined;
  const prefix = qualifiedName(expression.operand);
  return prefix === undefined ? undefined : `${prefix}.${expression.field}`;
}

// Keys are scalars. Anything else fails when it runs, and as a type could double in size with every
// name.
function keyType(type: CelType): CelType {
  return type.parameters.length === 0 ? type : celTypes.dyn;
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
