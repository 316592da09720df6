// Restart policy of single containers: sidecars by `Always`, and rules by exit code (KEP-5307).

import { fieldError } from '@keelson/apimachinery';
import type { Container, ContainerRestartRule } from '@keelson/apimachinery/types/core.v1';
import { oneOf, required, requiredOneOf, type Errors } from '../../validation/checks.ts';
import type { PodSpecOptions } from './scope.ts';

const rulesMax = 20;
const exitCodesMax = 255;

interface RestartScope {
  readonly kind: 'regular' | 'init';
  readonly options: Pick<PodSpecOptions, 'restartRules' | 'restartAllContainers'>;
}

export function restartRules(
  errors: Errors,
  path: string,
  container: Container,
  { kind, options }: RestartScope,
): void {
  const { restartPolicy: policy, restartPolicyRules: rules = [] } = container;
  const at = `${path}.restartPolicy`;
  if (!options.restartRules) {
    if (policy === undefined) return;
    if (kind === 'init') oneOf(errors, at, policy, ['Always']);
    else errors.push(fieldError.forbidden(at, 'may not be set for non-init containers'));
    return;
  }
  if (policy !== undefined) oneOf(errors, at, policy, ['Always', 'Never', 'OnFailure']);
  const rulesPath = `${path}.restartPolicyRules`;
  if (rules.length === 0) return;
  required(errors, at, policy, 'must specify restartPolicy when restart rules are used');
  if (kind === 'init' && policy === 'Always') {
    const why =
      'restartPolicyRules is not allowed when restartPolicy is Always for init containers';
    errors.push(fieldError.forbidden(rulesPath, why));
  }
  if (rules.length > rulesMax) errors.push(fieldError.tooMany(rulesPath, rules.length, rulesMax));
  rules.forEach((rule, i) => restartRule(errors, `${rulesPath}[${i}]`, rule, options));
}

function restartRule(
  errors: Errors,
  path: string,
  rule: ContainerRestartRule,
  options: RestartScope['options'],
): void {
  const actions = options.restartAllContainers ? ['Restart', 'RestartAllContainers'] : ['Restart'];
  requiredOneOf(errors, `${path}.action`, rule.action, actions);
  const codes = rule.exitCodes;
  if (!required(errors, `${path}.exitCodes`, codes, 'must be specified') || !codes) return;
  const at = `${path}.exitCodes`;
  requiredOneOf(errors, `${at}.operator`, codes.operator, ['In', 'NotIn']);
  const values = codes.values ?? [];
  if (values.length > exitCodesMax) {
    errors.push(fieldError.tooMany(`${at}.values`, values.length, exitCodesMax));
  }
}
