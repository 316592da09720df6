/**
 * Text to tree: a recursive descent over the language's grammar, macros included.
 *
 * This parser stops at the first syntax error and leaves its wording to `explainSyntaxErrors`. It bounds the length of
 * the text, how deep rules nest while parsing, and how deep the tree becomes; nothing behind it needs to worry about
 * the stack.
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
  const reader = createReader(source, tokens, options);
  let expression: Expression | undefined;
  try {
    if (errors.length === 0) expression = reader.read();
  } catch (error) {
    if (error instanceof DepthExceeded) return { issues: [withoutPosition(error.message)] };
    if (!(error instanceof UnexpectedToken)) throw error;
  }
  if (expression === undefined) {
    const { recursionDepthMax } = options.limits;
    const explained = explainSyntaxErrors({
      source,
      tokens,
      lexicalErrors: errors,
      recursionDepthMax,
    });
    return { issues: explained.map((error) => issueAt(source, error.start, error.message)) };
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
    'as break const continue else false for function if import in let loop package namespace null return true var ' +
    'void while'
  ).split(' '),
);

/** Rules whose nesting is bounded while reading. */
type NestedRule = 'expression' | 'relation' | 'calculation';

interface Reader {
  readonly issues: Issue[];
  readonly offsets: ReadonlyMap<number, number>;
  read(): Expression;
}

function createReader(source: string, tokens: readonly Token[], options: ParserOptions): Reader {
  const issues: Issue[] = [];
  const builder = createNodeBuilder();
  const depths: Record<NestedRule, number> = { expression: 0, relation: 0, calculation: 0 };
  const depthMax = options.limits.recursionDepthMax;
  const heights = new Map<Expression, number>();
  const literals = createLiteralReader(builder, (offset, message) =>
    issues.push(issueAt(source, offset, message)),
  );
  let index = 0;

  const report = (offset: number, message: string): void => {
    issues.push(issueAt(source, offset, message));
  };

  const current = (): Token => {
    const token = tokens[index];
    if (token === undefined) throw new UnexpectedToken();
    return token;
  };

  const isNext = (kind: TokenKind, ahead = 0): boolean => tokens[index + ahead]?.kind === kind;

  const take = (): Token => {
    const token = current();
    index++;
    return token;
  };

  const takeIf = (kind: TokenKind): Token | undefined => (isNext(kind) ? take() : undefined);

  const expect = (kind: TokenKind): Token => {
    if (!isNext(kind)) throw new UnexpectedToken();
    return take();
  };

  const nested = <T>(rule: NestedRule, readInner: () => T): T => {
    if (++depths[rule] > depthMax) {
      throw new DepthExceeded(`expression recursion limit exceeded: ${depthMax}`);
    }
    const inner = readInner();
    depths[rule]--;
    return inner;
  };

  // The height of chains such as `a.b.c`, which nest in the tree though not in the text.
  const raise = (expression: Expression, ...children: readonly Expression[]): Expression => {
    const height = 1 + Math.max(0, ...children.map((child) => heights.get(child) ?? 0));
    if (height >= depthMax) throw new DepthExceeded('max recursion depth exceeded');
    heights.set(expression, height);
    return expression;
  };

  const inherit = (expression: Expression, children: readonly Expression[]): Expression => {
    let height = 0;
    for (const child of children) height = Math.max(height, heights.get(child) ?? 0);
    if (height > 0) heights.set(expression, height);
    return expression;
  };

  const call = (id: number, name: string, values: readonly Expression[]): Expression => ({
    id,
    kind: 'call',
    function: name,
    target: undefined,
    arguments: values,
  });

  const readExpression = (): Expression => nested('expression', readConditional);

  const readConditional = (): Expression => {
    const condition = readOr();
    const question = takeIf('?');
    if (question === undefined) return condition;
    const id = builder.idAt(question.start);
    const whenTrue = readOr();
    expect(':');
    const whenFalse = readExpression();
    const parts = [condition, whenTrue, whenFalse];
    return raise(call(id, operators.conditional, parts), ...parts);
  };

  const readLogic = (
    operator: '&&' | '||',
    name: typeof operators.and | typeof operators.or,
    readTerm: () => Expression,
  ): Expression => {
    const terms = [readTerm()];
    const operatorIds: number[] = [];
    for (let token = takeIf(operator); token !== undefined; token = takeIf(operator)) {
      operatorIds.push(builder.idAt(token.start));
      terms.push(readTerm());
    }
    return inherit(balance({ function: name, terms, operatorIds }), terms);
  };

  const readOr = (): Expression => readLogic('||', operators.or, readAnd);
  const readAnd = (): Expression =>
    readLogic('&&', operators.and, () => nested('relation', readRelation));

  const readBinary = (
    names: ReadonlyMap<TokenKind, string>,
    readLeft: () => Expression,
    readRight: () => Expression,
  ): Expression => {
    let left = readLeft();
    for (let name = names.get(current().kind); name !== undefined;) {
      const id = builder.idAt(take().start);
      const right = readRight();
      left = raise(call(id, name, [left, right]), left, right);
      name = names.get(current().kind);
    }
    return left;
  };

  const readRelation = (): Expression =>
    readBinary(
      relations,
      () => nested('calculation', readSum),
      () => nested('relation', () => nested('calculation', readSum)),
    );

  const readSum = (): Expression =>
    readBinary(sums, readProduct, () => nested('calculation', readProduct));

  const readProduct = (): Expression =>
    readBinary(products, readUnary, () => nested('calculation', readUnary));

  const readUnary = (): Expression => {
    const sign = current();
    if (sign.kind !== '!' && sign.kind !== '-') return readMember();
    const isNumber = isNext('NUM_INT', 1) || isNext('NUM_FLOAT', 1);
    if (sign.kind === '-' && isNumber) return readMember();
    let count = 0;
    while (isNext(sign.kind)) {
      take();
      count++;
    }
    if (count % 2 === 0) return readMember();
    const id = builder.idAt(sign.start);
    const operand = readMember();
    const name = sign.kind === '!' ? operators.not : operators.negate;
    return inherit(call(id, name, [operand]), [operand]);
  };

  const readMember = (): Expression => {
    let operand = readPrimary();
    for (;;) {
      if (isNext('.')) operand = readSelection(operand);
      else if (isNext('[')) operand = readIndex(operand);
      else return operand;
    }
  };

  const readFieldName = (): string => {
    const token = take();
    if (token.kind === 'IDENTIFIER') return token.text;
    if (token.kind !== 'ESC_IDENTIFIER') throw new UnexpectedToken();
    if (!options.escapedIdentifiers) report(token.start, "unsupported syntax: '`'");
    return token.text.slice(1, -1);
  };

  const readSelection = (operand: Expression): Expression => {
    const dot = take();
    if (takeIf('?') !== undefined) {
      if (!options.optionalSyntax) report(dot.start, "unsupported syntax '.?'");
      const id = builder.idAt(dot.start);
      const at = current().start;
      const field: Expression = {
        id: builder.idAt(at),
        kind: 'constant',
        value: readFieldName(),
      };
      return raise(call(id, operators.optionalSelect, [operand, field]), operand);
    }
    if (isNext('IDENTIFIER') && isNext('(', 1)) {
      const name = take().text;
      const open = take();
      const id = builder.idAt(open.start);
      const values = readArguments();
      return readCall({ id, name, at: open.start, target: operand, values });
    }
    const field = readFieldName();
    const id = builder.idAt(dot.start);
    return raise({ id, kind: 'select', operand, field, isTest: false }, operand);
  };

  const readIndex = (operand: Expression): Expression => {
    const open = take();
    const id = builder.idAt(open.start);
    const isOptional = takeIf('?') !== undefined;
    if (isOptional && !options.optionalSyntax) report(open.start, "unsupported syntax '[?'");
    const key = readExpression();
    expect(']');
    const name = isOptional ? operators.optionalIndex : operators.index;
    return raise(call(id, name, [operand, key]), operand, key);
  };

  const readArguments = (): Expression[] => {
    const values: Expression[] = [];
    if (takeIf(')') !== undefined) return values;
    do values.push(readExpression());
    while (takeIf(',') !== undefined);
    expect(')');
    return values;
  };

  const readCall = (written: WrittenCall): Expression => {
    const { id, name, at, target, values } = written;
    const parts = target === undefined ? values : [target, ...values];
    const macro = options.macros.get(macroKey(name, target !== undefined, values.length));
    const expansion = macro?.expand({ id, target, arguments: values }, builder.factoryAt(at));
    if (expansion !== undefined && isMacroError(expansion)) {
      report(builder.offsets.get(expansion.expressionId) ?? at, expansion.message);
    } else if (expansion !== undefined) {
      return target === undefined ? inherit(expansion, parts) : raise(expansion, ...parts);
    }
    const plain: Expression = { id, kind: 'call', function: name, target, arguments: values };
    return target === undefined ? inherit(plain, parts) : raise(plain, ...parts);
  };

  const readPrimary = (): Expression => {
    const token = current();
    switch (token.kind) {
      case '(': {
        take();
        const inner = readExpression();
        expect(')');
        return inner;
      }
      case '[':
        return readList();
      case '{':
        return readMap();
      case '.':
      case 'IDENTIFIER':
        return readName();
      default:
        return readLiteral();
    }
  };

  const readLiteral = (): Expression => {
    const sign = takeIf('-');
    const token = take();
    const literal = literals.read(token, sign);
    if (literal === undefined) throw new UnexpectedToken();
    return literal;
  };

  const readName = (): Expression => {
    const dot = takeIf('.');
    const first = expect('IDENTIFIER');
    const start = dot?.start ?? first.start;
    const end = findStruct(index);
    if (end !== undefined) {
      const names = [first.text];
      while (index < end) {
        take();
        names.push(take().text);
      }
      return readStruct((dot === undefined ? '' : '.') + names.join('.'));
    }
    if (reservedIdentifiers.has(first.text)) {
      report(start, `reserved identifier: ${first.text}`);
      return { id: builder.idAt(start), kind: 'constant', value: null };
    }
    const name = (dot === undefined ? '' : '.') + first.text;
    const open = takeIf('(');
    if (open === undefined) return { id: builder.idAt(start), kind: 'identifier', name };
    const id = builder.idAt(open.start);
    const values = readArguments();
    return readCall({ id, name, at: open.start, target: undefined, values });
  };

  // `a.b.c{` is a message, and only what stands behind the names tells.
  const findStruct = (from: number): number | undefined => {
    let at = from;
    while (tokens[at]?.kind === '.' && tokens[at + 1]?.kind === 'IDENTIFIER') at += 2;
    return tokens[at]?.kind === '{' ? at : undefined;
  };

  const readOptionalMark = (): boolean => {
    const mark = takeIf('?');
    if (mark !== undefined && !options.optionalSyntax) {
      report(mark.start, "unsupported syntax '?'");
    }
    return mark !== undefined;
  };

  const readList = (): Expression => {
    const id = builder.idAt(take().start);
    const elements: Expression[] = [];
    const optionalIndices: number[] = [];
    readParts(']', () => {
      if (readOptionalMark()) optionalIndices.push(elements.length);
      elements.push(readExpression());
    });
    return inherit({ id, kind: 'list', elements, optionalIndices }, elements);
  };

  const readMap = (): Expression => {
    const id = builder.idAt(take().start);
    const entries: MapEntry[] = [];
    readParts('}', () => {
      const isOptional = readOptionalMark();
      const key = readExpression();
      const entryId = builder.idAt(expect(':').start);
      entries.push({ id: entryId, key, value: readExpression(), isOptional });
    });
    const parts = entries.flatMap((entry) => [entry.key, entry.value]);
    return inherit({ id, kind: 'map', entries }, parts);
  };

  const readStruct = (typeName: string): Expression => {
    const id = builder.idAt(take().start);
    const fields: StructField[] = [];
    readParts('}', () => {
      const isOptional = readOptionalMark();
      const name = readFieldName();
      const fieldId = builder.idAt(expect(':').start);
      fields.push({ id: fieldId, name, value: readExpression(), isOptional });
    });
    const parts = fields.map((field) => field.value);
    return inherit({ id, kind: 'struct', typeName, fields }, parts);
  };

  // Parts with commas between them, and maybe one behind the last.
  const readParts = (close: ']' | '}', readPart: () => void): void => {
    let isFirst = true;
    while (!isNext(close)) {
      if (!isFirst || isNext(',')) {
        expect(',');
        if (isNext(close)) break;
        if (isFirst) throw new UnexpectedToken();
      }
      readPart();
      isFirst = false;
    }
    expect(close);
  };

  const read = (): Expression => {
    const expression = readExpression();
    expect('EOF');
    return expression;
  };

  return { issues, offsets: builder.offsets, read };
}

interface WrittenCall {
  readonly id: number;
  readonly name: string;
  readonly at: number;
  readonly target: Expression | undefined;
  readonly values: readonly Expression[];
}
