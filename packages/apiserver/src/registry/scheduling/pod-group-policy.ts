// What PodGroups and the templates of Workloads have in common (KEP-4671): how their pods are
// scheduled together, which claims they share, how they may be disrupted. The rules are those of
// the API's declarative validation, in its order.

import { fieldError } from '@keelson/apimachinery';
import type {
  PodGroupResourceClaim,
  PodGroupSchedulingConstraints,
  PodGroupSchedulingPolicy,
} from '@keelson/apimachinery/types/scheduling.k8s.io.v1alpha2';
import type { Features } from '../../features/features.ts';
import { conforms, presentFields, required, type Errors } from '../validation/checks.ts';
import { isSemanticallyEqual } from '../validation/equality.ts';
import { dns1123Label, dns1123Subdomain, qualifiedName } from '../validation/names.ts';

const resourceClaimsMax = 4;
const topologyKeysMax = 1;
const priorityRange = [-2147483648, 1_000_000_000] as const;
const disruptionModes = ['Pod', 'PodGroup'];

export interface GatedFields {
  schedulingConstraints?: PodGroupSchedulingConstraints | null;
  resourceClaims?: PodGroupResourceClaim[];
  disruptionMode?: string;
  priorityClassName?: string;
  priority?: number;
}

const gates: Readonly<Record<keyof GatedFields, string>> = {
  schedulingConstraints: 'TopologyAwareWorkloadScheduling',
  resourceClaims: 'DRAWorkloadResourceClaims',
  disruptionMode: 'WorkloadAwarePreemption',
  priorityClassName: 'WorkloadAwarePreemption',
  priority: 'WorkloadAwarePreemption',
};

/** Removes fields whose gate is off; what is stored already stays. */
export function dropDisabledFields(
  group: GatedFields,
  old: GatedFields | undefined,
  features: Features,
): void {
  for (const field of Object.keys(gates) as (keyof GatedFields)[]) {
    const isThere = (of: GatedFields | undefined) => (of?.[field] ?? undefined) !== undefined;
    if (!isThere(group) || features.enabled(gates[field]) || isThere(old)) continue;
    delete group[field];
  }
}

/** Exactly one of the policies. */
export function schedulingPolicy(
  errors: Errors,
  path: string,
  policy: PodGroupSchedulingPolicy,
): void {
  exactlyOne(errors, path, policy, ['basic', 'gang']);
  if (!policy.gang) return;
  const at = `${path}.gang.minCount`;
  const { minCount } = policy.gang;
  if (minCount === 0) errors.push(fieldError.required(at));
  else atLeast(errors, at, minCount, 1);
}

/** The union of `fields`: none is missing, several are too many. */
export function exactlyOne(
  errors: Errors,
  path: string,
  object: object,
  fields: readonly string[],
): void {
  const present = presentFields(object, fields);
  const all = fields.map((field) => `\`${field}\``).join(', ');
  if (present.length === 0) errors.push(fieldError.required(path, `must specify one of: ${all}`));
  else if (present.length > 1) {
    const given = `{${present.map((field) => `\`${field}\``).join(', ')}}`;
    const why = `exactly one of ${all} is required, but multiple fields are set`;
    errors.push(fieldError.invalid(path, given, why));
  }
}

/** Constraints, claims and disruption: fields that need not be there. */
export function gatedFields(
  errors: Errors,
  path: string,
  group: GatedFields,
  old: GatedFields | undefined,
): void {
  const isNew = (field: keyof GatedFields) =>
    old === undefined || !isSemanticallyEqual(group[field], old[field]);
  if (isNew('schedulingConstraints')) constraints(errors, path, group.schedulingConstraints);
  if (isNew('resourceClaims')) resourceClaims(errors, path, group.resourceClaims);
  const { disruptionMode, priorityClassName, priority } = group;
  if (isNew('disruptionMode') && disruptionMode !== undefined) {
    if (!disruptionModes.includes(disruptionMode)) {
      const at = `${path}.disruptionMode`;
      errors.push(fieldError.notSupported(at, disruptionMode, disruptionModes));
    }
  }
  if (isNew('priorityClassName') && priorityClassName)
    conforms(errors, `${path}.priorityClassName`, priorityClassName, dns1123Subdomain);
  if (isNew('priority') && priority !== undefined) {
    atMostValue(errors, `${path}.priority`, priority, priorityRange[1]);
    atLeast(errors, `${path}.priority`, priority, priorityRange[0]);
  }
}

function constraints(
  errors: Errors,
  path: string,
  value: PodGroupSchedulingConstraints | null | undefined,
): void {
  const topology = value?.topology ?? [];
  const at = `${path}.schedulingConstraints.topology`;
  if (topology.length > topologyKeysMax) {
    errors.push(fieldError.tooMany(at, topology.length, topologyKeysMax));
    return;
  }
  topology.forEach(({ key = '' }, i) => {
    if (required(errors, `${at}[${i}].key`, key))
      conforms(errors, `${at}[${i}].key`, key, qualifiedName);
  });
}

function resourceClaims(
  errors: Errors,
  path: string,
  claims: readonly PodGroupResourceClaim[] = [],
): void {
  const at = `${path}.resourceClaims`;
  if (claims.length > resourceClaimsMax) {
    errors.push(fieldError.tooMany(at, claims.length, resourceClaimsMax));
    return;
  }
  uniqueNames(errors, at, claims);
  claims.forEach((claim, i) => {
    const { name = '', resourceClaimName, resourceClaimTemplateName } = claim;
    exactlyOne(errors, `${at}[${i}]`, claim, ['resourceClaimName', 'resourceClaimTemplateName']);
    if (required(errors, `${at}[${i}].name`, name))
      conforms(errors, `${at}[${i}].name`, name, dns1123Label);
    for (const [field, value] of Object.entries({ resourceClaimName, resourceClaimTemplateName }))
      if (value !== undefined) conforms(errors, `${at}[${i}].${field}`, value, dns1123Subdomain);
  });
}

/** Entries of a list that is keyed by name; the error shows the whole entry. */
export function uniqueNames(
  errors: Errors,
  path: string,
  list: readonly { readonly name: string }[],
): void {
  const seen = new Set<string>();
  list.forEach((entry, i) => {
    if (seen.has(entry.name)) errors.push(fieldError.duplicate(`${path}[${i}]`, entry));
    seen.add(entry.name);
  });
}

function atLeast(errors: Errors, path: string, value: number, min: number): void {
  if (value >= min) return;
  errors.push(fieldError.invalid(path, value, `must be greater than or equal to ${min}`));
}

function atMostValue(errors: Errors, path: string, value: number, max: number): void {
  if (value <= max) return;
  errors.push(fieldError.invalid(path, value, `must be less than or equal to ${max}`));
}
