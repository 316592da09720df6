// How claims become a user: what may be mapped, and the expressions that do it. An expression that
// takes the name from `claims.email` must be accompanied by one that looks at
// `claims.email_verified`, for a provider may hand out addresses that nobody has confirmed.
// COMPAT: paths, order and texts are kube-apiserver's.

import { childrenOf, type Expression } from '@keelson/cel';
import { fieldError, type FieldError } from '@keelson/apimachinery';
import { domainPrefixedPathErrors } from '../domain-prefixed-path.ts';
import type { ClaimMappings, PrefixedClaimOrExpression } from './authentication-configuration.ts';
import type { ClaimsExpression, ExpressionCompiler } from './expressions.ts';

export interface ExtraExpression {
  readonly key: string;
  readonly value: ClaimsExpression;
}

/** Absent where a claim is mapped, or nothing. */
export interface CompiledMappings {
  readonly username?: ClaimsExpression;
  readonly groups?: ClaimsExpression;
  readonly uid?: ClaimsExpression;
  readonly extra: readonly ExtraExpression[];
}

export interface ValidatedMappings {
  readonly compiled: CompiledMappings;
  readonly errors: readonly FieldError[];
}

/** `conditions`: compiled validation rules, of which one may look at `email_verified`. */
export function validateMappings(
  mappings: ClaimMappings,
  conditions: readonly ClaimsExpression[],
  { compiler, path }: { readonly compiler: ExpressionCompiler; readonly path: string },
): ValidatedMappings {
  const errors: FieldError[] = [];
  const keep = (
    result: ClaimsExpression | { readonly error: FieldError } | undefined,
  ): ClaimsExpression | undefined => {
    if (result === undefined || !('error' in result)) return result;
    errors.push(result.error);
    return undefined;
  };
  const ofPrefixed = (mapping: PrefixedClaimOrExpression, at: string, isRequired: boolean) => {
    const problems = prefixedProblems(mapping, at, isRequired);
    errors.push(...problems);
    if (mapping.expression === '' || mapping.claim !== '') return undefined;
    const compiled = keep(compiler.claims(mapping.expression, `${at}.expression`, false));
    return problems.length === 0 ? compiled : undefined;
  };
  const username = ofPrefixed(mappings.username, `${path}.username`, true);
  const groups = ofPrefixed(mappings.groups, `${path}.groups`, false);
  const { uid: uidMapping } = mappings;
  const isAmbiguous = uidMapping.claim !== '' && uidMapping.expression !== '';
  if (isAmbiguous)
    errors.push(fieldError.invalid(`${path}.uid`, '', "claim and expression can't both be set"));
  const uid =
    uidMapping.expression === '' || isAmbiguous
      ? undefined
      : keep(compiler.claims(uidMapping.expression, `${path}.uid.expression`, false));
  const extra = validateExtra(mappings.extra, `${path}.extra`, { compiler, errors });
  const seeVerified = [...conditions, ...extra.map(({ value }) => value)];
  errors.push(...emailProblems(username, seeVerified, `${path}.username.expression`));
  const parts = { username, groups, uid };
  const given = Object.fromEntries(Object.entries(parts).filter(([, v]) => v !== undefined));
  return { compiled: { ...(given as Partial<typeof parts>), extra } as CompiledMappings, errors };
}

function prefixedProblems(
  { claim, prefix, expression }: PrefixedClaimOrExpression,
  path: string,
  isRequired: boolean,
): FieldError[] {
  if (claim !== '' && expression !== '')
    return [fieldError.invalid(path, '', "claim and expression can't both be set")];
  if (claim === '' && expression === '')
    return isRequired ? [fieldError.required(path, 'claim or expression is required')] : [];
  if (expression !== '')
    return prefix === undefined
      ? []
      : [
          fieldError.invalid(
            `${path}.prefix`,
            prefix,
            'may not be specified when expression is set',
          ),
        ];
  const text =
    'prefix is required when claim is set. It can be set to an empty string to disable prefixing';
  return prefix === undefined ? [fieldError.required(`${path}.prefix`, text)] : [];
}

function validateExtra(
  mappings: ClaimMappings['extra'],
  path: string,
  { compiler, errors }: { compiler: ExpressionCompiler; errors: FieldError[] },
): ExtraExpression[] {
  const seen = new Set<string>();
  const compiled: ExtraExpression[] = [];
  for (const [i, { key, valueExpression }] of mappings.entries()) {
    const at = `${path}[${i}]`;
    errors.push(...extraKeyProblems(key, `${at}.key`));
    if (seen.has(key)) {
      errors.push(fieldError.duplicate(`${at}.key`, key));
      continue;
    }
    seen.add(key);
    if (valueExpression === '') {
      errors.push(fieldError.required(`${at}.valueExpression`, 'valueExpression is required'));
      continue;
    }
    const value = compiler.claims(valueExpression, `${at}.valueExpression`, false);
    if ('error' in value) errors.push(value.error);
    else compiled.push({ key, value });
  }
  return compiled;
}

function extraKeyProblems(key: string, path: string): FieldError[] {
  const [domain = '', ...rest] = key.split('/');
  const isReserved = rest.length > 0 && /^(?:.*\.)?(?:k8s|kubernetes)\.io$/s.test(domain);
  return [
    ...domainPrefixedPathErrors(key, path),
    ...(key === key.toLowerCase() ? [] : [fieldError.invalid(path, key, 'must be lowercase')]),
    ...(isReserved
      ? [
          fieldError.invalid(
            path,
            key,
            'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use',
          ),
        ]
      : []),
  ];
}

function emailProblems(
  username: ClaimsExpression | undefined,
  others: readonly ClaimsExpression[],
  path: string,
): FieldError[] {
  if (username === undefined || !reads(username, 'email')) return [];
  if ([username, ...others].some((expression) => reads(expression, 'email_verified'))) return [];
  const text =
    'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression';
  return [fieldError.invalid(path, username.expression, text)];
}

/** COMPAT: `claims.email` and `claims.?email`, not `claims["email"]`. */
function reads({ program }: ClaimsExpression, claim: string): boolean {
  return selects(program.expression, claim);
}

function selects(expression: Expression, field: string): boolean {
  const isClaims = (part: Expression | undefined) =>
    part?.kind === 'identifier' && part.name === 'claims';
  if (expression.kind === 'select' && expression.field === field && isClaims(expression.operand))
    return true;
  if (expression.kind === 'call' && expression.function === '_?._') {
    const [operand, name] = expression.arguments;
    if (isClaims(operand) && name?.kind === 'constant' && name.value === field) return true;
  }
  return childrenOf(expression).some((child) => selects(child, field));
}
