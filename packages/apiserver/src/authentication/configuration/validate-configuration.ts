// Whether an AuthenticationConfiguration can be used, and its expressions compiled. All problems
// are found at once. COMPAT: paths, order and texts are kube-apiserver's.
//
// SECURITY: issuers of service account tokens are no issuers of users, whenever the file is read.

import { fieldError, renderFieldError, type FieldError } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import {
  AuthenticationConfigurationError,
  type AuthenticationConfiguration,
  type JwtAuthenticatorConfiguration,
} from './authentication-configuration.ts';
import type { ClaimsExpression, ExpressionCompiler, UserExpression } from './expressions.ts';
import { validateIssuer } from './validate-issuer.ts';
import { validateMappings, type CompiledMappings } from './validate-mappings.ts';

export interface Condition<E> {
  readonly message: string;
  readonly check: E;
}

/** One entry of the file, ready to be asked. */
export interface CompiledJwtAuthenticator {
  readonly configuration: JwtAuthenticatorConfiguration;
  readonly mappings: CompiledMappings;
  readonly claimConditions: readonly Condition<ClaimsExpression>[];
  readonly userConditions: readonly Condition<UserExpression>[];
}

export interface ValidationContext {
  readonly compiler: ExpressionCompiler;
  readonly features: Features;
  /** Issuers of service account tokens. */
  readonly disallowedIssuers: readonly string[];
}

const authenticatorsMax = 64;

/** Throws AuthenticationConfigurationError with everything that is wrong. */
export function compileConfiguration(
  configuration: AuthenticationConfiguration,
  context: ValidationContext,
): readonly CompiledJwtAuthenticator[] {
  const { jwt } = configuration;
  if (jwt.length > authenticatorsMax)
    refuse([fieldError.tooMany('jwt', jwt.length, authenticatorsMax)]);
  const errors: FieldError[] = [];
  const compiled = jwt.map((authenticator, i) => {
    const path = `jwt[${i}]`;
    const result = compileAuthenticator(authenticator, path, context);
    const { url, discoveryURL } = authenticator.issuer;
    const before = jwt.slice(0, i).map(({ issuer }) => issuer);
    errors.push(...result.errors);
    if (before.some((other) => other.url === url))
      errors.push(fieldError.duplicate(`${path}.issuer.url`, url));
    if (discoveryURL !== '' && before.some((other) => other.discoveryURL === discoveryURL))
      errors.push(fieldError.duplicate(`${path}.issuer.discoveryURL`, discoveryURL));
    return result.compiled;
  });
  errors.push(...validateAnonymous(configuration, context.features));
  if (errors.length > 0) refuse(errors);
  return compiled;
}

function refuse(errors: readonly FieldError[]): never {
  const texts = [...new Set(errors.map(renderFieldError))];
  throw new AuthenticationConfigurationError(
    texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`,
  );
}

function compileAuthenticator(
  configuration: JwtAuthenticatorConfiguration,
  path: string,
  { compiler, disallowedIssuers }: ValidationContext,
) {
  const { issuer, claimMappings } = configuration;
  const rules = compileClaimRules(configuration, `${path}.claimValidationRules`, compiler);
  const mappings = validateMappings(
    claimMappings,
    rules.conditions.map(({ check }) => check),
    { compiler, path: `${path}.claimMappings` },
  );
  const users = compileUserRules(configuration, `${path}.userValidationRules`, compiler);
  const compiled: CompiledJwtAuthenticator = {
    configuration,
    mappings: mappings.compiled,
    claimConditions: rules.conditions,
    userConditions: users.conditions,
  };
  const errors = [
    ...validateIssuer(issuer, disallowedIssuers, `${path}.issuer`),
    ...rules.errors,
    ...mappings.errors,
    ...users.errors,
  ];
  return { compiled, errors };
}

function compileClaimRules(
  { claimValidationRules }: JwtAuthenticatorConfiguration,
  parent: string,
  compiler: ExpressionCompiler,
) {
  const errors: FieldError[] = [];
  const conditions: Condition<ClaimsExpression>[] = [];
  const claims = new Set<string>();
  const expressions = new Set<string>();
  for (const [i, { claim, requiredValue, expression, message }] of claimValidationRules.entries()) {
    const path = `${parent}[${i}]`;
    const extraneous = (field: string, value: string, other: string) =>
      errors.push(
        fieldError.invalid(`${path}.${field}`, value, `may not be specified when ${other} is set`),
      );
    if (claim !== '' && expression !== '') {
      errors.push(fieldError.invalid(path, claim, "claim and expression can't both be set"));
    } else if (claim === '' && expression === '') {
      errors.push(fieldError.required(path, 'claim or expression is required'));
    } else if (claim !== '') {
      if (message !== '') extraneous('message', message, 'claim');
      if (claims.has(claim)) errors.push(fieldError.duplicate(`${path}.claim`, claim));
      claims.add(claim);
    } else {
      if (requiredValue !== '') extraneous('requiredValue', requiredValue, 'expression');
      if (expressions.has(expression)) {
        errors.push(fieldError.duplicate(`${path}.expression`, expression));
        continue;
      }
      expressions.add(expression);
      const check = compiler.claims(expression, `${path}.expression`, true);
      if ('error' in check) errors.push(check.error);
      else conditions.push({ message, check });
    }
  }
  return { errors, conditions };
}

function compileUserRules(
  { userValidationRules }: JwtAuthenticatorConfiguration,
  parent: string,
  compiler: ExpressionCompiler,
) {
  const errors: FieldError[] = [];
  const conditions: Condition<UserExpression>[] = [];
  const seen = new Set<string>();
  for (const [i, { expression, message }] of userValidationRules.entries()) {
    const path = `${parent}[${i}].expression`;
    if (expression === '') errors.push(fieldError.required(path, 'expression is required'));
    else if (seen.has(expression)) errors.push(fieldError.duplicate(path, expression));
    else {
      seen.add(expression);
      const check = compiler.user(expression, path);
      if ('error' in check) errors.push(check.error);
      else conditions.push({ message, check });
    }
  }
  return { errors, conditions };
}

function validateAnonymous(
  { anonymous }: AuthenticationConfiguration,
  features: Features,
): FieldError[] {
  if (anonymous === undefined) return [];
  const { enabled, conditions } = anonymous;
  const errors: FieldError[] = [];
  if (!features.enabled('AnonymousAuthConfigurableEndpoints'))
    errors.push(
      fieldError.forbidden(
        'anonymous',
        'anonymous is not supported when AnonymousAuthConfigurableEndpoints feature gate is disabled',
      ),
    );
  if (!enabled && conditions.length > 0)
    errors.push(
      fieldError.invalid(
        'anonymous.conditions',
        conditions.map(({ path }) => ({ Path: path })),
        'enabled should be set to true when conditions are defined',
      ),
    );
  return errors;
}
