/**
 * From text to a checked tree: parsing, checking and validation, with the names that an environment
 * declares. What can be evaluated is made of the tree by `create-program.ts`.
 */

import { checkExpression } from './checker/checker.ts';
import type { CheckIssue } from './checker/checker.ts';
import type { CheckedExpression } from './checker/checked-expression.ts';
import type { Declarations } from './checker/declarations.ts';
import { DeclaredFunction } from './checker/declared-function.ts';
import { literalValidator } from './checker/validate-literals.ts';
import type { EnvironmentOptions, ExpressionLimits } from './environment.ts';
import type { Issue } from './issue.ts';
import type { Library, Overload, Validator } from './library/library.ts';
import { optionalLibrary } from './library/optional/optional-library.ts';
import { standardLibrary } from './library/standard/standard-library.ts';
import { macrosByName, type ParserOptions } from './parser/parser-options.ts';
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

/** What libraries declare; environments with the same libraries share it. */
export interface DeclaredLibraries extends Pick<
  Declarations,
  'constants' | 'functions' | 'functionNamespaces' | 'overloads'
> {
  readonly libraries: readonly Library[];
  readonly macros: ParserOptions['macros'];
}

/** The libraries of an environment. Throws when they contradict each other. */
export function declareLibraries(options: EnvironmentOptions): DeclaredLibraries {
  const libraries = uniqueLibraries([
    standardLibrary({ isCrossType: options.crossTypeNumericComparisons === true }),
    ...(options.optionalSyntax === true ? [optionalLibrary] : []),
    ...(options.libraries ?? []),
  ]);
  const constants = libraries.flatMap((library) => library.constants ?? []);
  return {
    libraries,
    macros: macrosByName(libraries),
    constants: new Map(constants.map((constant) => [constant.name, constant])),
    ...declareFunctions(libraries),
  };
}

/** The front end of an environment. */
export function createFrontEnd(
  options: EnvironmentOptions,
  declared: DeclaredLibraries = declareLibraries(options),
): FrontEnd {
  const { libraries, macros, constants, functions, functionNamespaces, overloads } = declared;
  const declarations: Declarations = {
    container: options.container ?? '',
    variables: new Map(Object.entries(options.variables ?? {})),
    constants,
    functions,
    functionNamespaces,
    overloads,
    types: [...(options.types ?? []), ...libraries.flatMap((library) => library.types ?? [])],
  };
  const parserOptions = {
    macros,
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

function declareFunctions(
  libraries: readonly Library[],
): Pick<Declarations, 'functions' | 'functionNamespaces' | 'overloads'> {
  const byName = new Map<string, Overload[]>();
  const overloads = new Map<string, Overload>();
  for (const added of libraries.flatMap((library) => library.functions ?? [])) {
    for (const overload of added.overloads) {
      if (overloads.has(overload.id)) throw new Error(`two overloads have the id ${overload.id}`);
      overloads.set(overload.id, overload);
    }
    byName.set(added.name, [...(byName.get(added.name) ?? []), ...added.overloads]);
  }
  const names = [...byName.keys()].filter((name) => name.includes('.'));
  return {
    functions: new Map(
      Array.from(byName, ([name, own]) => [name, new DeclaredFunction(name, own)]),
    ),
    functionNamespaces: new Set(names.map((name) => name.slice(0, name.indexOf('.')))),
    overloads,
  };
}
