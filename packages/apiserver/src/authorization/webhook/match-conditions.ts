// Match conditions of authorization webhooks: expressions over the request, in the form of the spec
// of a SubjectAccessReview v1, that say which requests a webhook is asked about.
//
//   request.user, request.uid, request.groups, request.extra
//   request.resourceAttributes      namespace, verb, group, version, resource, subresource, name,
//                                   fieldSelector, labelSelector (AuthorizeWithSelectors)
//   request.nonResourceAttributes   path, verb
//
// Only one of the two attributes is there, so expressions ask `has()` first. All texts are there,
// also empty ones. COMPAT: one condition that is false wins over others that fail.

import {
  celTypes,
  formatIssues,
  fromJson,
  isError,
  listType,
  mapType,
  objectType,
  typeToString,
  type CelType,
  type Environment,
  type JsonLike,
  type Program,
} from '@keelson/cel';
import { createEnvironmentSet, objectTypes } from '@keelson/cel/kubernetes';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { Features } from '../../features/features.ts';
import type { RequestAttributes, SelectorRequirement } from '../authorizer.ts';

export interface RequestExpression {
  readonly expression: string;
  readonly program: Program;
}

/** Of one condition, for the decision trace. */
export interface ConditionOutcome {
  readonly expression: string;
  readonly result: boolean | 'error';
}

export interface ConditionsVerdict {
  readonly matches: boolean;
  /** Of the conditions that failed, when none was false. */
  readonly error?: string;
  readonly outcomes: readonly ConditionOutcome[];
}

/** What one evaluation may cost; kube-apiserver has no limit here. */
const conditionCostMax = 1_000_000;

const { bool, string } = celTypes;
const strings = listType(string);

const review = objectType('kubernetes.SubjectAccessReviewSpec');
const resource = objectType('kubernetes.ResourceAttributes');
const nonResource = objectType('kubernetes.NonResourceAttributes');
const fieldSelector = objectType('kubernetes.FieldSelectorAttributes');
const labelSelector = objectType('kubernetes.LabelSelectorAttributes');
const requirement = objectType('kubernetes.SelectorRequirement');

function typesOf(hasSelectors: boolean): Readonly<Record<string, Record<string, CelType>>> {
  const selector = { rawSelector: string, requirements: listType(requirement) };
  return {
    [review.name]: {
      resourceAttributes: resource,
      nonResourceAttributes: nonResource,
      user: string,
      groups: strings,
      extra: mapType(string, strings),
      uid: string,
    },
    [resource.name]: {
      namespace: string,
      verb: string,
      group: string,
      version: string,
      resource: string,
      subresource: string,
      name: string,
      ...(hasSelectors ? { fieldSelector, labelSelector } : {}),
    },
    [nonResource.name]: { path: string, verb: string },
    [fieldSelector.name]: selector,
    [labelSelector.name]: selector,
    [requirement.name]: { key: string, operator: string, values: strings },
  };
}

/** What conditions may use in this release. */
export function createRequestEnvironment(features: Features): Environment {
  const { major, minor } = features.emulated;
  const hasSelectors = features.enabled('AuthorizeWithSelectors');
  const { storedExpressions } = createEnvironmentSet({
    compatibilityVersion: { major, minor: minor - 1 },
    authorizerSelectors: hasSelectors,
  });
  return storedExpressions.extend({
    variables: { request: review },
    types: [objectTypes(typesOf(hasSelectors))],
  });
}

/** The expression ready to be evaluated, or what is wrong with it. */
export function compileRequestExpression(
  environment: Environment,
  expression: string,
): RequestExpression | string {
  const { program, issues } = environment.compile(expression);
  if (program === undefined) return `compilation failed: ${formatIssues(expression, issues)}`;
  const { resultType, instantiationError } = program;
  if (resultType.kind !== bool.kind)
    return `must evaluate to bool but got ${typeToString(resultType)}`;
  if (instantiationError !== undefined)
    return `program instantiation failed: ${instantiationError.message}`;
  return { expression, program };
}

/** Evaluates until one is false. */
export function judgeConditions(
  conditions: readonly RequestExpression[],
  user: UserInfo,
  attributes: RequestAttributes,
): ConditionsVerdict {
  const request = fromJson(requestValue(user, attributes));
  const outcomes: ConditionOutcome[] = [];
  const errors = new Set<string>();
  for (const { expression, program } of conditions) {
    const { result } = program.evaluate({ request }, { costLimit: conditionCostMax });
    if (isError(result) || typeof result !== 'boolean') {
      const why = isError(result) ? result.message : 'the result is no bool';
      errors.add(`cel evaluation error: expression '${expression}' resulted in error: ${why}`);
      outcomes.push({ expression, result: 'error' });
      continue;
    }
    outcomes.push({ expression, result });
    if (!result) return { matches: false, outcomes };
  }
  if (errors.size === 0) return { matches: true, outcomes };
  const texts = [...errors];
  const error = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  return { matches: false, error, outcomes };
}

function requestValue(user: UserInfo, attributes: RequestAttributes): JsonLike {
  const { name, uid, groups, extra } = user;
  const who = { user: name, uid, groups, extra };
  if (!attributes.isResource) {
    const { path, verb } = attributes;
    return { ...who, nonResourceAttributes: { path, verb } };
  }
  const { namespace, verb, group, version, resource: plural, subresource } = attributes;
  const { fieldSelector: fields, labelSelector: labels } = attributes;
  return {
    ...who,
    resourceAttributes: {
      namespace,
      verb,
      group,
      version,
      resource: plural,
      subresource,
      name: attributes.name,
      ...(fields === undefined ? {} : { fieldSelector: selectorValue(fields) }),
      ...(labels === undefined ? {} : { labelSelector: selectorValue(labels) }),
    },
  };
}

function selectorValue(requirements: readonly SelectorRequirement[]): JsonLike {
  return {
    requirements: requirements.map(({ key, operator, values }) => ({ key, operator, values })),
  };
}
