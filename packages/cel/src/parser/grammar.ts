/**
 * The grammar as a graph of states, for explaining syntax errors.
 *
 * COMPAT: users see the words of the parser generator that cel-go uses (ANTLR), and those depend on
 * where in the grammar a text stops making sense: which tokens could follow, and how many
 * alternatives were still open. So the grammar is here once more, rule by rule as it is published
 * for cel-go, beside the quick parser that reads every valid text. `relation`, `calc` and `member`
 * are left-recursive there; here they are loops with precedences.
 */

import type { TokenKind } from './lexer.ts';

/** The names of the rules. */
export type RuleName =
  | 'start'
  | 'expr'
  | 'conditionalOr'
  | 'conditionalAnd'
  | 'relation'
  | 'calc'
  | 'unary'
  | 'member'
  | 'primary'
  | 'exprList'
  | 'listInit'
  | 'fieldInitializerList'
  | 'optField'
  | 'mapInitializerList'
  | 'escapeIdent'
  | 'optExpr'
  | 'literal';

/** A way from a state to another. */
export type Transition =
  | { readonly kind: 'free'; readonly to: State }
  | { readonly kind: 'token'; readonly tokens: ReadonlySet<TokenKind>; readonly to: State }
  | {
      readonly kind: 'rule';
      readonly rule: RuleName;
      readonly precedence: number;
      readonly to: State;
    }
  | { readonly kind: 'precedence'; readonly atLeast: number; readonly to: State };

/** A place in the grammar. */
export interface State {
  readonly id: number;
  readonly rule: RuleName;
  /** Whether the rule ends here. */
  readonly isEnd: boolean;
  readonly transitions: Transition[];
}

/** A part of a rule, with the states where it is decided and matched. */
export type Part =
  | { readonly kind: 'token'; readonly state: State; readonly tokens: ReadonlySet<TokenKind> }
  | {
      readonly kind: 'rule';
      readonly state: State;
      readonly rule: RuleName;
      readonly precedence: number;
    }
  | { readonly kind: 'sequence'; readonly parts: readonly Part[] }
  | { readonly kind: 'choice'; readonly state: State; readonly alternatives: readonly Part[] }
  | { readonly kind: 'optional'; readonly state: State; readonly part: Part }
  | {
      readonly kind: 'loop';
      /** Where the loop is entered or passed by, and where it is decided again after a round. */
      readonly state: State;
      readonly again: State;
      readonly part: Part;
      /** Whether it goes round at least once. */
      readonly isPlus: boolean;
      /** Whether one token does not tell, so that the parser has to look further. */
      readonly looksAhead: boolean;
    };

/** A rule: its parts, and the states at its ends. */
export interface Rule {
  readonly name: RuleName;
  readonly begin: State;
  readonly end: State;
  readonly part: Part;
}

/** How rules are written below. */
type Written =
  | { readonly token: readonly TokenKind[] }
  | { readonly rule: RuleName; readonly precedence?: number }
  | { readonly sequence: readonly Written[] }
  | { readonly choice: readonly Written[] }
  | { readonly optional: Written }
  | { readonly loop: Written; readonly isPlus?: boolean; readonly looksAhead?: boolean }
  | { readonly atLeast: number; readonly then: Written };

const token = (...kinds: TokenKind[]): Written => ({ token: kinds });
const rule = (name: RuleName, precedence = 0): Written => ({ rule: name, precedence });
const sequence = (...parts: Written[]): Written => ({ sequence: parts });
const choice = (...parts: Written[]): Written => ({ choice: parts });
const optional = (...parts: Written[]): Written => ({ optional: sequence(...parts) });
const loop = (...parts: Written[]): Written => ({ loop: sequence(...parts) });
const ahead = (part: Written): Written => ({ loop: part, looksAhead: true });
const atLeast = (precedence: number, ...parts: Written[]): Written => ({
  atLeast: precedence,
  then: sequence(...parts),
});

const keyed = (key: Written): Written => sequence(key, token(':'), rule('expr'));

const written: Readonly<Record<RuleName, Written>> = {
  start: sequence(rule('expr'), token('EOF')),
  expr: sequence(
    rule('conditionalOr'),
    optional(token('?'), rule('conditionalOr'), token(':'), rule('expr')),
  ),
  conditionalOr: sequence(rule('conditionalAnd'), loop(token('||'), rule('conditionalAnd'))),
  conditionalAnd: sequence(rule('relation'), loop(token('&&'), rule('relation'))),
  relation: sequence(
    rule('calc'),
    ahead(atLeast(1, token('<', '<=', '>=', '>', '==', '!=', 'in'), rule('relation', 2))),
  ),
  calc: sequence(
    rule('unary'),
    ahead(
      choice(
        atLeast(2, token('*', '/', '%'), rule('calc', 3)),
        atLeast(1, token('+', '-'), rule('calc', 2)),
      ),
    ),
  ),
  unary: choice(
    rule('member'),
    sequence({ loop: token('!'), isPlus: true }, rule('member')),
    sequence({ loop: token('-'), isPlus: true, looksAhead: true }, rule('member')),
  ),
  member: sequence(
    rule('primary'),
    ahead(
      choice(
        atLeast(3, token('.'), optional(token('?')), rule('escapeIdent')),
        atLeast(
          2,
          token('.'),
          token('IDENTIFIER'),
          token('('),
          optional(rule('exprList')),
          token(')'),
        ),
        atLeast(1, token('['), optional(token('?')), rule('expr'), token(']')),
      ),
    ),
  ),
  primary: choice(
    sequence(optional(token('.')), token('IDENTIFIER')),
    sequence(
      optional(token('.')),
      token('IDENTIFIER'),
      token('('),
      optional(rule('exprList')),
      token(')'),
    ),
    sequence(token('('), rule('expr'), token(')')),
    sequence(token('['), optional(rule('listInit')), optional(token(',')), token(']')),
    sequence(token('{'), optional(rule('mapInitializerList')), optional(token(',')), token('}')),
    sequence(
      optional(token('.')),
      token('IDENTIFIER'),
      loop(token('.'), token('IDENTIFIER')),
      token('{'),
      optional(rule('fieldInitializerList')),
      optional(token(',')),
      token('}'),
    ),
    rule('literal'),
  ),
  exprList: sequence(rule('expr'), loop(token(','), rule('expr'))),
  listInit: sequence(rule('optExpr'), ahead(sequence(token(','), rule('optExpr')))),
  fieldInitializerList: sequence(
    keyed(rule('optField')),
    ahead(sequence(token(','), keyed(rule('optField')))),
  ),
  optField: sequence(optional(token('?')), rule('escapeIdent')),
  mapInitializerList: sequence(
    keyed(rule('optExpr')),
    ahead(sequence(token(','), keyed(rule('optExpr')))),
  ),
  escapeIdent: choice(token('IDENTIFIER'), token('ESC_IDENTIFIER')),
  optExpr: sequence(optional(token('?')), rule('expr')),
  literal: choice(
    sequence(optional(token('-')), token('NUM_INT')),
    token('NUM_UINT'),
    sequence(optional(token('-')), token('NUM_FLOAT')),
    token('STRING'),
    token('BYTES'),
    token('true'),
    token('false'),
    token('null'),
  ),
};

/** All rules, as graphs. */
export const rules: ReadonlyMap<RuleName, Rule> = buildRules();

/** A rule by its name. */
export function ruleNamed(name: RuleName): Rule {
  const found = rules.get(name);
  if (found === undefined) throw new Error(`the grammar has no rule ${name}`);
  return found;
}

function buildRules(): ReadonlyMap<RuleName, Rule> {
  let lastId = 0;
  const built = new Map<RuleName, Rule>();
  for (const name of Object.keys(written) as RuleName[]) {
    const newState = (isEnd = false): State => ({
      id: lastId++,
      rule: name,
      isEnd,
      transitions: [],
    });
    const begin = newState();
    const end = newState(true);
    built.set(name, { name, begin, end, part: build(written[name], { begin, end }, newState) });
  }
  return built;
}

/** The states between which a part lies. */
interface Span {
  readonly begin: State;
  readonly end: State;
}

function link(from: State, to: State): void {
  from.transitions.push({ kind: 'free', to });
}

function build(source: Written, { begin, end }: Span, newState: () => State): Part {
  if ('token' in source) {
    const tokens = new Set(source.token);
    begin.transitions.push({ kind: 'token', tokens, to: end });
    return { kind: 'token', state: begin, tokens };
  }
  if ('rule' in source) {
    const precedence = source.precedence ?? 0;
    begin.transitions.push({ kind: 'rule', rule: source.rule, precedence, to: end });
    return { kind: 'rule', state: begin, rule: source.rule, precedence };
  }
  if ('sequence' in source) return buildSequence(source.sequence, { begin, end }, newState);
  if ('choice' in source) {
    const alternatives = source.choice.map((part) => {
      const start = newState();
      link(begin, start);
      return build(part, { begin: start, end }, newState);
    });
    return { kind: 'choice', state: begin, alternatives };
  }
  if ('optional' in source) {
    const start = newState();
    link(begin, start);
    link(begin, end);
    const part = build(source.optional, { begin: start, end }, newState);
    return { kind: 'optional', state: begin, part };
  }
  if ('atLeast' in source) {
    const start = newState();
    begin.transitions.push({ kind: 'precedence', atLeast: source.atLeast, to: start });
    return build(source.then, { begin: start, end }, newState);
  }
  return buildLoop(source, { begin, end }, newState);
}

function buildSequence(parts: readonly Written[], span: Span, newState: () => State): Part {
  const built: Part[] = [];
  let at = span.begin;
  for (const [index, part] of parts.entries()) {
    const next = index === parts.length - 1 ? span.end : newState();
    built.push(build(part, { begin: at, end: next }, newState));
    at = next;
  }
  return { kind: 'sequence', parts: built };
}

function buildLoop(
  source: Extract<Written, { loop: Written }>,
  { begin, end }: Span,
  newState: () => State,
): Part {
  const body = newState();
  const again = newState();
  const isPlus = source.isPlus === true;
  link(begin, body);
  if (!isPlus) link(begin, end);
  const part = build(source.loop, { begin: body, end: again }, newState);
  link(again, body);
  link(again, end);
  const looksAhead = source.looksAhead === true;
  return { kind: 'loop', state: begin, again, part, isPlus, looksAhead };
}
