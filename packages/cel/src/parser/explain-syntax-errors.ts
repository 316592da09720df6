/**
 * Words syntax errors.
 */

import type { LexicalError, Token } from './lexer.ts';

/** A syntax error; a negative start means no place. */
export interface SyntaxErrorText {
  readonly start: number;
  readonly message: string;
}

export function explainSyntaxErrors(
  tokens: readonly Token[],
  lexical: readonly LexicalError[],
  _depthMax: number,
): readonly SyntaxErrorText[] {
  if (lexical.length > 0) return lexical;
  return [{ start: tokens.at(-1)?.start ?? 0, message: 'Syntax error' }];
}
