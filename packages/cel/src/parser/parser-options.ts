/**
 * What decides how a text is read.
 */

import type { ExpressionLimits } from '../environment.ts';
import type { Library } from '../library/library.ts';
import type { Macro } from '../macros/macro.ts';

/** What decides how a text is read. */
export interface ParserOptions {
  /** By name; those of one name take other arguments, or are called otherwise. */
  readonly macros: ReadonlyMap<string, readonly Macro[]>;
  readonly limits: ExpressionLimits;
  readonly optionalSyntax: boolean;
  /** `` a.`b-c` ``. */
  readonly escapedIdentifiers: boolean;
}

/** The macros of libraries; one of a later library comes first. */
export function macrosByName(libraries: readonly Library[]): ParserOptions['macros'] {
  const macros = libraries.flatMap((library) => library.macros ?? []);
  return Map.groupBy(macros.toReversed(), ({ name }) => name);
}
