/**
 * From text to a checked tree: parsing, checking and validation, with the names that an environment
 * declares. What can be evaluated is made of the tree by `create-program.ts`.
 */

import { checkExpression } from './checker/checker.ts';
import type { CheckIssue } from './checker/checker.ts';
import type { CheckedExpression } from './checker/checked-expression.ts';
import type { Declarations } from './checker/declarations.ts';
import { declareCallable } from './checker/declared-function.ts';
import { literalValidator } from './checker/validate-literals.ts';
import type { EnvironmentOptions, ExpressionLimits } from './environment.ts';
import type { Issue } from './issue.ts';
import type { Library, Overload, Validator } from './library/library.ts';
import { optionalLibrary } from './library/optional/optional-library.ts';
import { standardLibrary } from './library/standard/standard-library.ts';
import { macrosByName } from './parser/parser-options.ts';
import { parseExpression } from './parser/parser.ts';
import { positionAt } from './parser/source-positions.ts';
import type { ParseOutcome } from './parser/syntax-tree.ts';

/** The stages before evaluation. Neither of them throws, whatever the text. */
export interface FrontEnd {
  readonly declarations: Declarations;
  parse(text: string): ParseOutcome;
  check(text: string): FrontEndOutcome;
}

/** A checked tree, or all that is wrong with the text. */
export type FrontEndOutcome =
  | { readonly checked: CheckedExpression; readonly issues?: undefined }
  | { readonly checked?: undefined; readonly issues: readonly Issue[] };

/** Limits that cel-go has too; every expression of Kubernetes fits in them. */
const defaultLimits: ExpressionLimits = { expressionLengthMax: 100_000, recursionDepthMax: 250 };

/** The front end of an environment. Throws when declarations contradict each other. */
export function createFrontEnd(options: EnvironmentOptions): FrontEnd {
  const libraries = uniqueLibraries([
    standardLibrary({ isCrossType: options.crossTypeNumericComparisons === true }),
    ...(options.optionalSyntax === true ? [optionalLibrary] : []),
    ...(options.libraries ?? []),
  ]);
  const declarations = declare(libraries, options);
  const parserOptions = {
    macros: macrosByName(libraries),
    limits: { ...defaultLimits, ...options.limits },
    optionalSyntax: options.optionalSyntax === true,
    escapedIdentifiers: options.escapedIdentifiers === true,
  };
  const literalChecks = {
    validateLiterals: options.validateLiterals === true,
    homogeneousLiterals: options.homogeneousLiterals === true,
  };
  const checksLiterals = literalChecks.validateLiterals || literalChecks.homogeneousLiterals;
  const validators = [
    ...(checksLiterals ? [literalValidator(literalChecks)] : []),
    ...libraries.flatMap((library) => library.validators ?? []),
  ];
  const parse = (text: string): ParseOutcome => {
    const outcome = parseExpression(text, parserOptions);
    return outcome.tree === undefined ? { issues: toOrdered(outcome.issues) } : outcome;
  };
  return {
    declarations,
    parse,
    check: (text) => {
      const { tree, issues } = parse(text);
      if (tree === undefined) return { issues };
      const { checked, issues: mistakes } = checkExpression(tree, declarations);
      if (checked === undefined) return { issues: toIssues(text, mistakes) };
      const problems = validate(checked, validators);
      return problems.length > 0 ? { issues: toIssues(text, problems) } : { checked };
    },
  };
}

function toOrdered(issues: readonly Issue[]): readonly Issue[] {
  return issues.toSorted((left, right) => left.line - right.line || left.column - right.column);
}

function toIssues(text: string, issues: readonly CheckIssue[]): Issue[] {
  return issues.map(({ offset, message }) => ({ message, ...positionAt(text, offset) }));
}

function validate(checked: CheckedExpression, validators: readonly Validator[]): CheckIssue[] {
  if (validators.length === 0) return [];
  return validators
    .flatMap((validator) => validator(checked))
    .map(({ expressionId, message }) => ({
      offset: checked.offsets.get(expressionId) ?? 0,
      message,
    }))
    .toSorted((left, right) => left.offset - right.offset);
}

function uniqueLibraries(libraries: readonly Library[]): Library[] {
  return [...new Map(libraries.map((library) => [library.name, library])).values()];
}

function declare(libraries: readonly Library[], options: EnvironmentOptions): Declarations {
  const functions = new Map<string, Overload[]>();
  const overloads = new Map<string, Overload>();
  for (const added of libraries.flatMap((library) => library.functions ?? [])) {
    for (const overload of added.overloads) {
      if (overloads.has(overload.id)) throw new Error(`two overloads have the id ${overload.id}`);
      overloads.set(overload.id, overload);
    }
    const known = functions.get(added.name) ?? [];
    functions.set(added.name, [...known, ...added.overloads]);
  }
  const constants = libraries.flatMap((library) => library.constants ?? []);
  return {
    container: options.container ?? '',
    variables: new Map(Object.entries(options.variables ?? {})),
    constants: new Map(constants.map((constant) => [constant.name, constant])),
    functions: new Map(Array.from(functions, ([name, own]) => [name, declareCallable(name, own)])),
    functionNamespaces: new Set(
      functions
        .keys()
        .flatMap((name) => (name.includes('.') ? [name.slice(0, name.indexOf('.'))] : [])),
    ),
    overloads,
    types: [...(options.types ?? []), ...libraries.flatMap((library) => library.types ?? [])],
  };
}
