/**
 * Text to tree: a recursive descent over the language's grammar, macros included.
 *
 * This parser stops at the first syntax error and leaves its wording to `explainSyntaxErrors`. It
 * bounds the length of the text, how deep rules nest while parsing, and how deep the tree becomes;
 * nothing behind it needs to worry about the stack.
 */

import type { Expression } from '../ast/expression.ts';
import { codePointCount } from '../values/code-points.ts';
import { DepthExceeded } from './depth-bound.ts';
import { explainSyntaxErrors } from './explain-syntax-errors.ts';
import { tokenize } from './lexer.ts';
import type { ParserOptions } from './parser-options.ts';
import { Reader } from './reader.ts';
import { issueAt, withoutPosition } from './source-positions.ts';
import type { ParseOutcome } from './syntax-tree.ts';
import { UnexpectedToken } from './token-cursor.ts';

/** Reads a text. Never throws. */
export function parseExpression(source: string, options: ParserOptions): ParseOutcome {
  const limit = options.limits.expressionLengthMax;
  const size = source.length > limit ? codePointCount(source) : source.length;
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
