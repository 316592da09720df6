/**
 * Builds environments.
 */

import { createProgram } from './create-program.ts';
import type { Environment, EnvironmentOptions } from './environment.ts';
import { createFrontEnd, declareLibraries, type DeclaredLibraries } from './front-end.ts';

/**
 * An environment with the standard functions and macros, and what the options add. Throws when
 * declarations contradict each other: two overloads with one id.
 */
export function createEnvironment(options: EnvironmentOptions = {}): Environment {
  return environmentOf(options, declareLibraries(options));
}

function environmentOf(options: EnvironmentOptions, declared: DeclaredLibraries): Environment {
  const { declarations, check } = createFrontEnd(options, declared);
  return {
    compile: (text) => {
      const { checked, issues } = check(text);
      if (checked === undefined) return { issues };
      return { program: createProgram(checked, { source: text, declarations, options }) };
    },
    extend(more) {
      const merged = mergeOptions(options, more);
      return environmentOf(merged, changesLibraries(more) ? declareLibraries(merged) : declared);
    },
  };
}

/** Most extensions declare variables and types alone, and some are made for one expression. */
function changesLibraries(more: EnvironmentOptions): boolean {
  const { libraries, optionalSyntax, crossTypeNumericComparisons } = more;
  return (
    (libraries !== undefined && libraries.length > 0) ||
    optionalSyntax !== undefined ||
    crossTypeNumericComparisons !== undefined
  );
}

function mergeOptions(base: EnvironmentOptions, more: EnvironmentOptions): EnvironmentOptions {
  return {
    ...base,
    ...more,
    variables: { ...base.variables, ...more.variables },
    types: [...(more.types ?? []), ...(base.types ?? [])],
    libraries: [...(base.libraries ?? []), ...(more.libraries ?? [])],
    limits: { ...base.limits, ...more.limits },
  };
}
