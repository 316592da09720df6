// Validation of Nodes. Taints are reported under `metadata.taints`, as Kubernetes does.

import { fieldError, parseCidr, type FieldError } from '@keelson/apimachinery';
import type { Node, Taint } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { conforms, requiredOneOf } from '../../validation/checks.ts';
import { cidrForLegacyField } from '../../validation/legacy-addresses.ts';
import { labelValue, qualifiedName } from '../../validation/names.ts';
import { resourceQuantity } from '../../validation/resource-names.ts';

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const podCidrs = 'spec.podCIDRs';

export function validateNode(node: Node, features: Features): FieldError[] {
  const errors: FieldError[] = [];
  checkTaints(errors, node.spec.taints);
  checkResources(errors, node);
  const cidrs = node.spec.podCIDRs ?? [];
  cidrs.forEach((cidr, i) => cidrForLegacyField(errors, `${podCidrs}[${i}]`, cidr, { features }));
  if (cidrs.length > 1) {
    const families = new Set(cidrs.map((cidr) => parseCidr(cidr)?.family));
    if (families.has(undefined)) return errors;
    if (families.size < 2 || cidrs.length > 2) {
      const why = 'may specify no more than one CIDR for each IP family';
      errors.push(fieldError.invalid(podCidrs, cidrs, why));
    }
  }
  return errors;
}

function checkResources(errors: FieldError[], { status }: Node): void {
  for (const field of ['capacity', 'allocatable'] as const) {
    for (const entry of Object.entries(status?.[field] ?? {})) {
      resourceQuantity(errors, `status.${field}.${entry[0]}`, entry);
    }
  }
}

function checkTaints(errors: FieldError[], taints: readonly Taint[] | undefined): void {
  const seen = new Set<string>();
  taints?.forEach((taint, i) => {
    const path = `metadata.taints[${i}]`;
    conforms(errors, `${path}.key`, taint.key, qualifiedName);
    const value = taint.value ?? '';
    const problems = labelValue(value);
    if (problems.length > 0) {
      errors.push(fieldError.invalid(`${path}.value`, value, problems.join(';')));
    }
    requiredOneOf(errors, `${path}.effect`, taint.effect, taintEffects);
    const key = `${taint.key}\n${taint.effect}`;
    if (seen.has(key)) {
      const detail = 'taints must be unique by key and effect pair';
      errors.push({ ...fieldError.duplicate(path, printedTaint(taint)), detail });
    }
    seen.add(key);
  });
}

/** COMPAT: printed with Go's field names. */
function printedTaint({ key, value = '', effect, timeAdded }: Taint) {
  return { Key: key, Value: value, Effect: effect, TimeAdded: timeAdded ?? null };
}

/** What `nodes` and `nodes/status` both check on update. */
export function validateNodeChange(node: Node, old: Node): FieldError[] {
  const errors: FieldError[] = [];
  checkResources(errors, node);
  const seen = new Set<string>();
  node.status?.addresses?.forEach(({ type, address }, i) => {
    const key = `${type}\n${address}`;
    if (seen.has(key)) {
      const printed = { Type: type, Address: address };
      errors.push(fieldError.duplicate(`status.addresses[${i}]`, printed));
    }
    seen.add(key);
  });
  checkAssignedOnce(errors, node, old);
  checkTaints(errors, node.spec.taints);
  if ((node.spec.externalID ?? '') !== (old.spec.externalID ?? '')) {
    errors.push(fieldError.forbidden('spec.externalID', 'may not be updated'));
  }
  return errors;
}

/** Pod CIDRs and the provider's id are given once. */
function checkAssignedOnce(errors: FieldError[], node: Node, old: Node): void {
  const [cidrs, before] = [node.spec.podCIDRs ?? [], old.spec.podCIDRs ?? []];
  const refuseCidrs = () => {
    const why = 'node updates may not change podCIDR except from "" to valid';
    errors.push(fieldError.forbidden(podCidrs, why));
  };
  if (before.length > 0 && before.length !== cidrs.length) refuseCidrs();
  else before.forEach((cidr, i) => cidr !== cidrs[i] && refuseCidrs());
  if (old.spec.providerID && old.spec.providerID !== node.spec.providerID) {
    const why = 'node updates may not change providerID except from "" to valid';
    errors.push(fieldError.forbidden('spec.providerID', why));
  }
}
