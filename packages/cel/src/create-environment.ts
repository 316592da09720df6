/**
 * Builds environments.
 */

import { createProgram } from './create-program.ts';
import type { Environment, EnvironmentOptions } from './environment.ts';
import { createFrontEnd } from './front-end.ts';

/**
 * An environment with the standard functions and macros, and what the options add. Throws when
 * declarations contradict each other: two overloads with one id.
 */
export function createEnvironment(options: EnvironmentOptions = {}): Environment {
  const { declarations, check } = createFrontEnd(options);
  return {
    compile: (text) => {
      const { checked, issues } = check(text);
      if (checked === undefined) return { issues };
      return { program: createProgram(checked, { source: text, declarations, options }) };
    },
    extend: (more) => createEnvironment(mergeOptions(options, more)),
  };
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
