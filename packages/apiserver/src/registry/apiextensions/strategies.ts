// Strategies of apiextensions.k8s.io by resource.

import type { Strategy } from '../strategy.ts';
import { createCustomResourceDefinitionStrategy } from './customresourcedefinitions/strategy.ts';
import type { DefinitionValidationOptions } from './customresourcedefinitions/validation.ts';

/**
 * With a rule inspector the rules in schemas are compiled; without one they are taken as they are.
 */
export function createApiextensionsStrategies(
  options: DefinitionValidationOptions = {},
): Readonly<Record<string, Strategy>> {
  return {
    customresourcedefinitions: createCustomResourceDefinitionStrategy(options) as Strategy,
  };
}

export const apiextensionsStrategies: Readonly<Record<string, Strategy>> =
  createApiextensionsStrategies();
