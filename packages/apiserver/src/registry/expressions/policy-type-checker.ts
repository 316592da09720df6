// Checks the expressions of a ValidatingAdmissionPolicy against the types of the resources that its
// rules name. What it finds are warnings for the policy's status; they change nothing about what the
// policy does. COMPAT: which types are looked at, and texts, are kube-controller-manager's.

import {
  celTypes,
  formatIssues,
  type CelType,
  type Environment,
  type TypeProvider,
} from '@keelson/cel';
import {
  kubernetesTypes,
  objectTypes,
  typeProviderOf,
  type DeclaredType,
} from '@keelson/cel/kubernetes';
import {
  parseApiVersion,
  type GroupVersionKind,
  type GroupVersionResource,
} from '@keelson/apimachinery';
import type {
  ExpressionWarning,
  ParamKind,
  RuleWithOperations,
  ValidatingAdmissionPolicy,
  Variable,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import type { Features } from '../../features/features.ts';
import type { ResourceEndpoint, ResourceIndex } from '../resource-endpoint.ts';
import { typeOfVariable, variablesType } from './admission-environment.ts';
import { admissionTypes, admissionVariables } from './admission-types.ts';
import { expressionsOf } from './expressions.ts';
import { declaredTypeOf } from './resource-types.ts';

export interface PolicyTypeChecker {
  /** In the order of the expressions; empty when there is nothing to say. */
  check(policy: ValidatingAdmissionPolicy): ExpressionWarning[];
}

/** Kinds of one rule that are looked at. */
const kindsMax = 10;

export function createPolicyTypeChecker(
  index: ResourceIndex,
  features: Features,
): PolicyTypeChecker {
  const base = expressionsOf(features).environments.storedExpressions;
  return {
    check({ spec }) {
      const { validations = [], variables = [], matchConstraints, paramKind } = spec;
      const params = paramKind && declaredParams(index, paramKind);
      const environments = endpointsOf(index, matchConstraints?.resourceRules ?? []).flatMap(
        (endpoint): CheckedKind[] => {
          const object = declaredTypeOf(endpoint);
          if (object === undefined) return [];
          const environment = environmentOf(base, { object, params, variables });
          return [{ kind: shownKind(endpoint.definition), environment }];
        },
      );
      const warnings: ExpressionWarning[] = [];
      const look = (fieldRef: string, expression: string) => {
        const found = environments.flatMap((checked) => problemsOf(checked, expression));
        if (found.length > 0) warnings.push({ fieldRef, warning: found.join('\n') });
      };
      for (const [i, { expression, messageExpression }] of validations.entries()) {
        look(`spec.validations[${i}].expression`, expression);
        if (messageExpression) look(`spec.validations[${i}].messageExpression`, messageExpression);
      }
      return warnings;
    },
  };
}

interface CheckedKind {
  readonly kind: string;
  readonly environment: Environment;
}

function problemsOf({ kind, environment }: CheckedKind, expression: string): string[] {
  const { program, issues } = environment.compile(expression);
  return program === undefined ? [`${kind}: ${formatIssues(expression, issues)}\n`] : [];
}

/** COMPAT: the slash stands there without a group too: `/v1, Kind=Pod`. */
function shownKind({ group, version, kind }: GroupVersionKind): string {
  return `${group}/${version}, Kind=${kind}`;
}

/** What rules name without wildcards, by group, version and kind. */
function endpointsOf(
  index: ResourceIndex,
  rules: readonly RuleWithOperations[],
): ResourceEndpoint[] {
  const byKind = new Map<string, ResourceEndpoint>();
  for (const rule of rules) {
    const endpoints = namedEndpoints(index, rule).slice(0, kindsMax);
    for (const endpoint of endpoints) byKind.set(sortedBy(endpoint), endpoint);
    // COMPAT: rules behind one that names so many are not looked at.
    if (endpoints.length === kindsMax) break;
  }
  return [...byKind].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}

function sortedBy({ definition: { group, version, kind } }: ResourceEndpoint): string {
  return [group, version, kind].join('\0');
}

function namedEndpoints(index: ResourceIndex, rule: RuleWithOperations): ResourceEndpoint[] {
  const { apiGroups = [], apiVersions = [], resources = [] } = rule;
  if ([...apiGroups, ...apiVersions].some((name) => name.includes('*'))) return [];
  const plain = resources.filter((name) => !/[*/]/.test(name)).toSorted();
  return apiGroups
    .toSorted()
    .flatMap((group) =>
      apiVersions
        .toSorted()
        .flatMap((version) =>
          plain.flatMap((resource) => endpointsNamed(index, { group, version, resource })),
        ),
    );
}

/** COMPAT: no group means any, so that `events` of `v1` are those of `events.k8s.io` too. */
function endpointsNamed(
  index: ResourceIndex,
  { group, version, resource: name }: GroupVersionResource,
): ResourceEndpoint[] {
  const candidates = group === '' ? index.list() : index.inGroup(group);
  return candidates.filter(({ definition }) => {
    const { resource, singular } = definition;
    return definition.version === version && (resource === name || singular === name);
  });
}

function declaredParams(
  index: ResourceIndex,
  { apiVersion = '', kind = '' }: ParamKind,
): DeclaredType | undefined {
  const gv = parseApiVersion(apiVersion);
  const endpoint = index
    .inGroup(gv?.group ?? '')
    .find(({ definition }) => definition.version === gv?.version && definition.kind === kind);
  return endpoint && declaredTypeOf(endpoint);
}

interface CheckedTypes {
  readonly object: DeclaredType;
  readonly params: DeclaredType | undefined;
  readonly variables: readonly Variable[];
}

/** COMPAT: `authorizer.requestResource` is not declared. */
function environmentOf(
  base: Environment,
  { object, params, variables }: CheckedTypes,
): Environment {
  const { request, namespaceObject } = admissionVariables;
  const declared: Record<string, CelType> = {};
  const environment = (): Environment => {
    const types: TypeProvider[] = [admissionTypes, typeProviderOf(object)];
    if (params !== undefined) types.push(typeProviderOf(params));
    types.push(objectTypes({ [variablesType.name]: { ...declared } }));
    return base.extend({
      variables: {
        object: object.type,
        oldObject: object.type,
        request,
        namespaceObject,
        authorizer: kubernetesTypes.authorizer,
        ...(params === undefined ? {} : { params: params.type }),
        ...(variables.length === 0 ? {} : { variables: variablesType }),
      },
      types,
    });
  };
  for (const { name, expression } of variables) {
    const type = environment().compile(expression).program?.resultType;
    declared[name] = type === undefined ? celTypes.dyn : typeOfVariable(type);
  }
  return environment();
}
