// Who may write what into the status of a claim (KEP-4817, by gate): beside `resourceclaims/status`
// it takes the permission to write
//
//   resourceclaims/binding                     for allocation and reservedFor,
//   resourceclaims/driver, named as the driver for its entries in devices, with the verbs
//     associated-node:VERB                     if the caller's token is bound to the node that the
//                                              claim is allocated on,
//     arbitrary-node:VERB                      anywhere.
//
// SECURITY: so a driver on one node writes nothing about the devices of another, nor of other drivers.

import { fieldError, noDecisionTrace, type FieldError } from '@keelson/apimachinery';
import type {
  AllocatedDeviceStatus,
  ResourceClaim,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { UserInfo } from '../../../authentication/authenticator.ts';
import { nodeNameKey } from '../../../authentication/service-accounts/bound-token.ts';
import type { Authorizer, RequestAttributes } from '../../../authorization/authorizer.ts';
import { forbiddenMessage } from '../../../authorization/forbidden.ts';
import type { StrategyContext } from '../../strategy.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';

/** Refusals of an update that has passed validation. */
export type ClaimStatusGuard = (
  claim: ResourceClaim,
  old: ResourceClaim,
  context: StrategyContext,
) => Promise<FieldError[]>;

export function createClaimStatusGuard(authorizer: Authorizer): ClaimStatusGuard {
  return async (claim, old, { user, features, verb = 'update' }) => {
    if (!features.enabled('DRAResourceClaimGranularStatusAuthorization')) return [];
    const { namespace = '', name = '' } = old.metadata;
    const ask = (subresource: string, how: string, on: string) =>
      refusalOf(authorizer, user, {
        isResource: true,
        verb: how,
        namespace,
        group: 'resource.k8s.io',
        version: '*',
        resource: 'resourceclaims',
        subresource,
        name: on,
      });
    const errors: FieldError[] = [];
    if (changesBinding(claim, old)) {
      const refusal = await ask('binding', verb, name);
      if (refusal !== undefined) errors.push(fieldError.forbidden('status', refusal));
    }
    for (const driver of changedDrivers(claim, old)) {
      const local = isOnNodeOf(user, old)
        ? await ask('driver', `associated-node:${verb}`, driver)
        : '';
      if (local === undefined) continue;
      const refusal = await ask('driver', `arbitrary-node:${verb}`, driver);
      if (refusal === undefined) continue;
      errors.push(fieldError.forbidden('status.devices', local === '' ? refusal : local));
    }
    return errors;
  };
}

/** Undefined when it is allowed. An authorizer that fails has not allowed. */
async function refusalOf(
  authorizer: Authorizer,
  user: UserInfo,
  attributes: RequestAttributes,
): Promise<string | undefined> {
  const { decision, reason } = await authorizer.authorize(user, attributes, noDecisionTrace);
  return decision === 'allow' ? undefined : forbiddenMessage(attributes, user, reason);
}

function changesBinding({ status: now }: ResourceClaim, { status: before }: ResourceClaim) {
  return (
    !isSemanticallyEqual(now?.allocation, before?.allocation) ||
    !isSemanticallyEqual(now?.reservedFor ?? [], before?.reservedFor ?? [])
  );
}

/** Drivers whose devices are reported otherwise than before. */
function changedDrivers({ status: now }: ResourceClaim, { status: before }: ResourceClaim) {
  const [after, earlier] = [byDriver(now?.devices), byDriver(before?.devices)];
  const drivers = new Set([...after.keys(), ...earlier.keys()]);
  return [...drivers].filter(
    (driver) => !isSemanticallyEqual(after.get(driver) ?? [], earlier.get(driver) ?? []),
  );
}

function byDriver(devices: readonly AllocatedDeviceStatus[] = []) {
  return Map.groupBy(devices, ({ driver }) => driver);
}

/** What the claim was given is on one node, and that is where the caller's token is bound to. */
function isOnNodeOf({ extra }: UserInfo, { status }: ResourceClaim): boolean {
  const terms = status?.allocation?.nodeSelector?.nodeSelectorTerms ?? [];
  const [field, ...others] = terms.flatMap(({ matchFields = [] }) => matchFields);
  const isOne = terms.length === 1 && others.length === 0 && field?.key === 'metadata.name';
  const nodes = extra[nodeNameKey] ?? [];
  if (!isOne || field.operator !== 'In' || field.values?.length !== 1) return false;
  return nodes.length === 1 && nodes[0] === field.values[0];
}
