// What bindings of validating and mutating policies have in common.

import { formatGoLabelSelector } from '@keelson/apimachinery';
import type {
  MatchResources,
  ParamRef,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import { unsetText } from '../printing/cells.ts';
import type { Errors } from '../validation/checks.ts';
import { validateMatchResources } from './match-resources.ts';
import { validateParamRef, validatePolicyName } from './policy-expressions.ts';

export interface PolicyBindingSpec {
  readonly policyName?: string;
  readonly paramRef?: ParamRef;
  readonly matchResources?: MatchResources;
}

export function validateBindingSpec(errors: Errors, spec: PolicyBindingSpec): void {
  validatePolicyName(errors, 'spec.policyName', spec.policyName);
  validateParamRef(errors, 'spec.paramRef', spec.paramRef);
  // COMPAT: the misspelt path is what the real server answers with.
  validateMatchResources(errors, 'spec.matchResouces', spec.matchResources);
}

/** The table cell for a parameter: its name, or its selector as Go prints it. */
export function paramRefText(ref: ParamRef | undefined): string {
  if (!ref) return unsetText;
  const { name = '', namespace, selector } = ref;
  if (!selector) return namespace ? `${namespace}/${name}` : name;
  return formatGoLabelSelector(selector);
}
