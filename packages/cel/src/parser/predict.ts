/**
 * Which alternative a text takes where one token does not tell: all are followed at once, token by
 * token, until one is left or they cannot be told apart (then the first is taken).
 */

import { ruleNamed } from './grammar.ts';
import type { State } from './grammar.ts';
import type { RuleContext } from './expected-tokens.ts';
import type { Token, TokenKind } from './lexer.ts';

/** The alternative, from 0, or the token at which none was left. */
export type Prediction = { readonly alternative: number } | { readonly failedAt: number };

/** What a prediction starts from. */
export interface PredictionStart {
  readonly tokens: readonly Token[];
  readonly index: number;
  readonly context: RuleContext;
  /** The first state of each alternative. */
  readonly alternatives: readonly State[];
}

/** Bounds the work of all predictions for one text. */
export interface PredictionBudget {
  steps: number;
}

/** Ends the explanation of a text that would take too long. */
export class PredictionTooCostly extends Error {}

/** A possible place: the state, and the calls to return to. */
interface Place {
  readonly state: State;
  readonly calls: RuleContext;
  readonly alternative: number;
  /** Whether it has left the rule in which the prediction began. */
  readonly isOutside: boolean;
}

/** Follows the alternatives. */
export function predict(start: PredictionStart, budget: PredictionBudget): Prediction {
  const { tokens, context, alternatives } = start;
  const contexts = new ContextTable();
  let places = closure(
    alternatives.map((state, alternative) => ({
      state,
      calls: context,
      alternative,
      isOutside: false,
    })),
    contexts,
    budget,
  );
  for (let index = start.index; ; index++) {
    const kind = tokens[index]?.kind ?? 'EOF';
    const next = closure(step(places, kind), contexts, budget);
    if (next.length === 0) {
      const finished = places.filter((place) => place.isOutside).map((place) => place.alternative);
      return finished.length > 0 ? { alternative: Math.min(...finished) } : { failedAt: index };
    }
    const left = new Set(next.map((place) => place.alternative));
    if (left.size === 1 || kind === 'EOF' || areInseparable(next, contexts)) {
      return { alternative: Math.min(...left) };
    }
    places = next;
  }
}

function step(places: readonly Place[], kind: TokenKind): Place[] {
  const next: Place[] = [];
  for (const place of places) {
    for (const transition of place.state.transitions) {
      if (transition.kind !== 'token' || !transition.tokens.has(kind)) continue;
      next.push({ ...place, state: transition.to });
    }
  }
  return next;
}

// Some place is reached by several alternatives, and no state by a single one.
function areInseparable(places: readonly Place[], contexts: ContextTable): boolean {
  const byState = new Map<number, Set<number>>();
  const byPlace = new Map<string, number>();
  let isShared = false;
  for (const { state, calls, alternative } of places) {
    const alternatives = byState.get(state.id) ?? new Set();
    byState.set(state.id, alternatives.add(alternative));
    const key = `${state.id}:${contexts.idOf(calls)}`;
    const other = byPlace.get(key);
    isShared ||= other !== undefined && other !== alternative;
    byPlace.set(key, alternative);
  }
  return isShared && [...byState.values()].every((alternatives) => alternatives.size > 1);
}

function closure(
  from: readonly Place[],
  contexts: ContextTable,
  budget: PredictionBudget,
): Place[] {
  const reached: Place[] = [];
  const seen = new Set<string>();
  const pending = [...from];
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
    if (--budget.steps < 0) throw new PredictionTooCostly();
    const { state, calls, alternative } = place;
    const key = `${state.id}:${contexts.idOf(calls)}:${alternative}`;
    if (seen.has(key)) continue;
    seen.add(key);
    reached.push(place);
    if (state.isEnd) {
      const isOutside = place.isOutside || contexts.isGiven(calls);
      if (calls.returnTo !== undefined && calls.parent !== undefined) {
        pending.push({ state: calls.returnTo, calls: calls.parent, alternative, isOutside });
      }
      continue;
    }
    for (const transition of state.transitions) {
      if (transition.kind === 'free') pending.push({ ...place, state: transition.to });
      else if (transition.kind === 'precedence') {
        if (calls.precedence <= transition.atLeast)
          pending.push({ ...place, state: transition.to });
      } else if (transition.kind === 'rule') {
        const { rule, precedence, to } = transition;
        const inner = contexts.call({ rule, precedence, returnTo: to, parent: calls });
        pending.push({ ...place, state: ruleNamed(rule).begin, calls: inner });
      }
    }
  }
  return reached;
}

// Gives equal stacks of calls one identity. Those that the parser itself is in are given, the
// others imagined.
class ContextTable {
  readonly #ids = new Map<RuleContext, number>();
  readonly #imagined = new Map<string, RuleContext>();
  readonly #imaginedSet = new Set<RuleContext>();

  idOf(context: RuleContext): number {
    const known = this.#ids.get(context);
    if (known !== undefined) return known;
    this.#ids.set(context, this.#ids.size);
    return this.#ids.size - 1;
  }

  isGiven(context: RuleContext): boolean {
    return !this.#imaginedSet.has(context);
  }

  call(context: RuleContext): RuleContext {
    const parent = context.parent === undefined ? -1 : this.idOf(context.parent);
    const key = `${parent}:${context.returnTo?.id}:${context.precedence}`;
    const known = this.#imagined.get(key);
    if (known !== undefined) return known;
    this.#imagined.set(key, context);
    this.#imaginedSet.add(context);
    return context;
  }
}
