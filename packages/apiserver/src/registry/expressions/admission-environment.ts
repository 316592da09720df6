// The environment of one expression of admission: which variables it has and what it must evaluate
// to, by what it is for.

import {
  celTypes,
  listType,
  mapType,
  objectType,
  type CelType,
  type Environment,
} from '@keelson/cel';
import { jsonPatchLibrary, objectTypes } from '@keelson/cel/kubernetes';
import type { ExpressionUse } from '../validation/expression-checker.ts';
import {
  admissionTypes,
  admissionVariables,
  applyConfigurationType,
  authorizerVariables,
  jsonPatchesType,
  mutationTypes,
} from './admission-types.ts';

export type AdmissionUse = Exclude<ExpressionUse, 'device-selector'>;

export interface UseRules {
  /** Undefined: anything. */
  readonly results: readonly CelType[] | undefined;
  readonly hasAuthorizer: boolean;
  readonly hasVariables: boolean;
  readonly isMutation: boolean;
}

const { bool, dyn, null: nothing, string } = celTypes;

const rule = (results: readonly CelType[] | undefined, more: Partial<UseRules> = {}): UseRules => ({
  results,
  hasAuthorizer: true,
  hasVariables: true,
  isMutation: false,
  ...more,
});

export const rulesByUse: Readonly<Record<AdmissionUse, UseRules>> = {
  'match-condition': rule([bool], { hasVariables: false }),
  variable: rule(undefined),
  validation: rule([bool]),
  message: rule([string], { hasAuthorizer: false }),
  'audit-annotation': rule([string, nothing]),
  'apply-configuration': rule([applyConfigurationType], { isMutation: true }),
  'json-patch': rule([jsonPatchesType], { isMutation: true }),
};

export interface AdmissionScope {
  readonly hasParams: boolean;
  /** Types of the variables declared so far; undefined where there are none at all. */
  readonly variables: Readonly<Record<string, CelType>> | undefined;
}

/** The type of the value that holds a policy's variables. */
export const variablesType: CelType = objectType('kubernetes.variables');

export function admissionEnvironment(
  base: Environment,
  use: AdmissionUse,
  { hasParams, variables }: AdmissionScope,
): Environment {
  const { hasAuthorizer, hasVariables, isMutation } = rulesByUse[use];
  const composed = hasVariables ? variables : undefined;
  return base.extend({
    variables: {
      ...admissionVariables,
      ...(hasAuthorizer ? authorizerVariables : {}),
      ...(hasParams ? { params: dyn } : {}),
      ...(composed ? { variables: variablesType } : {}),
    },
    types: [
      admissionTypes,
      ...(composed ? [objectTypes({ [variablesType.name]: { ...composed } })] : []),
      ...(isMutation ? [mutationTypes] : []),
    ],
    libraries: isMutation ? [jsonPatchLibrary] : [],
  });
}

/** COMPAT: what is no plain value is dyn to the expressions that use the variable. */
export function typeOfVariable(type: CelType): CelType {
  const [first, second] = type.parameters;
  switch (type.kind) {
    case 'list':
      return listType(first === undefined ? dyn : typeOfVariable(first));
    case 'map':
      return mapType(
        first === undefined ? dyn : typeOfVariable(first),
        second === undefined ? dyn : typeOfVariable(second),
      );
    case 'object':
    case 'opaque':
    case 'optional':
    case 'type':
    case 'type-parameter':
    case 'wrapper':
    case 'error':
      return dyn;
    default:
      return type;
  }
}
