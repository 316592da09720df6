// For tests: a text parsed and printed again.

import { formatExpression } from '../ast/format-expression.ts';
import { bindingsLibrary } from '../library/extensions/bindings.ts';
import { optionalLibrary } from '../library/optional/optional-library.ts';
import { standardLibrary } from '../library/standard/standard-library.ts';
import { macroKey } from '../parser/parser-options.ts';
import { parseExpression } from '../parser/parser.ts';
import type { Macro } from '../macros/macro.ts';

const libraries = [standardLibrary({ isCrossType: false }), optionalLibrary, bindingsLibrary];
const macros = new Map<string, Macro>(
  libraries
    .flatMap((library) => library.macros ?? [])
    .map((macro) => [macroKey(macro.name, macro.isMember, macro.argumentCount), macro]),
);

/** Throws when the text is no expression. */
export function parseExpressionText(text: string): string {
  const { tree } = parseExpression(text, {
    macros,
    limits: { expressionLengthMax: 10_000, recursionDepthMax: 100 },
    optionalSyntax: true,
    escapedIdentifiers: false,
  });
  if (tree === undefined) throw new Error(`not an expression: ${text}`);
  return formatExpression(tree.expression);
}
