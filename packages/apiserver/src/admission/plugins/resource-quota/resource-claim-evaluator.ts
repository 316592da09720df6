// Counts claims of devices and, by device class, how many devices they may get at most. Of
// alternatives the most counts, and a request for all devices of a class counts as many as a claim
// can hold.
//
// With the gate DRAExtendedResource the same devices are also quota of the extended resources that
// they can be asked for by: `requests.deviceclass.resource.kubernetes.io/<class>` and the name in
// the class. A claim that was made for a pod which asks for extended resources is not charged under
// the name that the pod asked by, because the pod was (KEP-5004).

import {
  addQuantities,
  compareQuantities,
  createQuantity,
  deviceClassPrefix,
  isExtendedRequest,
  type KubeObject,
  oneQuantity as one,
  podRequests,
  type Quantity,
  readResourceList,
  subtractQuantities,
  zeroQuantity as zero,
} from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { DeviceClass, ResourceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Features } from '../../../features/features.ts';
import type { ObjectSource } from '../../../object-source.ts';
import { isRestartableInitContainer } from '../../../registry/core/pod-spec/visit-containers.ts';
import { asKind } from '../../request-match.ts';
import { noScope, objectCountName, type QuotaEvaluator } from './evaluator.ts';
import { isExtendedQuotaName } from './pod-evaluator.ts';

const countName = objectCountName('resource.k8s.io', 'resourceclaims');
const devicesSuffix = '.deviceclass.resource.k8s.io/devices';
const extendedClaimAnnotation = 'resource.kubernetes.io/extended-resource-claim';
/** As many devices as the result of an allocation can list. */
const devicesMax = 32;

export interface ResourceClaimSources {
  readonly deviceClasses: ObjectSource;
  readonly pods: ObjectSource;
}

/** What a request, or one of its alternatives, wants. */
interface DeviceWish {
  readonly deviceClassName: string;
  readonly allocationMode?: string;
  readonly count?: number | bigint;
}

/** An amount that a pod was charged for already. */
interface ChargedAmount {
  readonly name: string;
  readonly amount: Quantity;
}

export function createResourceClaimEvaluator(
  sources: ResourceClaimSources,
  features: Features,
): QuotaEvaluator {
  const extended = features.enabled('DRAExtendedResource');
  return {
    handles: ({ operation, subresource }) =>
      subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
    matchingNames: (names) =>
      names.filter(
        (name) =>
          name === countName ||
          name.endsWith(devicesSuffix) ||
          (extended && isExtendedQuotaName(name)),
      ),
    matchesScope: noScope,
    usage(object: KubeObject) {
      const claim = asKind<ResourceClaim>(object);
      const usage = new Map([[countName, one]]);
      const charged = extended ? chargedToPod(claim, sources.pods) : [];
      for (const [deviceClass, amount] of wantedDevices(claim)) {
        add(usage, deviceClass + devicesSuffix, amount);
        if (!extended) continue;
        for (const name of extendedNames(deviceClass, sources.deviceClasses))
          if (!takeCharged(charged, name, amount)) add(usage, name, amount);
      }
      return usage;
    },
  };
}

/** One entry for each request and device class. */
function* wantedDevices(claim: ResourceClaim): Generator<[deviceClass: string, amount: Quantity]> {
  for (const { exactly, firstAvailable = [] } of claim.spec.devices?.requests ?? []) {
    const most = new Map<string, Quantity>();
    for (const wish of firstAvailable.length > 0 ? firstAvailable : exactly ? [exactly] : []) {
      const amount = devicesOf(wish);
      const known = most.get(wish.deviceClassName) ?? zero;
      if (compareQuantities(amount, known) > 0) most.set(wish.deviceClassName, amount);
    }
    yield* most;
  }
}

/** Modes that are unknown here do not count. */
function devicesOf({ allocationMode, count = 0 }: DeviceWish): Quantity {
  if (allocationMode === 'ExactCount') return createQuantity(count);
  return allocationMode === 'All' ? createQuantity(devicesMax) : zero;
}

function extendedNames(deviceClass: string, deviceClasses: ObjectSource): string[] {
  const found = deviceClasses.get('', deviceClass);
  const named = found && asKind<DeviceClass>(found).spec.extendedResourceName;
  const implicit = `requests.${deviceClassPrefix}${deviceClass}`;
  return named === undefined ? [implicit] : [implicit, `requests.${named}`];
}

/** Each charge of the pod stands for one request of the claim. */
function takeCharged(charged: ChargedAmount[], name: string, amount: Quantity): boolean {
  const at = charged.findIndex(
    (charge) => charge.name === name && compareQuantities(charge.amount, amount) === 0,
  );
  if (at >= 0) charged.splice(at, 1);
  return at >= 0;
}

/** What the owner of a claim that was made for extended resources has been charged for. */
function chargedToPod(claim: ResourceClaim, pods: ObjectSource): ChargedAmount[] {
  if (claim.metadata.annotations?.[extendedClaimAnnotation] !== 'true') return [];
  const owner = (claim.metadata.ownerReferences ?? []).find((o) => o.controller === true);
  if (owner === undefined || owner.kind !== 'Pod' || owner.apiVersion !== 'v1') return [];
  const found = pods.get(claim.metadata.namespace ?? '', owner.name);
  if (found === undefined || found.metadata.uid !== owner.uid) return [];
  const pod = asKind<Pod>(found);
  const known = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  return known !== undefined && known !== claim.metadata.name ? [] : extendedCharges(pod);
}

function extendedCharges(pod: Pod): ChargedAmount[] {
  const charges: ChargedAmount[] = [];
  const sums = new Map<string, Quantity>();
  const initContainers = pod.spec.initContainers ?? [];
  for (const container of [...initContainers, ...(pod.spec.containers ?? [])]) {
    const isPassing = initContainers.includes(container) && !isRestartableInitContainer(container);
    for (const [name, amount] of readResourceList(container.resources?.requests)) {
      if (!isExtendedRequest(name)) continue;
      add(sums, name, isPassing ? zero : amount);
      if (!isPassing) charges.push({ name: `requests.${name}`, amount });
    }
  }
  const total = podRequests(pod, { podLevel: true, overhead: true });
  for (const [name, sum] of sums) {
    const rest = subtractQuantities(total.get(name) ?? zero, sum);
    if (compareQuantities(rest, zero) > 0) charges.push({ name: `requests.${name}`, amount: rest });
  }
  return charges;
}

function add(list: Map<string, Quantity>, name: string, amount: Quantity): void {
  list.set(name, addQuantities(list.get(name) ?? zero, amount));
}
