// The text syntax of label selectors:
//   selector    = requirement { "," requirement }
//   requirement = KEY | "!" KEY | KEY ( "=" | "==" | "!=" | ">" | "<" ) [VALUE]
//               | KEY ( "in" | "notin" ) "(" [VALUE { "," VALUE }] ")"
// Examples: `a`, `!a`, `a=b`, `a!=b`, `n>3`, `a in (b,c),d notin (e)`. The words `in` and `notin`
// are operators only after a key. COMPAT: the errors name the tokens as Kubernetes' parser does,
// also where that misleads.

import { compareGoStrings } from '../go-string.ts';
import {
  assertLabelKey,
  createLabelRequirement,
  SelectorError,
  type LabelOperator,
  type LabelRequirement,
} from './label-requirement.ts';

type TokenKind = 'error' | 'end' | 'word' | ')' | '(' | ',' | LabelOperator;
interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const symbolKinds = new Map<string, TokenKind>([
  [')', ')'],
  ['(', '('],
  [',', ','],
  ['!', '!'],
  ['==', '=='],
  ['=', '='],
  ['!=', '!='],
  ['>', 'gt'],
  ['<', 'lt'],
]);
const binaryOperators = 'in, notin, =, ==, !=, gt, lt';

/** The requirements in the order of their keys; throws `SelectorError`. */
export function parseLabelRequirements(text: string): LabelRequirement[] {
  const tokens = tokenize(text);
  const requirements: LabelRequirement[] = [];
  let done = tokens.peek().kind === 'end';
  if (!done && !startsRequirement(tokens.peek())) {
    throw unexpected(tokens.peek(), ", expected: !, identifier, or 'end of string'");
  }
  while (!done) {
    requirements.push(parseRequirement(tokens));
    const separator = tokens.next();
    done = separator.kind === 'end';
    if (done) break;
    if (separator.kind !== ',') throw unexpected(separator, ", expected: ',' or 'end of string'");
    if (!startsRequirement(tokens.peek())) {
      throw unexpected(tokens.peek(), ", expected: identifier after ','");
    }
  }
  return requirements.sort((a, b) => compareGoStrings(a.key, b.key));
}

function parseRequirement(tokens: Tokens): LabelRequirement {
  try {
    return parseBareRequirement(tokens);
  } catch (e) {
    if (!(e instanceof SelectorError)) throw e;
    throw new SelectorError(`unable to parse requirement: ${e.message}`);
  }
}

function parseBareRequirement(tokens: Tokens): LabelRequirement {
  let first = tokens.next();
  const negated = first.kind === '!';
  if (negated) first = tokens.next();
  if (!isWord(first)) throw unexpected(first, ', expected: identifier');
  const key = first.text;
  assertLabelKey(key);
  if (negated) return createLabelRequirement(key, '!', []);
  const after = tokens.peek().kind;
  if (after === 'end' || after === ',') return createLabelRequirement(key, 'exists', []);
  const token = tokens.next();
  const operator = asBinaryOperator(token);
  if (operator === undefined) throw unexpected(token, `, expected: ${binaryOperators}`);
  const values =
    operator === 'in' || operator === 'notin' ? parseValues(tokens) : [parseExactValue(tokens)];
  return createLabelRequirement(key, operator, values);
}

/** `(a,b)`, with `()` and empty places giving the empty string; sorted, without repetitions. */
function parseValues(tokens: Tokens): string[] {
  const open = tokens.next();
  if (open.kind !== '(') throw unexpected(open, " expected: '('");
  const first = tokens.peek();
  if (first.kind === ')') {
    tokens.next();
    return [''];
  }
  if (first.kind !== ',' && !isWord(first)) {
    throw unexpected(first, ", expected: ',', ')' or identifier");
  }
  const values = parseList(tokens);
  tokens.next();
  return [...values].sort(compareGoStrings);
}

/** Stops before the closing parenthesis. COMPAT: `(a,,)` is refused, `(a,)` and `(a,,b)` not. */
function parseList(tokens: Tokens): Set<string> {
  const values = new Set<string>();
  for (;;) {
    const token = tokens.next();
    const after = tokens.peek();
    if (isWord(token)) {
      values.add(token.text);
      if (after.kind === ')') return values;
      if (after.kind !== ',') throw unexpected(after, ", expected: ',' or ')'");
    } else if (token.kind === ',') {
      if (values.size === 0 || after.kind === ')' || after.kind === ',') values.add('');
      if (after.kind === ')') return values;
      if (after.kind === ',') tokens.next();
    } else {
      throw unexpected(token, ", expected: ',', or identifier");
    }
  }
}

function parseExactValue(tokens: Tokens): string {
  const after = tokens.peek().kind;
  if (after === 'end' || after === ',') return '';
  const token = tokens.next();
  if (!isWord(token)) throw unexpected(token, ', expected: identifier');
  return token.text;
}

function unexpected(token: Token, rest: string): SelectorError {
  return new SelectorError(`found '${token.text}'${rest}`);
}
function isWord(token: Token): boolean {
  return token.kind === 'word' || token.kind === 'in' || token.kind === 'notin';
}
function startsRequirement(token: Token): boolean {
  return isWord(token) || token.kind === '!';
}
function asBinaryOperator(token: Token): LabelOperator | undefined {
  switch (token.kind) {
    case 'in':
    case 'notin':
    case '=':
    case '==':
    case '!=':
    case 'gt':
    case 'lt':
      return token.kind;
    default:
      return undefined;
  }
}

interface Tokens {
  peek(): Token;
  next(): Token;
}

/** The last token is `end` and stays when it is taken. */
function tokenize(text: string): Tokens {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    while (isSpace(text[at])) at++;
    if (at >= text.length || text[at] === '\0') break;
    const token = isSymbol(text[at]) ? readSymbol(text, at) : readWord(text, at);
    tokens.push(token.token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '' });
  let position = 0;
  const peek = (): Token => tokens[position] ?? { kind: 'end', text: '' };
  return {
    peek,
    next() {
      const token = peek();
      position++;
      return token;
    },
  };
}

function readWord(text: string, start: number): { token: Token; end: number } {
  let end = start;
  while (end < text.length && !isSymbol(text[end]) && !isSpace(text[end]) && text[end] !== '\0') {
    end++;
  }
  const word = text.slice(start, end);
  const kind = word === 'in' || word === 'notin' ? word : 'word';
  // COMPAT: a NUL ends the word and is skipped.
  return { token: { kind, text: word }, end: text[end] === '\0' ? end + 1 : end };
}

/** The longest known symbol; `!!=`, say, has none after `!` and so is read as `!` and `!=`. */
function readSymbol(text: string, start: number): { token: Token; end: number } {
  const two = text.slice(start, start + 2);
  const pair = symbolKinds.get(two);
  if (two.length === 2 && pair !== undefined) {
    return { token: { kind: pair, text: two }, end: start + 2 };
  }
  const one = two[0] ?? '';
  return { token: { kind: symbolKinds.get(one) ?? 'error', text: one }, end: start + 1 };
}

function isSymbol(ch: string | undefined): boolean {
  return ch !== undefined && '=!(),><'.includes(ch);
}
function isSpace(ch: string | undefined): boolean {
  return ch === ' ' || ch === '\t' || ch === '\r' || ch === '\n';
}
