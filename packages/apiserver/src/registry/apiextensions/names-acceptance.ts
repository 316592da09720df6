// Which names may a CustomResourceDefinition have, and may it be served? Names of one group must not
// clash; the first definition keeps what it has been given. Conditions and texts of
// k8s.io/apiextensions-apiserver/pkg/controller/status.

import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
} from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import { approvalOf, isProtectedGroup } from './customresourcedefinitions/api-approval.ts';
import { isConditionTrue, setCondition } from './customresourcedefinitions/conditions.ts';

/** Sets accepted names and conditions in place. `others` are the definitions of the same group. */
export function acceptNames(
  crd: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  nowMs: number,
): void {
  const wanted = crd.spec.names;
  const status = (crd.status ??= { conditions: [] });
  const accepted = { ...status.acceptedNames } as CustomResourceDefinitionNames;
  const taken = takenNames(others);
  const conflict = (): { reason: string; message: string } | undefined => {
    const inUse = (name: string) => `${JSON.stringify(name)} is already in use`;
    if (taken.resources.has(wanted.plural))
      return { reason: 'PluralConflict', message: inUse(wanted.plural) };
    accepted.plural = wanted.plural;
    const singular = wanted.singular ?? '';
    if (taken.resources.has(singular))
      return { reason: 'SingularConflict', message: inUse(singular) };
    accepted.singular = singular;
    const shorts = (wanted.shortNames ?? []).filter((name) => taken.resources.has(name));
    if (shorts.length > 0)
      return { reason: 'ShortNamesConflict', message: shorts.map(inUse).join(', ') };
    if (wanted.shortNames !== undefined) accepted.shortNames = wanted.shortNames;
    if (taken.kinds.has(wanted.kind))
      return { reason: 'KindConflict', message: inUse(wanted.kind) };
    accepted.kind = wanted.kind;
    const listKind = wanted.listKind ?? '';
    if (taken.kinds.has(listKind)) return { reason: 'ListKindConflict', message: inUse(listKind) };
    accepted.listKind = listKind;
    return undefined;
  };
  const found = conflict();
  if (wanted.categories !== undefined) accepted.categories = wanted.categories;
  status.acceptedNames = accepted;
  setCondition(
    crd,
    found === undefined
      ? {
          type: 'NamesAccepted',
          status: 'True',
          reason: 'NoConflicts',
          message: 'no conflicts found',
        }
      : { type: 'NamesAccepted', status: 'False', ...found },
    nowMs,
  );
  establish(crd, found === undefined, nowMs);
  if (isProtectedGroup(crd.spec.group)) setApproval(crd, nowMs);
}

/** COMPAT: reasons of kube-apiserver's approval controller. */
const approvalReasons = { approved: 'ApprovedAnnotation', bypassed: 'UnapprovedAnnotation', missing: 'MissingAnnotation', invalid: 'InvalidAnnotation' } as const;

function setApproval(crd: CustomResourceDefinition, nowMs: number): void {
  const { state, reason } = approvalOf(crd.metadata.annotations);
  const status = state === 'approved' ? 'True' : 'False';
  setCondition(crd, { type: 'KubernetesAPIApprovalPolicyConformant', status, reason: approvalReasons[state], message: reason }, nowMs);
}

/** Once established, a definition stays so: its objects would be out of reach otherwise. */
function establish(crd: CustomResourceDefinition, namesAccepted: boolean, nowMs: number): void {
  if (isConditionTrue(crd, 'Established')) return;
  setCondition(
    crd,
    namesAccepted
      ? {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        }
      : {
          type: 'Established',
          status: 'False',
          reason: 'NotAccepted',
          message: 'not all names are accepted',
        },
    nowMs,
  );
}

function takenNames(others: readonly CustomResourceDefinition[]): {
  resources: Set<string>;
  kinds: Set<string>;
} {
  const resources = new Set<string>();
  const kinds = new Set<string>();
  for (const { status } of others) {
    const names = status?.acceptedNames;
    if (names === undefined) continue;
    for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])])
      if (name) resources.add(name);
    for (const kind of [names.kind, names.listKind]) if (kind) kinds.add(kind);
  }
  return { resources, kinds };
}
