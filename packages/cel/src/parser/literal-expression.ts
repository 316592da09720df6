/**
 * Literal tokens to constant nodes.
 */

import type { ConstantValue, Expression } from '../ast/expression.ts';
import type { Token } from './lexer.ts';
import {
  parseBytesLiteral,
  parseDoubleLiteral,
  parseIntLiteral,
  parseStringLiteral,
  parseUintLiteral,
} from './literals.ts';
import type { NodeBuilder } from './node-builder.ts';

/** Reads literals. */
export interface LiteralReader {
  /** The node of a token, with the sign before it; undefined when the token is no literal. */
  read(token: Token, sign: Token | undefined): Expression | undefined;
}

/** A reader that reports values that cannot be, and then goes on. */
export function createLiteralReader(
  builder: NodeBuilder,
  report: (offset: number, message: string) => void,
): LiteralReader {
  return {
    read: (token, sign) => {
      if (sign !== undefined && token.kind !== 'NUM_INT' && token.kind !== 'NUM_FLOAT') {
        return undefined;
      }
      const parse = parsers[token.kind];
      if (parse === undefined) return undefined;
      const start = sign?.start ?? token.start;
      const value = parse.value((sign === undefined ? '' : '-') + token.text);
      if (value === undefined) report(start, parse.message);
      return { id: builder.idAt(start), kind: 'constant', value: value ?? null };
    },
  };
}

interface LiteralParser {
  readonly value: (text: string) => ConstantValue | undefined;
  readonly message: string;
}

const parsers: Readonly<Partial<Record<Token['kind'], LiteralParser>>> = {
  NUM_INT: { value: parseIntLiteral, message: 'invalid int literal' },
  NUM_UINT: { value: parseUintLiteral, message: 'invalid uint literal' },
  NUM_FLOAT: { value: parseDoubleLiteral, message: 'invalid double literal' },
  STRING: { value: parseStringLiteral, message: 'invalid unicode code point' },
  BYTES: { value: parseBytesLiteral, message: 'invalid unicode code point' },
  true: { value: () => true, message: '' },
  false: { value: () => false, message: '' },
  null: { value: () => null, message: '' },
};
