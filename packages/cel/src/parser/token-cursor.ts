/**
 * The tokens of a text, one after the other. What is not expected ends reading; the wording is
 * others' business.
 */

import type { Token, TokenKind } from './lexer.ts';

/** Reading stops: the next token is none that can follow. */
export class UnexpectedToken extends Error {}

/** A place in a row of tokens. */
export class TokenCursor {
  readonly #tokens: readonly Token[];
  #index = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get index(): number {
    return this.#index;
  }

  /** The token at a place, whether it was read or not. */
  at(index: number): Token | undefined {
    return this.#tokens[index];
  }

  current(): Token {
    const token = this.#tokens[this.#index];
    if (token === undefined) throw new UnexpectedToken();
    return token;
  }

  isNext(kind: TokenKind, ahead = 0): boolean {
    return this.#tokens[this.#index + ahead]?.kind === kind;
  }

  take(): Token {
    const token = this.current();
    this.#index++;
    return token;
  }

  takeIf(kind: TokenKind): Token | undefined {
    return this.isNext(kind) ? this.take() : undefined;
  }

  expect(kind: TokenKind): Token {
    if (!this.isNext(kind)) throw new UnexpectedToken();
    return this.take();
  }
}
