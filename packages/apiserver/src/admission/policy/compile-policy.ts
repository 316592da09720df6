// Compiles what a policy holds: conditions, variables, and expressions by their use. Compiled once
// for each version of a policy, with the environment for stored expressions.

import { celTypes, formatIssues, type CelType, type Environment } from '@keelson/cel';
import type {
  MatchCondition,
  Variable,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import {
  admissionEnvironment,
  typeOfVariable,
  type AdmissionScope,
  type AdmissionUse,
} from '../../registry/expressions/admission-environment.ts';
import type { NamedExpression, PolicyExpression } from './expression-pass.ts';

export interface PolicyCompiler {
  readonly conditions: readonly NamedExpression[];
  readonly variables: ReadonlyMap<string, NamedExpression> | undefined;
  compile(expression: string, use: AdmissionUse): PolicyExpression;
}

export interface PolicyParts {
  readonly hasParams: boolean;
  readonly matchConditions: readonly MatchCondition[];
  readonly variables: readonly Variable[];
}

export function createPolicyCompiler(base: Environment, parts: PolicyParts): PolicyCompiler {
  const declared: Record<string, CelType> = {};
  const hasVariables = parts.variables.length > 0;
  const scope = (): AdmissionScope => ({
    hasParams: parts.hasParams,
    variables: hasVariables ? declared : undefined,
  });
  const compile = (expression: string, use: AdmissionUse): PolicyExpression =>
    compileExpression(admissionEnvironment(base, use, scope()), expression);
  const variables = new Map<string, NamedExpression>();
  for (const { name, expression } of parts.variables) {
    const compiled = compile(expression, 'variable');
    const type = compiled.program?.resultType;
    declared[name] = type === undefined ? celTypes.dyn : typeOfVariable(type);
    variables.set(name, { name, ...compiled });
  }
  return {
    conditions: parts.matchConditions.map(({ name, expression }) => ({
      name,
      ...compile(expression.trim(), 'match-condition'),
    })),
    variables: hasVariables ? variables : undefined,
    compile,
  };
}

function compileExpression(environment: Environment, expression: string): PolicyExpression {
  const { program, issues } = environment.compile(expression);
  if (program !== undefined) return { expression, program };
  return { expression, problem: `compilation failed: ${formatIssues(expression, issues)}` };
}
