/**
 * Words the syntax errors of a text that the parser could not read, and goes on behind each to find
 * more.
 *
 * COMPAT: this is what ANTLR's default error strategy does: a token too many is skipped, a missing
 * one is imagined, and after anything else the tokens are skipped up to one that a waiting rule can
 * use. The words and limits are cel-go's.
 */

import { describeTokens, expectedTokens, nextTokens, recoveryTokens } from './expected-tokens.ts';
import type { RuleContext } from './expected-tokens.ts';
import { ruleNamed } from './grammar.ts';
import type { Part, RuleName, State } from './grammar.ts';
import type { LexicalError, Token, TokenKind } from './lexer.ts';
import { predict, PredictionTooCostly } from './predict.ts';
import type { PredictionBudget } from './predict.ts';

/** A syntax error; a negative start means no place. */
export interface SyntaxErrorText {
  readonly start: number;
  readonly message: string;
}

/** A text that does not parse. */
export interface UnreadText {
  readonly source: string;
  readonly tokens: readonly Token[];
  readonly lexicalErrors: readonly LexicalError[];
  readonly recursionDepthMax: number;
}

/** How often reading may go on after an error. */
const recoveriesMax = 30;

/** How many tokens may be skipped for one error. */
const skippedTokensMax = 512;

/**
 * A bound on the time that an explanation takes; texts that people write need a thousandth of it.
 */
const predictionStepsMax = 1_000_000;

/** The errors of a text, in its order. Never throws, and finds at least one. */
export function explainSyntaxErrors(text: UnreadText): readonly SyntaxErrorText[] {
  const explainer = new SyntaxErrorExplainer(text);
  const found = [...text.lexicalErrors, ...explainer.explain()];
  if (found.length === 0) found.push({ start: 0, message: 'Syntax error' });
  return found.toSorted((left, right) => left.start - right.start);
}

// What a rule throws to its own end, where it is reported.
class Unexpected extends Error {
  readonly at: Token;

  constructor(message: string, at: Token) {
    super(message);
    this.at = at;
  }
}

// Ends the explanation.
class GivenUp extends Error {}

// One reading of one text.
class SyntaxErrorExplainer {
  readonly #text: UnreadText;
  readonly #errors: SyntaxErrorText[] = [];
  readonly #depths = new Map<RuleName, number>();
  readonly #budget: PredictionBudget = { steps: predictionStepsMax };
  #index = 0;
  #context: RuleContext = { rule: 'start', precedence: 0, returnTo: undefined, parent: undefined };
  #isRecovering = false;
  #recoveries = 0;
  #lastErrorIndex = -1;
  #lastErrorStates = new Set<State>();
  #state: State = ruleNamed('start').begin;

  constructor(text: UnreadText) {
    this.#text = text;
  }

  explain(): readonly SyntaxErrorText[] {
    try {
      this.#readRule(this.#context);
    } catch (error) {
      // What was found until then is reported; the stack is used up only by texts that nest too
      // deeply anyway.
      const isEnd = error instanceof GivenUp || error instanceof PredictionTooCostly;
      if (!isEnd && !(error instanceof RangeError)) throw error;
    }
    return this.#errors;
  }

  #token(ahead = 0): Token {
    const { tokens } = this.#text;
    const token = tokens[Math.min(this.#index + ahead, tokens.length - 1)];
    if (token === undefined) throw new GivenUp();
    return token;
  }

  #consume(): void {
    if (this.#index < this.#text.tokens.length - 1) this.#index++;
  }

  #readRule(context: RuleContext): void {
    const depth = (this.#depths.get(context.rule) ?? 0) + 1;
    const { recursionDepthMax } = this.#text;
    if (depth > recursionDepthMax) {
      const message = `expression recursion limit exceeded: ${recursionDepthMax}`;
      this.#errors.push({ start: -1, message });
      throw new GivenUp();
    }
    this.#depths.set(context.rule, depth);
    this.#context = context;
    try {
      this.#readPart(ruleNamed(context.rule).part);
    } catch (error) {
      if (!(error instanceof Unexpected)) throw error;
      this.#context = context;
      this.#report(error.message, error.at);
      this.#recover();
    }
    this.#depths.set(context.rule, depth - 1);
    if (context.parent !== undefined) this.#context = context.parent;
  }

  #readPart(part: Part): void {
    switch (part.kind) {
      case 'token':
        this.#state = part.state;
        this.#match(part.state, part.tokens);
        return;
      case 'rule': {
        const { rule, precedence, state } = part;
        const [transition] = state.transitions;
        this.#readRule({ rule, precedence, returnTo: transition?.to, parent: this.#context });
        return;
      }
      case 'sequence':
        for (const inner of part.parts) this.#readPart(inner);
        return;
      case 'choice':
        this.#readChoice(part);
        return;
      case 'optional':
        this.#synchronize(part.state, false);
        if (nextTokens(partStart(part.state)).tokens.has(this.#token().kind)) {
          this.#readPart(part.part);
        }
        return;
      case 'loop':
        this.#readLoop(part);
        return;
    }
  }

  #readChoice(part: Extract<Part, { kind: 'choice' }>): void {
    this.#synchronize(part.state, false);
    const starts = part.state.transitions.map((transition) => transition.to);
    const inner = part.alternatives[this.#predict(starts)];
    if (inner !== undefined) this.#readPart(inner);
  }

  #readLoop(part: Extract<Part, { kind: 'loop' }>): void {
    this.#synchronize(part.state, false);
    let goesOn = part.isPlus || this.#entersLoop(part, part.state);
    while (goesOn) {
      const before = this.#index;
      this.#readPart(part.part);
      this.#synchronize(part.again, true);
      goesOn = this.#entersLoop(part, part.again);
      // Imagined tokens alone must not keep the loop going.
      if (this.#index === before) return;
    }
  }

  #entersLoop(part: Extract<Part, { kind: 'loop' }>, state: State): boolean {
    const starts = state.transitions.map((transition) => transition.to);
    const [body] = starts;
    if (part.looksAhead) return this.#predict(starts) === 0;
    return body !== undefined && nextTokens(body).tokens.has(this.#token().kind);
  }

  #predict(alternatives: readonly State[]): number {
    const prediction = predict(
      { tokens: this.#text.tokens, index: this.#index, context: this.#context, alternatives },
      this.#budget,
    );
    if ('alternative' in prediction) return prediction.alternative;
    const start = this.#token();
    const failed = this.#text.tokens[prediction.failedAt] ?? start;
    throw new Unexpected(`no viable alternative at input ${this.#quote(start, failed)}`, failed);
  }

  // The tokens and the blanks between them, but not what was no token.
  #quote(from: Token, to: Token): string {
    if (from.kind === 'EOF') return "'<EOF>'";
    const { source, tokens } = this.#text;
    let input = '';
    let end = from.start;
    for (const token of tokens) {
      if (token.start < from.start || token.start > to.start) continue;
      input += source.slice(end, token.start).replaceAll(/[^ \n\t\r\f]/g, '');
      end = token.end;
      input += source.slice(token.start, end);
    }
    return `'${escapeBlank(input)}'`;
  }

  #match(state: State, tokens: ReadonlySet<TokenKind>): void {
    if (tokens.has(this.#token().kind)) {
      this.#isRecovering = false;
      this.#consume();
      return;
    }
    this.#countRecovery();
    if (this.#skipsOne(state)) {
      this.#consume();
      return;
    }
    const [transition] = state.transitions;
    if (transition === undefined) throw this.#mismatch(state);
    const afterwards = expectedTokens(transition.to, this.#context);
    if (!afterwards.has(this.#token().kind)) throw this.#mismatch(state);
    const missing = describeTokens(expectedTokens(state, this.#context));
    this.#report(`missing ${missing} at ${describeToken(this.#token())}`, this.#token());
  }

  #mismatch(state: State): Unexpected {
    const expected = describeTokens(expectedTokens(state, this.#context));
    const token = this.#token();
    return new Unexpected(`mismatched input ${describeToken(token)} expecting ${expected}`, token);
  }

  // If the token behind the next one fits, the next one is too many.
  #skipsOne(state: State): boolean {
    const expected = expectedTokens(state, this.#context);
    if (!expected.has(this.#token(1).kind)) return false;
    this.#reportUnwanted(state);
    this.#consume();
    this.#isRecovering = false;
    return true;
  }

  #reportUnwanted(state: State): void {
    const expected = describeTokens(expectedTokens(state, this.#context));
    const token = this.#token();
    this.#report(`extraneous input ${describeToken(token)} expecting ${expected}`, token);
  }

  #synchronize(state: State, isAgain: boolean): void {
    this.#state = state;
    if (this.#isRecovering) return;
    const next = nextTokens(state);
    if (next.canEnd || next.tokens.has(this.#token().kind)) return;
    if (!isAgain) {
      if (this.#skipsOne(state)) return;
      throw this.#mismatch(state);
    }
    this.#reportUnwanted(state);
    const useful = new Set([
      ...expectedTokens(state, this.#context),
      ...recoveryTokens(this.#context),
    ]);
    this.#skipTo(useful);
  }

  #report(message: string, at: Token): void {
    if (this.#isRecovering) return;
    this.#isRecovering = true;
    this.#errors.push({ start: at.start, message: `Syntax error: ${message}` });
  }

  #recover(): void {
    this.#countRecovery();
    if (this.#lastErrorIndex === this.#index && this.#lastErrorStates.has(this.#state)) {
      // Nothing was read since the last time, so at least one token has to go.
      this.#consume();
    }
    if (this.#lastErrorIndex !== this.#index) this.#lastErrorStates = new Set();
    this.#lastErrorIndex = this.#index;
    this.#lastErrorStates.add(this.#state);
    this.#skipTo(recoveryTokens(this.#context));
  }

  #countRecovery(): void {
    if (this.#recoveries++ < recoveriesMax) return;
    const message = `Syntax error: error recovery attempt limit exceeded: ${recoveriesMax}`;
    this.#errors.push({ start: this.#token().start, message });
    throw new GivenUp();
  }

  #skipTo(useful: ReadonlySet<TokenKind>): void {
    let skipped = 0;
    while (this.#token().kind !== 'EOF' && !useful.has(this.#token().kind)) {
      if (skipped++ >= skippedTokensMax) {
        const message = `error recovery token lookahead limit exceeded: ${skippedTokensMax}`;
        this.#errors.push({ start: -1, message });
        throw new GivenUp();
      }
      this.#consume();
    }
  }
}

function partStart(state: State): State {
  return state.transitions[0]?.to ?? state;
}

function describeToken(token: Token): string {
  return token.kind === 'EOF' ? "'<EOF>'" : `'${escapeBlank(token.text)}'`;
}

function escapeBlank(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');
}
