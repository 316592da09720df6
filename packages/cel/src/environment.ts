/**
 * An environment: what names mean in an expression. It compiles text to programs.
 */

import type { CallCost, CallEstimator } from './cost/cost.ts';
import type { Issue } from './issue.ts';
import type { Library } from './library/library.ts';
import type { Program } from './program.ts';
import type { CelType } from './types/type.ts';
import type { TypeProvider } from './types/type-provider.ts';

/** What is added to the language itself. The standard functions and macros are always there. */
export interface EnvironmentOptions {
  readonly variables?: Readonly<Record<string, CelType>>;
  /** Object types. */
  readonly types?: readonly TypeProvider[];
  readonly libraries?: readonly Library[];
  /** The namespace that names are resolved in, such as `google.protobuf`. */
  readonly container?: string;
  /** Optional types and their syntax (`a.?b`, `[?a]`, `{?k: v}`). */
  readonly optionalSyntax?: boolean;
  /** `1 < 1.5` and the like, between numbers of different types. */
  readonly crossTypeNumericComparisons?: boolean;
  /** Literals of lists and maps whose parts have different types are errors of the compilation. */
  readonly homogeneousLiterals?: boolean;
  /** Constant arguments of `duration`, `timestamp` and `matches` are checked by the compilation. */
  readonly validateLiterals?: boolean;
  /** `` a.`b-c` ``. */
  readonly escapedIdentifiers?: boolean;
  /**
   * Costs of calls whose overloads do not know their own. They come before the defaults of the
   * language.
   */
  readonly costs?: CallCosts;
  /**
   * Literals of constants, and conversions of constants such as `duration("1h")`, are computed once
   * and cost nothing in evaluation. Where one can only fail, the program has an
   * `instantiationError`.
   */
  readonly foldConstants?: boolean;
  /** `has()` costs nothing, in estimates and when counted. */
  readonly freePresenceTests?: boolean;
  /** How many iterations pass between two looks at the signal. */
  readonly interruptionCheckFrequency?: number;
  readonly limits?: Partial<ExpressionLimits>;
}

/** Costs of calls by function, where the overloads' libraries say nothing. */
export interface CallCosts {
  readonly estimate?: CallEstimator;
  readonly count?: CallCost;
  /**
   * Whether `count` has anything to say about calls of a function; it is then not asked about each.
   * Absent: it is asked about all.
   */
  counts?(functionName: string): boolean;
}

/** Bounds on what is compiled. */
export interface ExpressionLimits {
  /** Code points of an expression. */
  readonly expressionLengthMax: number;
  /** How deep an expression may be nested. */
  readonly recursionDepthMax: number;
}

/** A program, or all that is wrong with the expression. */
export type Compilation =
  | { readonly program: Program; readonly issues?: undefined }
  | { readonly program?: undefined; readonly issues: readonly Issue[] };

/** Compiles expressions. Immutable, and safe to share. */
export interface Environment {
  /** Parses and checks. Never throws, whatever the text. `formatIssues` prints what is wrong. */
  compile(text: string): Compilation;
  /** This environment with more in it. Variables of the same name are replaced. */
  extend(options: EnvironmentOptions): Environment;
}
