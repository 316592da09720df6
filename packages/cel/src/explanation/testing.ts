// For tests: a text parsed and printed again.

import { formatExpression } from '../ast/format-expression.ts';
import { bindingsLibrary } from '../library/extensions/bindings.ts';
import { optionalLibrary } from '../library/optional/optional-library.ts';
import { standardLibrary } from '../library/standard/standard-library.ts';
import { macrosByName } from '../parser/parser-options.ts';
import { parseExpression } from '../parser/parser.ts';

const macros = macrosByName([
  standardLibrary({ isCrossType: false }),
  optionalLibrary,
  bindingsLibrary,
]);

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
