/**
 * What decides how a text is read.
 */

import type { ExpressionLimits } from '../environment.ts';
import type { Macro } from '../macros/macro.ts';

/** What decides how a text is read. */
export interface ParserOptions {
  readonly macros: ReadonlyMap<string, Macro>;
  readonly limits: ExpressionLimits;
  readonly optionalSyntax: boolean;
  /** `` a.`b-c` ``. */
  readonly escapedIdentifiers: boolean;
}

/** The key of a macro in `ParserOptions.macros`. */
export function macroKey(name: string, isMember: boolean, argumentCount: number): string {
  return `${name}:${argumentCount}:${isMember ? 'member' : 'global'}`;
}
