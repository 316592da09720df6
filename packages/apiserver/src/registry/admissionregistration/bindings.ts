// What bindings of validating and mutating policies have in common.

import { formatGoLabelSelector, type FieldError, type KubeObject } from '@keelson/apimachinery';
import type {
  MatchResources,
  ParamRef,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import { advanceGeneration, startGeneration } from '../generation.ts';
import { age, unsetText } from '../printing/cells.ts';
import type { Strategy } from '../strategy.ts';
import type { Errors } from '../validation/checks.ts';
import { isSemanticallyEqual } from '../validation/equality.ts';
import { defaultMatchResources, validateMatchResources } from './match-resources.ts';
import { validateParamRef, validatePolicyName } from './policy-expressions.ts';

interface PolicyBinding extends KubeObject {
  readonly spec: {
    readonly policyName?: string;
    readonly paramRef?: ParamRef;
    readonly matchResources?: MatchResources;
  };
}

/** `validateMore`: what only one of the kinds has. */
export function policyBindingStrategy<T extends PolicyBinding>(
  validateMore: (errors: Errors, binding: T) => void = () => {},
): Strategy<T> {
  const validate = (binding: T): FieldError[] => {
    const errors: Errors = [];
    const { policyName, paramRef, matchResources } = binding.spec;
    validatePolicyName(errors, 'spec.policyName', policyName);
    validateParamRef(errors, 'spec.paramRef', paramRef);
    // COMPAT: the misspelt path is what the real server answers with.
    validateMatchResources(errors, 'spec.matchResouces', matchResources);
    validateMore(errors, binding);
    return errors;
  };
  return {
    applyDefaults: ({ spec }) => defaultMatchResources(spec.matchResources),
    prepareForCreate: startGeneration,
    prepareForUpdate: (binding, old) =>
      advanceGeneration(binding, old, !isSemanticallyEqual(binding.spec, old.spec)),
    validate,
    validateUpdate: validate,
    allowUnconditionalUpdate: false,
    allowsBareFinalizers: true,
    tableCells: (binding, nowMs) => [
      binding.metadata.name,
      binding.spec.policyName,
      paramRefText(binding.spec.paramRef),
      age(binding, nowMs),
    ],
  };
}

/** The table cell for a parameter: its name, or its selector as Go prints it. */
function paramRefText(ref: ParamRef | undefined): string {
  if (!ref) return unsetText;
  const { name = '', namespace, selector } = ref;
  if (!selector) return namespace ? `${namespace}/${name}` : name;
  return formatGoLabelSelector(selector);
}
