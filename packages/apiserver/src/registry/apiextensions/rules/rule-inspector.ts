// Looks at the rules of a definition that is written: they are compiled as new expressions, except
// for those that the stored definition has already.

import type { EnvironmentSet } from '@keelson/cel/kubernetes';
import type {
  InspectedRule,
  RuleInspection,
  RuleInspector,
} from '../customresourcedefinitions/rule-checks.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { compileRules } from './compile-rules.ts';

export function createRuleInspector(environments: EnvironmentSet): RuleInspector {
  return {
    inspect(schema: JsonSchema, { isResource, stored }: RuleInspection) {
      const compiled = compileRules(schema, {
        isResource,
        environmentOf: (expression) =>
          stored.has(expression) ? environments.storedExpressions : environments.newExpressions,
      });
      return compiled?.rules.map(
        ({ error, messageError, messageMaxCost, maxCost, usesOldSelf }): InspectedRule => ({
          ...(error === undefined ? {} : { error: { required: false, detail: error } }),
          ...(messageError === undefined ? {} : { messageError }),
          ...(messageMaxCost === undefined ? {} : { messageMaxCost }),
          maxCost,
          maxCardinality: compiled.maxCardinality,
          usesOldSelf,
        }),
      );
    },
  };
}
