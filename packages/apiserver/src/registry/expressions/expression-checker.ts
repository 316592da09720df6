// Compiles the expressions that policies, webhook configurations and device classes hold: whether
// they compile, what they evaluate to, and for device selectors what they may cost.
// COMPAT: texts are kube-apiserver's.

import { celTypes, formatIssues, type CelType, type Environment } from '@keelson/cel';
import { instantiationProblem, type EnvironmentSet } from '@keelson/cel/kubernetes';
import type {
  ExpressionChecker,
  ExpressionProblem,
  ExpressionRequest,
  ExpressionScope,
  ExpressionSession,
} from '../validation/expression-checker.ts';
import {
  admissionEnvironment,
  rulesByUse,
  typeOfVariable,
  type AdmissionUse,
} from './admission-environment.ts';
import { checkDeviceSelector } from './device-selector.ts';
import { printedType } from './printed-type.ts';

export function createExpressionChecker(environments: EnvironmentSet): ExpressionChecker {
  return { begin: (scope) => createSession(environments, scope) };
}

function createSession(environments: EnvironmentSet, scope: ExpressionScope): ExpressionSession {
  const declared: Record<string, CelType> = {};
  const compileFor = (request: ExpressionRequest, use: AdmissionUse): Compiled => {
    const base = request.stored ? environments.storedExpressions : environments.newExpressions;
    const variables = scope.hasVariables === true ? declared : undefined;
    const { hasParams } = scope;
    return compile(
      request.expression,
      use,
      admissionEnvironment(base, use, { hasParams, variables }),
    );
  };
  return {
    check(request) {
      if (request.use === 'device-selector') return checkDeviceSelector(environments, request);
      return compileFor(request, request.use).problems;
    },
    declareVariable(name, request) {
      const { problems, type } = compileFor(request, 'variable');
      declared[name] = type === undefined ? celTypes.dyn : typeOfVariable(type);
      return problems;
    },
  };
}

interface Compiled {
  readonly problems: readonly ExpressionProblem[];
  readonly type?: CelType;
}

function compile(expression: string, use: AdmissionUse, environment: Environment): Compiled {
  const { program, issues } = environment.compile(expression);
  if (program === undefined) {
    return failed('invalid', `compilation failed: ${formatIssues(expression, issues)}`);
  }
  const type = program.resultType;
  const got = printedType(type);
  const wanted = rulesByUse[use].results?.map(printedType);
  if (wanted !== undefined && !wanted.includes(got)) {
    const list = wanted.length === 1 ? wanted[0] : `one of [${wanted.join(' ')}]`;
    return failed('invalid', `must evaluate to ${list} but got ${got}`);
  }
  const problem = instantiationProblem(program);
  if (problem !== undefined) return failed('internal', `program instantiation failed: ${problem}`);
  return { problems: [], type };
}

function failed(kind: ExpressionProblem['kind'], detail: string): Compiled {
  return { problems: [{ kind, detail }] };
}
