/**
 * Text to tree: a recursive descent over the language's grammar, macros included.
 *
 * This parser stops at the first syntax error and leaves its wording to `explainSyntaxErrors`. It
 * bounds the length of the text, how deep rules nest while parsing, and how deep the tree becomes;
 * nothing behind it needs to worry about the stack.
 */

import type { Expression, MapEntry, StructField } from '../ast/expression.ts';
import type { ExpressionLimits } from '../environment.ts';
import type { Issue } from '../issue.ts';
import { isMacroError } from '../macros/macro.ts';
import type { Macro } from '../macros/macro.ts';
import { operators } from '../operators.ts';
import { explainSyntaxErrors } from './explain-syntax-errors.ts';
import { tokenize } from './lexer.ts';
import type { Token, TokenKind } from './lexer.ts';
import { createLiteralReader } from './literal-expression.ts';
import { balance, createNodeBuilder } from './node-builder.ts';
import { positionAt } from './source-positions.ts';
import type { ParseOutcome } from './syntax-tree.ts';

/** What decides how a text is read. */
export interface ParserOptions {
  readonly macros: ReadonlyMap<string, Macro>;
  readonly limits: ExpressionLimits;
  readonly optionalSyntax: boolean;
  /** `` a.`b-c` ``. */
  readonly escapedIdentifiers: boolean;
}

/** The key of a macro in `ParserOptions.macros`. */
export function macroKey(name: string, isMember: boolean, argumentCount: number): string {
  return `${name}:${argumentCount}:${isMember ? 'member' : 'global'}`;
}

/** Reads a text. Never throws. */
export function parseExpression(source: string, options: ParserOptions): ParseOutcome {
  const size = countCodePoints(source);
  const limit = options.limits.expressionLengthMax;
  if (size > limit) {
    const message = `expression code point size exceeds limit: size: ${size}, limit ${limit}`;
    return { issues: [withoutPosition(message)] };
  }
  const { tokens, errors } = tokenize(source);
  const reader = new Reader(source, tokens, options);
  let expression: Expression | undefined;
  try {
    expression = reader.read();
  } catch (error) {
    if (error instanceof DepthExceeded && errors.length === 0) {
      return { issues: [withoutPosition(error.message)] };
    }
    const isExpected = error instanceof DepthExceeded || error instanceof UnexpectedToken;
    if (!isExpected) throw error;
  }
  if (expression === undefined || errors.length > 0) {
    const { recursionDepthMax } = options.limits;
    const explained = explainSyntaxErrors({
      source,
      tokens,
      lexicalErrors: errors,
      recursionDepthMax,
    });
    const issues = explained.map((error) => issueAt(source, error.start, error.message));
    // What was wrong before reading stopped is wrong besides, such as a reserved name.
    return { issues: [...issues, ...reader.issues] };
  }
  if (reader.issues.length > 0) return { issues: reader.issues };
  return { tree: { expression, offsets: reader.offsets } };
}

class UnexpectedToken extends Error {}

class DepthExceeded extends Error {}

function withoutPosition(message: string): Issue {
  return { message, line: -1, column: -1 };
}

function issueAt(source: string, offset: number, message: string): Issue {
  return offset < 0 ? withoutPosition(message) : { message, ...positionAt(source, offset) };
}

function countCodePoints(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; count++) {
    index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
  }
  return count;
}

const relations: ReadonlyMap<TokenKind, string> = new Map([
  ['==', operators.equals],
  ['!=', operators.notEquals],
  ['<', operators.less],
  ['<=', operators.lessEquals],
  ['>', operators.greater],
  ['>=', operators.greaterEquals],
  ['in', operators.in],
]);

const products: ReadonlyMap<TokenKind, string> = new Map([
  ['*', operators.multiply],
  ['/', operators.divide],
  ['%', operators.modulo],
]);

const sums: ReadonlyMap<TokenKind, string> = new Map([
  ['+', operators.add],
  ['-', operators.subtract],
]);

const reservedIdentifiers: ReadonlySet<string> = new Set(
  (
    'as break const continue else false for function if import in let loop package namespace null ' +
    'return true var void while'
  ).split(' '),
);

/** Rules whose nesting is bounded while reading. */
type NestedRule = 'expression' | 'relation' | 'calculation';

// Reads one text.
class Reader {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  readonly #options: ParserOptions;

  readonly issues: Issue[] = [];
  readonly #builder = createNodeBuilder();
  readonly #depths: Record<NestedRule, number> = { expression: 0, relation: 0, calculation: 0 };
  readonly #depthMax: number;
  readonly #heights = new Map<Expression, number>();
  readonly #literals = createLiteralReader(this.#builder, (offset, message) =>
    this.issues.push(issueAt(this.#source, offset, message)),
  );
  #index = 0;

  constructor(source: string, tokens: readonly Token[], options: ParserOptions) {
    this.#source = source;
    this.#tokens = tokens;
    this.#options = options;
    this.#depthMax = options.limits.recursionDepthMax;
  }

  #report(offset: number, message: string): void {
    this.issues.push(issueAt(this.#source, offset, message));
  }

  #current(): Token {
    const token = this.#tokens[this.#index];
    if (token === undefined) throw new UnexpectedToken();
    return token;
  }

  #isNext(kind: TokenKind, ahead = 0): boolean {
    return this.#tokens[this.#index + ahead]?.kind === kind;
  }

  #take(): Token {
    const token = this.#current();
    this.#index++;
    return token;
  }

  #takeIf(kind: TokenKind): Token | undefined {
    return this.#isNext(kind) ? this.#take() : undefined;
  }

  #expect(kind: TokenKind): Token {
    if (!this.#isNext(kind)) throw new UnexpectedToken();
    return this.#take();
  }

  #enter(rule: NestedRule): void {
    if (++this.#depths[rule] <= this.#depthMax) return;
    throw new DepthExceeded(`expression recursion limit exceeded: ${this.#depthMax}`);
  }

  #leave(rule: NestedRule, expression: Expression): Expression {
    this.#depths[rule]--;
    return expression;
  }

  // The height of chains such as `a.b.c`, which nest in the tree though not in the text.
  #raise(expression: Expression, ...children: readonly Expression[]): Expression {
    const height = 1 + Math.max(0, ...children.map((child) => this.#heights.get(child) ?? 0));
    if (height >= this.#depthMax) throw new DepthExceeded('max recursion depth exceeded');
    this.#heights.set(expression, height);
    return expression;
  }

  #inherit(expression: Expression, children: readonly Expression[]): Expression {
    let height = 0;
    for (const child of children) height = Math.max(height, this.#heights.get(child) ?? 0);
    if (height > 0) this.#heights.set(expression, height);
    return expression;
  }

  #call(id: number, name: string, values: readonly Expression[]): Expression {
    return {
      id,
      kind: 'call',
      function: name,
      target: undefined,
      arguments: values,
    };
  }

  #readExpression(): Expression {
    this.#enter('expression');
    const condition = this.#readOr();
    const question = this.#takeIf('?');
    if (question === undefined) return this.#leave('expression', condition);
    const id = this.#builder.idAt(question.start);
    const whenTrue = this.#readOr();
    this.#expect(':');
    const parts = [condition, whenTrue, this.#readExpression()];
    const conditional = this.#call(id, operators.conditional, parts);
    return this.#leave('expression', this.#raise(conditional, ...parts));
  }

  #readOr(): Expression {
    const terms = [this.#readAnd()];
    const operatorIds: number[] = [];
    for (let token = this.#takeIf('||'); token !== undefined; token = this.#takeIf('||')) {
      operatorIds.push(this.#builder.idAt(token.start));
      terms.push(this.#readAnd());
    }
    return this.#inherit(balance({ function: operators.or, terms, operatorIds }), terms);
  }

  #readAnd(): Expression {
    const terms = [this.#readRelation()];
    const operatorIds: number[] = [];
    for (let token = this.#takeIf('&&'); token !== undefined; token = this.#takeIf('&&')) {
      operatorIds.push(this.#builder.idAt(token.start));
      terms.push(this.#readRelation());
    }
    return this.#inherit(balance({ function: operators.and, terms, operatorIds }), terms);
  }

  #readRelation(isOperand = false): Expression {
    this.#enter('relation');
    let left = this.#readCalculation(1);
    for (let name = this.#relationOperator(isOperand); name !== undefined;) {
      const id = this.#builder.idAt(this.#take().start);
      const right = this.#readRelation(true);
      left = this.#raise(this.#call(id, name, [left, right]), left, right);
      name = this.#relationOperator(isOperand);
    }
    return this.#leave('relation', left);
  }

  // `a < b < c` is `(a < b) < c`: what is right of an operator takes no further one.
  #relationOperator(isOperand: boolean): string | undefined {
    return isOperand ? undefined : relations.get(this.#current().kind);
  }

  // Operators that bind at least as tightly as `level`: 1 are sums, 2 products.
  #readCalculation(level: number): Expression {
    this.#enter('calculation');
    let left = this.#readUnary();
    for (;;) {
      const { kind } = this.#current();
      const product = products.get(kind);
      const name = product ?? (level === 1 ? sums.get(kind) : undefined);
      if (name === undefined || level > 2) return this.#leave('calculation', left);
      const id = this.#builder.idAt(this.#take().start);
      const right = this.#readCalculation(product === undefined ? 2 : 3);
      left = this.#raise(this.#call(id, name, [left, right]), left, right);
    }
  }

  #readUnary(): Expression {
    const sign = this.#current();
    if (sign.kind !== '!' && sign.kind !== '-') return this.#readMember();
    const isNumber = this.#isNext('NUM_INT', 1) || this.#isNext('NUM_FLOAT', 1);
    if (sign.kind === '-' && isNumber) return this.#readMember();
    let count = 0;
    while (this.#isNext(sign.kind)) {
      this.#take();
      count++;
    }
    if (count % 2 === 0) return this.#readMember();
    const id = this.#builder.idAt(sign.start);
    const operand = this.#readMember();
    const name = sign.kind === '!' ? operators.not : operators.negate;
    return this.#inherit(this.#call(id, name, [operand]), [operand]);
  }

  #readMember(): Expression {
    let operand = this.#readPrimary();
    for (;;) {
      if (this.#isNext('.')) operand = this.#readSelection(operand);
      else if (this.#isNext('[')) operand = this.#readIndex(operand);
      else return operand;
    }
  }

  #readFieldName(): string {
    const token = this.#take();
    if (token.kind === 'IDENTIFIER') return token.text;
    if (token.kind !== 'ESC_IDENTIFIER') throw new UnexpectedToken();
    if (!this.#options.escapedIdentifiers) this.#report(token.start, "unsupported syntax: '`'");
    return token.text.slice(1, -1);
  }

  #readSelection(operand: Expression): Expression {
    const dot = this.#take();
    if (this.#takeIf('?') !== undefined) {
      if (!this.#options.optionalSyntax) this.#report(dot.start, "unsupported syntax '.?'");
      const id = this.#builder.idAt(dot.start);
      const at = this.#current().start;
      const field: Expression = {
        id: this.#builder.idAt(at),
        kind: 'constant',
        value: this.#readFieldName(),
      };
      return this.#raise(this.#call(id, operators.optionalSelect, [operand, field]), operand);
    }
    if (this.#isNext('IDENTIFIER') && this.#isNext('(', 1)) {
      const name = this.#take().text;
      const open = this.#take();
      const id = this.#builder.idAt(open.start);
      const values = this.#readArguments();
      return this.#readCall({ id, name, at: open.start, target: operand, values });
    }
    const field = this.#readFieldName();
    const id = this.#builder.idAt(dot.start);
    return this.#raise({ id, kind: 'select', operand, field, isTest: false }, operand);
  }

  #readIndex(operand: Expression): Expression {
    const open = this.#take();
    const id = this.#builder.idAt(open.start);
    const isOptional = this.#takeIf('?') !== undefined;
    if (isOptional && !this.#options.optionalSyntax)
      this.#report(open.start, "unsupported syntax '[?'");
    const key = this.#readExpression();
    this.#expect(']');
    const name = isOptional ? operators.optionalIndex : operators.index;
    return this.#raise(this.#call(id, name, [operand, key]), operand, key);
  }

  #readArguments(): Expression[] {
    const values: Expression[] = [];
    if (this.#takeIf(')') !== undefined) return values;
    do values.push(this.#readExpression());
    while (this.#takeIf(',') !== undefined);
    this.#expect(')');
    return values;
  }

  #readCall(written: WrittenCall): Expression {
    const { id, name, at, target, values } = written;
    const parts = target === undefined ? values : [target, ...values];
    const macro = this.#options.macros.get(macroKey(name, target !== undefined, values.length));
    const expansion = macro?.expand({ id, target, arguments: values }, this.#builder.factoryAt(at));
    if (expansion !== undefined && isMacroError(expansion)) {
      this.#report(this.#builder.offsets.get(expansion.expressionId) ?? at, expansion.message);
    } else if (expansion !== undefined) {
      return target === undefined
        ? this.#inherit(expansion, parts)
        : this.#raise(expansion, ...parts);
    }
    const plain: Expression = { id, kind: 'call', function: name, target, arguments: values };
    return target === undefined ? this.#inherit(plain, parts) : this.#raise(plain, ...parts);
  }

  #readPrimary(): Expression {
    const token = this.#current();
    switch (token.kind) {
      case '(': {
        this.#take();
        const inner = this.#readExpression();
        this.#expect(')');
        return inner;
      }
      case '[':
        return this.#readList();
      case '{':
        return this.#readMap();
      case '.':
      case 'IDENTIFIER':
        return this.#readName();
      default:
        return this.#readLiteral();
    }
  }

  #readLiteral(): Expression {
    const sign = this.#takeIf('-');
    const token = this.#take();
    const literal = this.#literals.read(token, sign);
    if (literal === undefined) throw new UnexpectedToken();
    return literal;
  }

  #readName(): Expression {
    const dot = this.#takeIf('.');
    const first = this.#expect('IDENTIFIER');
    const start = dot?.start ?? first.start;
    const end = this.#findStruct(this.#index);
    if (end !== undefined) {
      const names = [first.text];
      while (this.#index < end) {
        this.#take();
        names.push(this.#take().text);
      }
      return this.#readStruct((dot === undefined ? '' : '.') + names.join('.'));
    }
    if (reservedIdentifiers.has(first.text)) {
      this.#report(start, `reserved identifier: ${first.text}`);
      return { id: this.#builder.idAt(start), kind: 'constant', value: null };
    }
    const name = (dot === undefined ? '' : '.') + first.text;
    const open = this.#takeIf('(');
    if (open === undefined) return { id: this.#builder.idAt(start), kind: 'identifier', name };
    const id = this.#builder.idAt(open.start);
    const values = this.#readArguments();
    return this.#readCall({ id, name, at: open.start, target: undefined, values });
  }

  // `a.b.c{` is a message, and only what stands behind the names tells.
  #findStruct(from: number): number | undefined {
    let at = from;
    while (this.#tokens[at]?.kind === '.' && this.#tokens[at + 1]?.kind === 'IDENTIFIER') at += 2;
    return this.#tokens[at]?.kind === '{' ? at : undefined;
  }

  #readOptionalMark(): boolean {
    const mark = this.#takeIf('?');
    if (mark !== undefined && !this.#options.optionalSyntax) {
      this.#report(mark.start, "unsupported syntax '?'");
    }
    return mark !== undefined;
  }

  // COMPAT: nothing else is said of an entry whose mark is not supported.
  #readEntry(read: (isOptional: boolean) => void): void {
    const isOptional = this.#readOptionalMark();
    const reported = this.issues.length;
    read(isOptional);
    if (isOptional && !this.#options.optionalSyntax) this.issues.length = reported;
  }

  #readList(): Expression {
    const id = this.#builder.idAt(this.#take().start);
    const elements: Expression[] = [];
    const optionalIndices: number[] = [];
    this.#readParts(']', () => {
      if (this.#readOptionalMark()) optionalIndices.push(elements.length);
      elements.push(this.#readExpression());
    });
    return this.#inherit({ id, kind: 'list', elements, optionalIndices }, elements);
  }

  #readMap(): Expression {
    const id = this.#builder.idAt(this.#take().start);
    const entries: MapEntry[] = [];
    this.#readParts('}', () => {
      this.#readEntry((isOptional) => {
        const key = this.#readExpression();
        const entryId = this.#builder.idAt(this.#expect(':').start);
        entries.push({ id: entryId, key, value: this.#readExpression(), isOptional });
      });
    });
    const parts = entries.flatMap((entry) => [entry.key, entry.value]);
    return this.#inherit({ id, kind: 'map', entries }, parts);
  }

  #readStruct(typeName: string): Expression {
    const id = this.#builder.idAt(this.#take().start);
    const fields: StructField[] = [];
    this.#readParts('}', () => {
      this.#readEntry((isOptional) => {
        const name = this.#readFieldName();
        const fieldId = this.#builder.idAt(this.#expect(':').start);
        fields.push({ id: fieldId, name, value: this.#readExpression(), isOptional });
      });
    });
    const parts = fields.map((field) => field.value);
    return this.#inherit({ id, kind: 'struct', typeName, fields }, parts);
  }

  // Parts with commas between them, and maybe one behind the last.
  readonly #readParts = (close: ']' | '}', readPart: () => void): void => {
    let isFirst = true;
    while (!this.#isNext(close)) {
      if (!isFirst || this.#isNext(',')) {
        this.#expect(',');
        if (this.#isNext(close)) break;
        if (isFirst) throw new UnexpectedToken();
      }
      readPart();
      isFirst = false;
    }
    this.#expect(close);
  };

  get offsets(): ReadonlyMap<number, number> {
    return this.#builder.offsets;
  }

  read(): Expression {
    const expression = this.#readExpression();
    this.#expect('EOF');
    return expression;
  }
}

interface WrittenCall {
  readonly id: number;
  readonly name: string;
  readonly at: number;
  readonly target: Expression | undefined;
  readonly values: readonly Expression[];
}
