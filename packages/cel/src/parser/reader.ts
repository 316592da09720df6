/**
 * The rules of the grammar, each a method that reads what it stands for; macros are expanded where
 * they are called.
 */

import type { Expression, MapEntry, StructField } from '../ast/expression.ts';
import type { NodeTable } from '../ast/node-table.ts';
import type { Issue } from '../issue.ts';
import { isMacroError } from '../macros/macro.ts';
import { operators } from '../operators.ts';
import { DepthBound } from './depth-bound.ts';
import type { Token, TokenKind } from './lexer.ts';
import { createLiteralReader } from './literal-expression.ts';
import { balance, createNodeBuilder } from './node-builder.ts';
import type { ParserOptions } from './parser-options.ts';
import { issueAt } from './source-positions.ts';
import { TokenCursor, UnexpectedToken } from './token-cursor.ts';

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

/** Reads one text. What is wrong but does not end reading is among its issues. */
export class Reader {
  readonly #source: string;
  readonly #tokens: TokenCursor;
  readonly #options: ParserOptions;

  readonly issues: Issue[] = [];
  readonly #builder = createNodeBuilder();
  readonly #depth: DepthBound;
  readonly #literals = createLiteralReader(this.#builder, (offset, message) =>
    this.issues.push(issueAt(this.#source, offset, message)),
  );

  constructor(source: string, tokens: readonly Token[], options: ParserOptions) {
    this.#source = source;
    this.#tokens = new TokenCursor(tokens);
    this.#options = options;
    this.#depth = new DepthBound(options.limits.recursionDepthMax);
  }

  #report(offset: number, message: string): void {
    this.issues.push(issueAt(this.#source, offset, message));
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

  #raisedCall(id: number, name: string, values: readonly Expression[]): Expression {
    return this.#depth.raise(this.#call(id, name, values), values);
  }

  #readExpression(): Expression {
    this.#depth.enter('expression');
    const condition = this.#readOr();
    const question = this.#tokens.takeIf('?');
    if (question === undefined) return this.#depth.leave('expression', condition);
    const id = this.#builder.idAt(question.start);
    const whenTrue = this.#readOr();
    this.#tokens.expect(':');
    const parts = [condition, whenTrue, this.#readExpression()];
    const conditional = this.#call(id, operators.conditional, parts);
    return this.#depth.leave('expression', this.#depth.raise(conditional, parts));
  }

  #readOr(): Expression {
    const first = this.#readAnd();
    if (!this.#tokens.isNext('||')) return first;
    const terms = [first];
    const operatorIds: number[] = [];
    for (
      let token = this.#tokens.takeIf('||');
      token !== undefined;
      token = this.#tokens.takeIf('||')
    ) {
      operatorIds.push(this.#builder.idAt(token.start));
      terms.push(this.#readAnd());
    }
    return this.#depth.inherit(balance({ function: operators.or, terms, operatorIds }), terms);
  }

  #readAnd(): Expression {
    const first = this.#readRelation();
    if (!this.#tokens.isNext('&&')) return first;
    const terms = [first];
    const operatorIds: number[] = [];
    for (
      let token = this.#tokens.takeIf('&&');
      token !== undefined;
      token = this.#tokens.takeIf('&&')
    ) {
      operatorIds.push(this.#builder.idAt(token.start));
      terms.push(this.#readRelation());
    }
    return this.#depth.inherit(balance({ function: operators.and, terms, operatorIds }), terms);
  }

  #readRelation(isOperand = false): Expression {
    this.#depth.enter('relation');
    let left = this.#readCalculation(1);
    for (let name = this.#relationOperator(isOperand); name !== undefined;) {
      const id = this.#builder.idAt(this.#tokens.take().start);
      const right = this.#readRelation(true);
      left = this.#raisedCall(id, name, [left, right]);
      name = this.#relationOperator(isOperand);
    }
    return this.#depth.leave('relation', left);
  }

  // `a < b < c` is `(a < b) < c`: what is right of an operator takes no further one.
  #relationOperator(isOperand: boolean): string | undefined {
    return isOperand ? undefined : relations.get(this.#tokens.current().kind);
  }

  // Operators that bind at least as tightly as `level`: 1 are sums, 2 products.
  #readCalculation(level: number): Expression {
    this.#depth.enter('calculation');
    let left = this.#readUnary();
    for (;;) {
      const { kind } = this.#tokens.current();
      const product = products.get(kind);
      const name = product ?? (level === 1 ? sums.get(kind) : undefined);
      if (name === undefined || level > 2) return this.#depth.leave('calculation', left);
      const id = this.#builder.idAt(this.#tokens.take().start);
      const right = this.#readCalculation(product === undefined ? 2 : 3);
      left = this.#raisedCall(id, name, [left, right]);
    }
  }

  #readUnary(): Expression {
    const sign = this.#tokens.current();
    if (sign.kind !== '!' && sign.kind !== '-') return this.#readMember();
    const isNumber = this.#tokens.isNext('NUM_INT', 1) || this.#tokens.isNext('NUM_FLOAT', 1);
    if (sign.kind === '-' && isNumber) return this.#readMember();
    let count = 0;
    while (this.#tokens.isNext(sign.kind)) {
      this.#tokens.take();
      count++;
    }
    if (count % 2 === 0) return this.#readMember();
    const id = this.#builder.idAt(sign.start);
    const operand = this.#readMember();
    const name = sign.kind === '!' ? operators.not : operators.negate;
    return this.#depth.inherit(this.#call(id, name, [operand]), [operand]);
  }

  #readMember(): Expression {
    let operand = this.#readPrimary();
    for (;;) {
      if (this.#tokens.isNext('.')) operand = this.#readSelection(operand);
      else if (this.#tokens.isNext('[')) operand = this.#readIndex(operand);
      else return operand;
    }
  }

  #readFieldName(): string {
    const token = this.#tokens.take();
    if (token.kind === 'IDENTIFIER') return token.text;
    if (token.kind !== 'ESC_IDENTIFIER') throw new UnexpectedToken();
    if (!this.#options.escapedIdentifiers) this.#report(token.start, "unsupported syntax: '`'");
    return token.text.slice(1, -1);
  }

  #readSelection(operand: Expression): Expression {
    const dot = this.#tokens.take();
    if (this.#tokens.takeIf('?') !== undefined) {
      if (!this.#options.optionalSyntax) this.#report(dot.start, "unsupported syntax '.?'");
      const id = this.#builder.idAt(dot.start);
      const at = this.#tokens.current().start;
      const field: Expression = {
        id: this.#builder.idAt(at),
        kind: 'constant',
        value: this.#readFieldName(),
      };
      return this.#raisedCall(id, operators.optionalSelect, [operand, field]);
    }
    if (this.#tokens.isNext('IDENTIFIER') && this.#tokens.isNext('(', 1)) {
      const name = this.#tokens.take().text;
      const open = this.#tokens.take();
      const id = this.#builder.idAt(open.start);
      const values = this.#readArguments();
      return this.#readCall({ id, name, at: open.start, target: operand, values });
    }
    const field = this.#readFieldName();
    const id = this.#builder.idAt(dot.start);
    return this.#depth.raise({ id, kind: 'select', operand, field, isTest: false }, [operand]);
  }

  #readIndex(operand: Expression): Expression {
    const open = this.#tokens.take();
    const id = this.#builder.idAt(open.start);
    const isOptional = this.#tokens.takeIf('?') !== undefined;
    if (isOptional && !this.#options.optionalSyntax)
      this.#report(open.start, "unsupported syntax '[?'");
    const key = this.#readExpression();
    this.#tokens.expect(']');
    const name = isOptional ? operators.optionalIndex : operators.index;
    return this.#raisedCall(id, name, [operand, key]);
  }

  #readArguments(): Expression[] {
    const values: Expression[] = [];
    if (this.#tokens.takeIf(')') !== undefined) return values;
    do values.push(this.#readExpression());
    while (this.#tokens.takeIf(',') !== undefined);
    this.#tokens.expect(')');
    return values;
  }

  #readCall(written: WrittenCall): Expression {
    const { id, name, at, target, values } = written;
    const parts = target === undefined ? values : [target, ...values];
    const macro = this.#options.macros
      .get(name)
      ?.find(
        ({ isMember, argumentCount }) =>
          isMember === (target !== undefined) && argumentCount === values.length,
      );
    const expansion = macro?.expand({ id, target, arguments: values }, this.#builder.factoryAt(at));
    if (expansion !== undefined && isMacroError(expansion)) {
      this.#report(this.#builder.offsets.get(expansion.expressionId) ?? at, expansion.message);
    } else if (expansion !== undefined) {
      return target === undefined
        ? this.#depth.inherit(expansion, parts)
        : this.#depth.raise(expansion, parts);
    }
    const plain: Expression = { id, kind: 'call', function: name, target, arguments: values };
    return target === undefined
      ? this.#depth.inherit(plain, parts)
      : this.#depth.raise(plain, parts);
  }

  #readPrimary(): Expression {
    const token = this.#tokens.current();
    switch (token.kind) {
      case '(': {
        this.#tokens.take();
        const inner = this.#readExpression();
        this.#tokens.expect(')');
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
    const sign = this.#tokens.takeIf('-');
    const token = this.#tokens.take();
    const literal = this.#literals.read(token, sign);
    if (literal === undefined) throw new UnexpectedToken();
    return literal;
  }

  #readName(): Expression {
    const dot = this.#tokens.takeIf('.');
    const first = this.#tokens.expect('IDENTIFIER');
    const start = dot?.start ?? first.start;
    const end = this.#findStruct(this.#tokens.index);
    if (end !== undefined) {
      const names = [first.text];
      while (this.#tokens.index < end) {
        this.#tokens.take();
        names.push(this.#tokens.take().text);
      }
      return this.#readStruct((dot === undefined ? '' : '.') + names.join('.'));
    }
    if (reservedIdentifiers.has(first.text)) {
      this.#report(start, `reserved identifier: ${first.text}`);
      return { id: this.#builder.idAt(start), kind: 'constant', value: null };
    }
    const name = (dot === undefined ? '' : '.') + first.text;
    const open = this.#tokens.takeIf('(');
    if (open === undefined) return { id: this.#builder.idAt(start), kind: 'identifier', name };
    const id = this.#builder.idAt(open.start);
    const values = this.#readArguments();
    return this.#readCall({ id, name, at: open.start, target: undefined, values });
  }

  // `a.b.c{` is a message, and only what stands behind the names tells.
  #findStruct(from: number): number | undefined {
    let at = from;
    while (this.#tokens.at(at)?.kind === '.' && this.#tokens.at(at + 1)?.kind === 'IDENTIFIER')
      at += 2;
    return this.#tokens.at(at)?.kind === '{' ? at : undefined;
  }

  #readOptionalMark(): boolean {
    const mark = this.#tokens.takeIf('?');
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
    const id = this.#builder.idAt(this.#tokens.take().start);
    const elements: Expression[] = [];
    const optionalIndices: number[] = [];
    this.#readParts(']', () => {
      if (this.#readOptionalMark()) optionalIndices.push(elements.length);
      elements.push(this.#readExpression());
    });
    return this.#depth.inherit({ id, kind: 'list', elements, optionalIndices }, elements);
  }

  #readMap(): Expression {
    const id = this.#builder.idAt(this.#tokens.take().start);
    const entries: MapEntry[] = [];
    this.#readParts('}', () => {
      this.#readEntry((isOptional) => {
        const key = this.#readExpression();
        const entryId = this.#builder.idAt(this.#tokens.expect(':').start);
        entries.push({ id: entryId, key, value: this.#readExpression(), isOptional });
      });
    });
    const parts = entries.flatMap((entry) => [entry.key, entry.value]);
    return this.#depth.inherit({ id, kind: 'map', entries }, parts);
  }

  #readStruct(typeName: string): Expression {
    const id = this.#builder.idAt(this.#tokens.take().start);
    const fields: StructField[] = [];
    this.#readParts('}', () => {
      this.#readEntry((isOptional) => {
        const name = this.#readFieldName();
        const fieldId = this.#builder.idAt(this.#tokens.expect(':').start);
        fields.push({ id: fieldId, name, value: this.#readExpression(), isOptional });
      });
    });
    const parts = fields.map((field) => field.value);
    return this.#depth.inherit({ id, kind: 'struct', typeName, fields }, parts);
  }

  // Parts with commas between them, and maybe one behind the last.
  #readParts(close: ']' | '}', readPart: () => void): void {
    let isFirst = true;
    while (!this.#tokens.isNext(close)) {
      if (!isFirst || this.#tokens.isNext(',')) {
        this.#tokens.expect(',');
        if (this.#tokens.isNext(close)) break;
        if (isFirst) throw new UnexpectedToken();
      }
      readPart();
      isFirst = false;
    }
    this.#tokens.expect(close);
  }

  get offsets(): NodeTable<number> {
    return this.#builder.offsets;
  }

  read(): Expression {
    const expression = this.#readExpression();
    this.#tokens.expect('EOF');
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
