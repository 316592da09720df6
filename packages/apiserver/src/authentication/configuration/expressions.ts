// The expressions of a JWT authenticator: over the claims of a token, and over the user that they
// were mapped to. Compiled once, when the configuration is read.
//
//   claims.sub.startsWith("a")            claims: map from text to anything
//   !user.username.startsWith("system:")  user: username, uid, groups, extra
//
// COMPAT: what a mapping evaluates to is not known before there is a token, so only conditions are
// checked for their type here.

import {
  celTypes,
  formatIssues,
  isError,
  isSameType,
  listType,
  mapType,
  objectType,
  typeToString,
  type CelType,
  type CelValue,
  type Environment,
  type Program,
  type TypeProvider,
} from '@keelson/cel';
import { createEnvironmentSet, instantiationProblem } from '@keelson/cel/kubernetes';
import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import type { UserInfo } from '../authenticator.ts';
import { claimValue } from './claim-value.ts';

/** One evaluation; a failure is a text. */
export type ExpressionResult = { readonly value: CelValue } | { readonly problem: string };

export interface CompiledExpression<Input> {
  readonly expression: string;
  /** For questions about what the expression reads. */
  readonly program: Program;
  evaluate(input: Input): ExpressionResult;
}
export type ClaimsExpression = CompiledExpression<Claims>;
export type UserExpression = CompiledExpression<UserInfo>;

/** The payload of a token; numbers are doubles, as in Go. */
export type Claims = Readonly<Record<string, unknown>>;

export interface ExpressionCompiler {
  /** `isCondition`: it must evaluate to bool. `path` is where the expression stands. */
  claims(
    expression: string,
    path: string,
    isCondition: boolean,
  ): ClaimsExpression | { readonly error: FieldError };
  user(expression: string, path: string): UserExpression | { readonly error: FieldError };
}

// As much as one expression of Kubernetes may cost elsewhere. SECURITY: tokens are large and come
// from outside; an expression must not be made to run for long by them.
const costMax = 1_000_000;

const userType = objectType('kubernetes.UserInfo');
const userFields: Readonly<Record<string, CelType>> = {
  username: celTypes.string,
  uid: celTypes.string,
  groups: listType(celTypes.string),
  extra: mapType(celTypes.string, listType(celTypes.string)),
};
const userTypes: TypeProvider = {
  findType: (name) => (name === userType.name ? userType : undefined),
  findField: (type, field) => {
    if (type !== userType.name || !Object.hasOwn(userFields, field)) return undefined;
    const found = userFields[field];
    return found === undefined ? undefined : { type: found };
  },
};

/** Environments are expensive: one compiler for all authenticators. */
export function createExpressionCompiler(features: Features): ExpressionCompiler {
  const base = createEnvironmentSet({
    compatibilityVersion: features.emulated,
    authorizerSelectors: features.enabled('AuthorizeWithSelectors'),
  }).storedExpressions;
  const ofClaims = base.extend({
    variables: { claims: mapType(celTypes.string, celTypes.any) },
  });
  const ofUser = base.extend({ variables: { user: userType }, types: [userTypes] });
  return {
    claims: (expression, path, isCondition) =>
      compile({ environment: ofClaims, expression, path, isCondition }, (program, claims: Claims) =>
        program.evaluate({ claims: claimValue(claims) }, limits),
      ),
    user: (expression, path) =>
      compile(
        { environment: ofUser, expression, path, isCondition: true },
        (program, user: UserInfo) => program.evaluate({ user: userValue(user) }, limits),
      ),
  };
}

const limits = { costLimit: costMax };

interface Source {
  readonly environment: Environment;
  readonly expression: string;
  readonly path: string;
  readonly isCondition: boolean;
}

function compile<Input>(
  { environment, expression, path, isCondition }: Source,
  run: (program: Program, input: Input) => ReturnType<Program['evaluate']>,
): CompiledExpression<Input> | { error: FieldError } {
  const { program, issues } = environment.compile(expression);
  const invalid = (detail: string) => ({ error: fieldError.invalid(path, expression, detail) });
  if (program === undefined)
    return invalid(`compilation failed: ${formatIssues(expression, issues)}`);
  if (isCondition && !isSameType(program.resultType, celTypes.bool))
    return invalid(`must evaluate to ${typeToString(celTypes.bool)}`);
  const problem = instantiationProblem(program);
  if (problem !== undefined)
    return { error: fieldError.internal(path, `program instantiation failed: ${problem}`) };
  return {
    expression,
    program,
    evaluate(input) {
      const { result } = run(program, input);
      return isError(result) ? { problem: result.message } : { value: result };
    },
  };
}

function userValue({ name, uid, groups, extra }: UserInfo): CelValue {
  const values: Readonly<Record<string, CelValue>> = {
    username: name,
    uid,
    groups: claimValue(groups),
    extra: claimValue(extra),
  };
  return {
    kind: 'object',
    type: userType,
    get: (field) => (Object.hasOwn(values, field) ? values[field] : undefined),
    has: (field) => Object.hasOwn(values, field),
    fields: () => Object.keys(values),
  };
}
