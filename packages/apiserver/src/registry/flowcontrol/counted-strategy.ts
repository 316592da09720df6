// What both kinds of flow control share: a generation that counts changes of the spec, and a status
// that only the status subresource writes, and nothing else with it.

import { fieldError, type FieldError, type KubeObject } from '@keelson/apimachinery';
import { advanceGeneration, startGeneration } from '../generation.ts';
import type { Strategy, SubresourceStrategy } from '../strategy.ts';
import type { Errors } from '../validation/checks.ts';
import { isSemanticallyEqual } from '../validation/equality.ts';

type ConditionedStatus = { conditions?: { type?: string }[] };
type Counted = KubeObject & { spec: unknown; status?: ConditionedStatus };

/** The part of a strategy that says who writes what. `validate` checks spec and status. */
export function countedStrategy<T extends Counted>(
  validate: (object: T) => FieldError[],
): Pick<
  Strategy<T>,
  | 'prepareForCreate'
  | 'validate'
  | 'prepareForUpdate'
  | 'validateUpdate'
  | 'resetFields'
  | 'subresources'
> {
  return {
    prepareForCreate(object) {
      startGeneration(object);
      object.status = {};
    },
    validate: (object) => validate(object),
    prepareForUpdate(object, old) {
      if (old.status === undefined) delete object.status;
      else object.status = old.status;
      advanceGeneration(object, old, !isSemanticallyEqual(object.spec, old.spec));
    },
    validateUpdate: (object) => validate(object),
    resetFields: [['status']],
    subresources: { status: statusOnly as SubresourceStrategy<T> },
  };
}

const statusOnly: SubresourceStrategy<Counted> = {
  prepareForUpdate(object, old) {
    const { managedFields, resourceVersion } = object.metadata;
    object.metadata = { ...old.metadata };
    if (managedFields !== undefined) object.metadata.managedFields = managedFields;
    if (resourceVersion !== undefined) object.metadata.resourceVersion = resourceVersion;
    object.spec = old.spec;
  },
  validateUpdate(object) {
    const errors: Errors = [];
    statusConditions(errors, object.status);
    return errors;
  },
  resetFields: [['spec'], ['metadata']],
};

/** Conditions have a type, each another one. */
export function statusConditions(errors: Errors, status: ConditionedStatus | undefined): void {
  const seen = new Set<string>();
  status?.conditions?.forEach(({ type = '' }, i) => {
    const path = `status.conditions[${i}].type`;
    if (seen.has(type)) errors.push(fieldError.duplicate(path, type));
    seen.add(type);
    if (type === '') errors.push(fieldError.required(path, 'must not be empty'));
  });
}
