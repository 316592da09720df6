// What validating and mutating policies share: parameters, conditions, variables.

import { fieldError, parseApiVersion } from '@keelson/apimachinery';
import type {
  MatchCondition,
  ParamKind,
  ParamRef,
  Variable,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import { oneOf, required, type Errors } from '../validation/checks.ts';
import {
  expressionErrors,
  type ExpressionSession,
  type ExpressionUse,
} from '../validation/expression-checker.ts';
import { labelSelector } from '../validation/labels.ts';
import {
  dns1035Label,
  dns1123Subdomain,
  nameIsDns1123Subdomain,
  pathSegmentName,
  qualifiedName,
} from '../validation/names.ts';

export function validateParamKind(errors: Errors, path: string, paramKind: ParamKind): void {
  const { apiVersion = '', kind = '' } = paramKind;
  if (required(errors, `${path}.apiVersion`, apiVersion)) {
    validateApiVersion(errors, `${path}.apiVersion`, apiVersion);
  }
  if (!required(errors, `${path}.kind`, kind)) return;
  const problems = dns1035Label(kind.toLowerCase());
  if (problems.length === 0) return;
  const why = `may have mixed case, but should otherwise match: ${problems.join(',')}`;
  errors.push(fieldError.invalid(`${path}.kind`, kind, why));
}

function validateApiVersion(errors: Errors, path: string, apiVersion: string): void {
  const gv = parseApiVersion(apiVersion);
  const refuse = (value: string, why: string) => errors.push(fieldError.invalid(path, value, why));
  if (!gv) {
    refuse(apiVersion, `unexpected GroupVersion string: ${apiVersion}`);
    return;
  }
  const groupProblems = gv.group === '' ? [] : dns1123Subdomain(gv.group);
  if (groupProblems.length > 0) refuse(gv.group, groupProblems.join(','));
  const versionProblems = gv.version === '' ? [] : dns1035Label(gv.version);
  if (gv.version === '') refuse(apiVersion, 'version must be specified');
  else if (versionProblems.length > 0) refuse(gv.version, versionProblems.join(','));
}

const exclusive = 'name and selector are mutually exclusive';

export function validateParamRef(errors: Errors, path: string, ref: ParamRef | undefined): void {
  if (!ref) return;
  const { name = '', selector } = ref;
  for (const why of name === '' ? [] : pathSegmentName(name, false)) {
    errors.push(fieldError.invalid(`${path}.name`, name, why));
  }
  if (name !== '' && selector) errors.push(fieldError.forbidden(`${path}.name`, exclusive));
  if (selector) {
    labelSelector(errors, `${path}.selector`, selector);
    if (name !== '') errors.push(fieldError.forbidden(`${path}.selector`, exclusive));
  } else if (name === '') {
    errors.push(fieldError.required(path, 'one of name or selector must be specified'));
  }
  const at = `${path}.parameterNotFoundAction`;
  if (required(errors, at, ref.parameterNotFoundAction)) {
    oneOf(errors, at, ref.parameterNotFoundAction, ['Deny', 'Allow']);
  }
}

export function validatePolicyName(errors: Errors, path: string, name: string | undefined): void {
  if (!required(errors, path, name)) return;
  for (const why of nameIsDns1123Subdomain(name ?? '', false)) {
    errors.push(fieldError.invalid(path, name, why));
  }
}

/** The expressions of one policy, and which of them were there before. */
export interface PolicyExpressions {
  readonly session: ExpressionSession;
  readonly stored: ReadonlySet<string>;
}

export interface ExpressionPlace {
  readonly path: string;
  readonly expression: string;
  readonly use: ExpressionUse;
}

export function checkExpression(
  errors: Errors,
  { session, stored }: PolicyExpressions,
  { path, expression, use }: ExpressionPlace,
): void {
  const problems = session.check({ expression, use, stored: stored.has(expression) });
  expressionErrors(errors, path, { expression, problems });
}

const matchConditionsMax = 64;

export function validateMatchConditions(
  errors: Errors,
  path: string,
  conditions: readonly MatchCondition[] | undefined,
  expressions: PolicyExpressions,
): void {
  const list = conditions ?? [];
  if (list.length > matchConditionsMax) {
    errors.push(fieldError.tooMany(path, list.length, matchConditionsMax));
  }
  list.forEach(({ name = '', expression = '' }, i) => {
    const at = `${path}[${i}]`;
    const text = expression.trim();
    if (required(errors, `${at}.expression`, text)) {
      const place = { path: `${at}.expression`, expression: text, use: 'match-condition' as const };
      checkExpression(errors, expressions, place);
    }
    if (!required(errors, `${at}.name`, name)) return;
    for (const why of qualifiedName(name)) {
      errors.push(fieldError.invalid(`${at}.name`, name, why));
    }
    if (list.findIndex((other) => other.name === name) < i) {
      errors.push(fieldError.duplicate(`${at}.name`, name));
    }
  });
}

const reservedWords: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

function isCelIdentifier(name: string): boolean {
  return /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !reservedWords.has(name);
}

export function validateVariables(
  errors: Errors,
  path: string,
  variables: readonly Variable[] | undefined,
  { session, stored }: PolicyExpressions,
): void {
  variables?.forEach(({ name = '', expression = '' }, i) => {
    const at = `${path}[${i}]`;
    if (name.trim() === '') {
      errors.push(fieldError.required(`${at}.name`, 'name is not specified'));
    } else if (!isCelIdentifier(name)) {
      errors.push(fieldError.invalid(`${at}.name`, name, 'must be a valid CEL identifier'));
    }
    if (expression.trim() === '') {
      errors.push(fieldError.required(`${at}.expression`, 'expression is not specified'));
      return;
    }
    const request = { expression, use: 'variable' as const, stored: stored.has(expression) };
    const problems = session.declareVariable(name, request);
    expressionErrors(errors, `${at}.expression`, { expression, problems });
  });
}
