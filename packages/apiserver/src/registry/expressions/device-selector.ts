// Selectors of devices: `device.attributes['dra.example.com'].model == 'a' && cel.bind(…)`. Unlike
// other expressions they must be cheap by estimate.

import { formatIssues } from '@keelson/cel';
import {
  deviceSelectorEnvironment,
  deviceSelectorEstimator,
  instantiationProblem,
  type EnvironmentSet,
} from '@keelson/cel/kubernetes';
import { printedType } from './printed-type.ts';
import type { ExpressionProblem, ExpressionRequest } from '../validation/expression-checker.ts';

const selectorCostMax = 1_000_000;

export function checkDeviceSelector(
  environments: EnvironmentSet,
  { expression, stored }: ExpressionRequest,
): readonly ExpressionProblem[] {
  const base = stored ? environments.storedExpressions : environments.newExpressions;
  const environment = deviceSelectorEnvironment(base);
  const { program, issues } = environment.compile(expression);
  if (program === undefined) {
    const detail = `compilation failed: ${formatIssues(expression, issues)}`;
    return [{ kind: 'invalid', detail }];
  }
  const { resultType } = program;
  if (resultType.kind !== 'bool' && resultType.kind !== 'any') {
    const detail = `must evaluate to bool or the unknown type, not ${printedType(resultType)}`;
    return [{ kind: 'invalid', detail }];
  }
  const problem = instantiationProblem(program);
  if (problem !== undefined) {
    return [{ kind: 'internal', detail: `program instantiation failed: ${problem}` }];
  }
  if (program.estimateCost(deviceSelectorEstimator).max <= selectorCostMax) return [];
  return [{ kind: 'forbidden', detail: 'too complex, exceeds cost limit' }];
}
