// Which of the names a definition asks for it gets. Names are taken by whoever had them first
// within a group; what is taken stays with its owner, and a definition is served under what it was
// given.

import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
} from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import {
  findCondition,
  isConditionTrue,
  setCondition,
  type ConditionValue,
} from '../customresourcedefinitions/conditions.ts';

export interface NamingResult {
  readonly names: CustomResourceDefinitionNames;
  readonly condition: ConditionValue;
}

/**
 * `others`: definitions of the same group; whether `crd` itself is among them makes no difference.
 */
export function acceptNames(
  crd: CustomResourceDefinition,
  others: Iterable<CustomResourceDefinition>,
): NamingResult {
  const wanted = crd.spec.names;
  const had = crd.status?.acceptedNames ?? { plural: '', kind: '' };
  const taken = takenNames([crd, ...others]);
  const names: CustomResourceDefinitionNames = { ...had };
  let conflict: { readonly reason: string; readonly message: string } | undefined;

  const take = (field: 'plural' | 'singular' | 'kind' | 'listKind', used: Set<string>) => {
    const name = wanted[field] ?? '';
    if (name !== (had[field] ?? '') && used.has(name)) {
      const reason = `${field.charAt(0).toUpperCase()}${field.slice(1)}Conflict`;
      conflict = { reason, message: inUse(name) };
    } else {
      assign(names, field, wanted[field]);
    }
  };
  take('plural', taken.resources);
  take('singular', taken.resources);
  const refused = (wanted.shortNames ?? []).filter(
    (name) => !had.shortNames?.includes(name) && taken.resources.has(name),
  );
  if (refused.length === 0) assign(names, 'shortNames', wanted.shortNames);
  else conflict = { reason: 'ShortNamesConflict', message: inUse(...refused) };
  take('kind', taken.kinds);
  take('listKind', taken.kinds);
  assign(names, 'categories', wanted.categories);

  const condition: ConditionValue = conflict
    ? { type: 'NamesAccepted', status: 'False', ...conflict }
    : {
        type: 'NamesAccepted',
        status: 'True',
        reason: 'NoConflicts',
        message: 'no conflicts found',
      };
  return { names, condition };
}

function inUse(...names: readonly string[]): string {
  const texts = [...new Set(names)].map((name) => `${JSON.stringify(name)} is already in use`);
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

function takenNames(definitions: readonly CustomResourceDefinition[]) {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { status } of definitions) {
    const {
      plural,
      singular = '',
      shortNames = [],
      kind,
      listKind = '',
    } = status?.acceptedNames ?? { plural: '', kind: '' };
    for (const name of [plural, singular, ...shortNames]) if (name !== '') resources.add(name);
    for (const name of [kind, listKind]) if (name !== '') kinds.add(name);
  }
  return { resources, kinds };
}

function assign<K extends keyof CustomResourceDefinitionNames>(
  names: CustomResourceDefinitionNames,
  field: K,
  value: CustomResourceDefinitionNames[K],
): void {
  if (value === undefined) delete names[field];
  else names[field] = value;
}

/**
 * Writes the outcome into the status, in place. False when nothing changes. When it does, names may
 * have become free: the other definitions of the group have to be looked at again.
 */
export function updateNames(
  crd: CustomResourceDefinition,
  others: Iterable<CustomResourceDefinition>,
  nowMs: number,
): boolean {
  const accepted = crd.status?.acceptedNames;
  if (isSemanticallyEqual(crd.spec.names, accepted)) return false;
  const { names, condition } = acceptNames(crd, others);
  const before = findCondition(crd, 'NamesAccepted');
  const isSameCondition =
    before?.status === condition.status &&
    before.reason === condition.reason &&
    before.message === condition.message;
  if (isSameCondition && isSemanticallyEqual(accepted, names)) return false;
  const status = (crd.status ??= {});
  status.acceptedNames = names;
  setCondition(crd, condition, nowMs);
  if (!isConditionTrue(crd, 'Established')) {
    const isAccepted = condition.status === 'True';
    if (isAccepted || findCondition(crd, 'Established') === undefined) {
      setCondition(crd, isAccepted ? installing : notAccepted, nowMs);
    }
  }
  return true;
}

const notAccepted: ConditionValue = {
  type: 'Established',
  status: 'False',
  reason: 'NotAccepted',
  message: 'not all names are accepted',
};
const installing: ConditionValue = {
  type: 'Established',
  status: 'False',
  reason: 'Installing',
  message: 'the initial names have been accepted',
};

/**
 * A definition whose names were accepted once is served from then on. False when nothing changes.
 */
export function establish(crd: CustomResourceDefinition, nowMs: number): boolean {
  if (!isConditionTrue(crd, 'NamesAccepted') || isConditionTrue(crd, 'Established')) return false;
  const reason = 'InitialNamesAccepted';
  setCondition(crd, { ...installing, status: 'True', reason }, nowMs);
  return true;
}
