/**
 * Which tokens can come next, from a place in the grammar.
 */

import { ruleNamed, rules } from './grammar.ts';
import type { RuleName, State } from './grammar.ts';
import type { TokenKind } from './lexer.ts';

/** The tokens that can follow a state within its rule, and whether the rule can end before any. */
export interface NextTokens {
  readonly tokens: ReadonlySet<TokenKind>;
  readonly canEnd: boolean;
}

/** A rule that is being read: where its caller waits for it. */
export interface RuleContext {
  readonly rule: RuleName;
  readonly precedence: number;
  /** The state behind the call; undefined for the outermost rule. */
  readonly returnTo: State | undefined;
  readonly parent: RuleContext | undefined;
}

const nullable = findNullableRules();
const known = new Map<State, NextTokens>();

/** Looks from a state to the end of its rule. */
export function nextTokens(state: State): NextTokens {
  const before = known.get(state);
  if (before !== undefined) return before;
  const tokens = new Set<TokenKind>();
  let canEnd = false;
  const seen = new Set<State>();
  const visit = (at: State): void => {
    if (seen.has(at)) return;
    seen.add(at);
    if (at.isEnd && at.rule === state.rule) canEnd = true;
    for (const transition of at.transitions) {
      if (transition.kind === 'token') {
        for (const kind of transition.tokens) tokens.add(kind);
      } else if (transition.kind === 'rule') {
        visitRule(transition.rule);
        if (nullable.has(transition.rule)) visit(transition.to);
      } else visit(transition.to);
    }
  };
  const visitRule = (rule: RuleName): void => visit(ruleNamed(rule).begin);
  visit(state);
  const found = { tokens, canEnd };
  known.set(state, found);
  return found;
}

// None is, in this grammar; the text must say something in every rule.
function findNullableRules(): ReadonlySet<RuleName> {
  const found = new Set<RuleName>();
  for (const rule of rules.values()) {
    const seen = new Set<State>();
    const reachesEnd = (state: State): boolean => {
      if (state === rule.end) return true;
      if (seen.has(state)) return false;
      seen.add(state);
      return state.transitions.some(
        (transition) =>
          (transition.kind === 'free' || transition.kind === 'precedence') &&
          reachesEnd(transition.to),
      );
    };
    if (reachesEnd(rule.begin)) found.add(rule.name);
  }
  return found;
}

/** All tokens that can follow a state, through the ends of the rules that are being read. */
export function expectedTokens(state: State, context: RuleContext): ReadonlySet<TokenKind> {
  const tokens = new Set(nextTokens(state).tokens);
  let canEnd = nextTokens(state).canEnd;
  for (
    let at: RuleContext | undefined = context;
    canEnd && at?.returnTo !== undefined;
    at = at.parent
  ) {
    const following = nextTokens(at.returnTo);
    for (const kind of following.tokens) tokens.add(kind);
    canEnd = following.canEnd;
  }
  if (canEnd) tokens.add('EOF');
  return tokens;
}

/** The tokens at which reading can go on after an error: those that a waiting rule could use. */
export function recoveryTokens(context: RuleContext): ReadonlySet<TokenKind> {
  const tokens = new Set<TokenKind>();
  for (let at: RuleContext | undefined = context; at?.returnTo !== undefined; at = at.parent) {
    for (const kind of nextTokens(at.returnTo).tokens) tokens.add(kind);
  }
  return tokens;
}

const order: readonly TokenKind[] = [
  ...(['EOF', '==', '!=', 'in', '<', '<=', '>=', '>', '&&', '||', '[', ']', '{', '}'] as const),
  ...(['(', ')', '.', ',', '-', '!', '?', ':', '+', '*', '/', '%', 'true', 'false'] as const),
  ...(['null', 'NUM_FLOAT', 'NUM_INT', 'NUM_UINT', 'STRING', 'BYTES', 'IDENTIFIER'] as const),
  'ESC_IDENTIFIER',
];

/** A set of tokens in words: `')'`, `{'[', NUM_INT}`, in the order of the grammar. */
export function describeTokens(tokens: ReadonlySet<TokenKind>): string {
  const names = order.filter((kind) => tokens.has(kind)).map(describeKind);
  const [only] = names;
  return names.length === 1 && only !== undefined ? only : `{${names.join(', ')}}`;
}

function describeKind(kind: TokenKind): string {
  if (kind === 'EOF') return '<EOF>';
  return /^[A-Z_]+$/.test(kind) ? kind : `'${kind}'`;
}
