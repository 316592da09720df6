// CEL as the registry uses it, for one emulated release: what is newly written may use what the
// release before knows too; what is stored may use everything.

import { createEnvironmentSet, type EnvironmentSet } from '@keelson/cel/kubernetes';
import type { Features } from '../../features/features.ts';
import { createSchemaRuleCompiler } from '../apiextensions/rules/rule-evaluation.ts';
import { createRuleInspector } from '../apiextensions/rules/rule-inspector.ts';
import type { SchemaRuleCompiler } from '../apiextensions/custom-resources/schema-rules.ts';
import type { RuleInspector } from '../apiextensions/customresourcedefinitions/rule-checks.ts';
import type { ExpressionChecker } from '../validation/expression-checker.ts';
import { createExpressionChecker } from './expression-checker.ts';

export interface Expressions {
  readonly checker: ExpressionChecker;
  readonly ruleInspector: RuleInspector;
  readonly ruleCompiler: SchemaRuleCompiler;
  readonly environments: EnvironmentSet;
}

const known = new WeakMap<Features, Expressions>();

/** Made once for a server's features. */
export function expressionsOf(features: Features): Expressions {
  let expressions = known.get(features);
  if (expressions === undefined) {
    expressions = createExpressions(features);
    known.set(features, expressions);
  }
  return expressions;
}

function createExpressions(features: Features): Expressions {
  const { major, minor } = features.emulated;
  const environments = createEnvironmentSet({
    compatibilityVersion: { major, minor: minor - 1 },
    authorizerSelectors: features.enabled('AuthorizeWithSelectors'),
  });
  return {
    checker: createExpressionChecker(environments),
    ruleInspector: createRuleInspector(environments),
    ruleCompiler: createSchemaRuleCompiler(environments),
    environments,
  };
}
