// ControllerRevisions: what a workload looked like once. The data never change.

import { fieldError, parseApiVersion } from '@keelson/apimachinery';
import type { ControllerRevision } from '@keelson/apimachinery/types/apps.v1';
import { age, noneText } from '../../printing/cells.ts';
import { immutable, nonNegative, type Errors } from '../../validation/checks.ts';
import { nameIsDns1123Subdomain } from '../../validation/names.ts';
import type { Strategy } from '../../strategy.ts';

export const controllerRevisionStrategy: Strategy<ControllerRevision> = {
  nameRule: nameIsDns1123Subdomain,
  validate: (object) => {
    const errors: Errors = [];
    if (object.data === undefined || object.data === null) {
      errors.push(fieldError.required('data', 'data is mandatory'));
    }
    nonNegative(errors, 'revision', object.revision);
    return errors;
  },
  validateUpdate: (object, old) => {
    const errors: Errors = [];
    nonNegative(errors, 'revision', object.revision);
    immutable(errors, 'data', [object.data, old.data]);
    return errors;
  },
  tableCells: (object, nowMs) => [
    object.metadata.name ?? '',
    controller(object),
    object.revision,
    age(object, nowMs),
  ],
};

/** `statefulset.apps/web`: the kind and group of the controller and its name. */
function controller({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find((reference) => reference.controller === true);
  if (!owner) return noneText;
  const group = parseApiVersion(owner.apiVersion)?.group ?? '';
  const kind = owner.kind.toLowerCase();
  return `${group === '' ? kind : `${kind}.${group}`}/${owner.name}`;
}
