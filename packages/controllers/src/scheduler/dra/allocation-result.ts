// The chosen devices as they are written into the status of the claim.

import { createUid, formatQuantity, type Random } from '@keelson/apimachinery';
import type { NodeSelector, NodeSelectorRequirement } from '@keelson/apimachinery/types/core.v1';
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  ResourceClaim,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { NodeState } from '../snapshot/node-state.ts';
import type { ChosenForClaim } from './allocate-devices.ts';

export interface ResultContext {
  readonly node: NodeState;
  /** Shares of a device are told apart by a name of chance. */
  readonly random: Random;
}

export function allocationResult(
  claim: ResourceClaim,
  chosen: readonly ChosenForClaim[],
  { node, random }: ResultContext,
): AllocationResult {
  const config = configOf(claim, chosen);
  const nodeSelector = nodeSelectorOf(chosen, node);
  return {
    devices: {
      results: chosen.map((one) => resultOf(one, random)),
      ...(config.length > 0 && { config }),
    },
    ...(nodeSelector !== undefined && { nodeSelector }),
  };
}

function resultOf(
  { request, device, alternative, share }: ChosenForClaim,
  random: Random,
): DeviceRequestAllocationResult {
  const { adminAccess, tolerations } = alternative;
  const { bindingConditions = [], bindingFailureConditions = [] } = device.device;
  const consumed = [...(share ?? [])].map(([name, amount]) => [name, formatQuantity(amount)]);
  return {
    request,
    driver: device.driver,
    pool: device.pool,
    device: device.device.name,
    ...(adminAccess === true && { adminAccess }),
    ...(tolerations.length > 0 && { tolerations: [...tolerations] }),
    ...(bindingConditions.length > 0 && { bindingConditions }),
    ...(bindingFailureConditions.length > 0 && { bindingFailureConditions }),
    ...(share !== undefined && { shareID: createUid(random) }),
    ...(consumed.length > 0 && { consumedCapacity: Object.fromEntries(consumed) }),
  };
}

/** Of the classes first, then of the claim. */
function configOf(
  { spec }: ResourceClaim,
  chosen: readonly ChosenForClaim[],
): DeviceAllocationConfiguration[] {
  const byClass = new Map<ChosenForClaim['alternative']['deviceClass'], Set<string>>();
  for (const { request, alternative } of chosen) {
    const requests = byClass.get(alternative.deviceClass) ?? new Set();
    byClass.set(alternative.deviceClass, requests.add(request));
  }
  const names = new Set(chosen.flatMap(({ request }) => [request, request.split('/')[0] ?? '']));
  const fromClasses = [...byClass].flatMap(([deviceClass, requests]) =>
    (deviceClass.spec.config ?? []).map(({ opaque }) => ({
      source: 'FromClass',
      requests: [...requests],
      ...(opaque !== undefined && { opaque }),
    })),
  );
  const fromClaim = (spec.devices?.config ?? [])
    .filter(
      ({ requests = [] }) => requests.length === 0 || requests.some((name) => names.has(name)),
    )
    .map(({ requests = [], opaque }) => ({
      source: 'FromClaim',
      ...(requests.length > 0 && { requests }),
      ...(opaque !== undefined && { opaque }),
    }));
  return [...fromClasses, ...fromClaim];
}

/** Where the devices can be used; undefined: everywhere. */
function nodeSelectorOf(
  chosen: readonly ChosenForClaim[],
  node: NodeState,
): NodeSelector | undefined {
  const expressions: NodeSelectorRequirement[] = [];
  const fields: NodeSelectorRequirement[] = [];
  const seen = new Set<string>();
  const collect = (
    into: NodeSelectorRequirement[],
    more: readonly NodeSelectorRequirement[] = [],
  ) => {
    for (const requirement of more) {
      const key = JSON.stringify(requirement);
      if (!seen.has(key)) into.push(requirement);
      seen.add(key);
    }
  };
  for (const { device } of chosen) {
    const { slice } = device;
    const at = slice.spec.perDeviceNodeSelection === true ? device.device : slice.spec;
    if (at.nodeName !== undefined || device.device.bindsToNode === true) {
      const own = { key: 'metadata.name', operator: 'In', values: [node.name] };
      return { nodeSelectorTerms: [{ matchFields: [own] }] };
    }
    const [term] = at.nodeSelector?.nodeSelectorTerms ?? [];
    collect(expressions, term?.matchExpressions);
    collect(fields, term?.matchFields);
  }
  if (expressions.length + fields.length === 0) return undefined;
  const term = {
    ...(expressions.length > 0 && { matchExpressions: expressions }),
    ...(fields.length > 0 && { matchFields: fields }),
  };
  return { nodeSelectorTerms: [term] };
}
