// The bounds of a LimitRange: min, max and the ratio of limit to request. What is bounded from
// below must be requested, what is bounded from above must be limited, and both must lie within.
// Amounts are compared in thousandths where those fit an int64, else in whole units, both rounded
// up.
// COMPAT: the texts, two spaces included, are upstream's.

import {
  compareQuantities,
  formatQuantity,
  podLimits,
  podRequests,
  type Quantity,
  quantityMilliValue,
  quantityValue,
  readResourceList,
  type ResourceList,
} from '@keelson/apimachinery';
import type {
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from '@keelson/apimachinery/types/core.v1';

interface Amounts {
  readonly requests: ResourceList;
  readonly limits: ResourceList;
}

/** A resource that an item of a LimitRange bounds. */
interface Bound {
  /** The type of the item: Container, Pod, PersistentVolumeClaim. */
  readonly type: string;
  readonly resource: string;
  readonly bound: Quantity;
}

type Rule = (bound: Bound, amounts: Amounts) => string | undefined;

/** Texts about everything in the pod that is out of bounds; empty when nothing is. */
export function podViolations(pod: Pod, range: LimitRange, podLevel: boolean): string[] {
  const containers = [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])];
  return (range.spec?.limits ?? []).flatMap((item) => {
    if (item.type === 'Container')
      return containers.flatMap(({ resources }) =>
        itemViolations(item, {
          requests: readResourceList(resources?.requests),
          limits: readResourceList(resources?.limits),
        }),
      );
    if (item.type !== 'Pod') return [];
    const options = { podLevel };
    return itemViolations(item, {
      requests: podRequests(pod, options),
      limits: podLimits(pod, options),
    });
  });
}

/** The same for a claim, which has requests only. */
export function claimViolations(claim: PersistentVolumeClaim, range: LimitRange): string[] {
  const requests = readResourceList(claim.spec.resources?.requests);
  const amounts = { requests, limits: new Map<string, Quantity>() };
  return (range.spec?.limits ?? []).flatMap((item) => {
    if (item.type !== 'PersistentVolumeClaim') return [];
    return [
      ...violationsOf(item, item.min, { rule: minimum, amounts }),
      ...violationsOf(item, item.max, { rule: maximumRequest, amounts }),
    ];
  });
}

function itemViolations(item: LimitRangeItem, amounts: Amounts): string[] {
  return [
    ...violationsOf(item, item.min, { rule: minimum, amounts }),
    ...violationsOf(item, item.max, { rule: maximum, amounts }),
    ...violationsOf(item, item.maxLimitRequestRatio, { rule: ratio, amounts }),
  ];
}

function violationsOf(
  { type }: LimitRangeItem,
  bounds: Readonly<Record<string, string>> | undefined,
  { rule, amounts }: { readonly rule: Rule; readonly amounts: Amounts },
): string[] {
  const list = [...readResourceList(bounds)].sort(([a], [b]) => (a < b ? -1 : 1));
  return list.flatMap(([resource, bound]) => rule({ type, resource, bound }, amounts) ?? []);
}

const minimum: Rule = ({ type, resource, bound }, { requests, limits }) => {
  const [request, limit] = [requests.get(resource), limits.get(resource)];
  const units = commonUnits(request, limit, bound);
  const head = `minimum ${resource} usage per ${type} is ${formatQuantity(bound)}`;
  if (request === undefined) return `${head}.  No request is specified`;
  if (units(request) < units(bound)) return `${head}, but request is ${formatQuantity(request)}`;
  if (limit !== undefined && units(limit) < units(bound))
    return `${head}, but limit is ${formatQuantity(limit)}`;
  return undefined;
};

const maximum: Rule = ({ type, resource, bound }, { requests, limits }) => {
  const [request, limit] = [requests.get(resource), limits.get(resource)];
  const units = commonUnits(request, limit, bound);
  const head = `maximum ${resource} usage per ${type} is ${formatQuantity(bound)}`;
  if (limit === undefined) return `${head}.  No limit is specified`;
  if (units(limit) > units(bound)) return `${head}, but limit is ${formatQuantity(limit)}`;
  if (request !== undefined && units(request) > units(bound))
    return `${head}, but request is ${formatQuantity(request)}`;
  return undefined;
};

const maximumRequest: Rule = ({ type, resource, bound }, { requests }) => {
  const request = requests.get(resource);
  const head = `maximum ${resource} usage per ${type} is ${formatQuantity(bound)}`;
  if (request === undefined) return `${head}.  No request is specified`;
  if (compareQuantities(request, bound) > 0)
    return `${head}, but request is ${formatQuantity(request)}`;
  return undefined;
};

const ratio: Rule = ({ type, resource, bound }, { requests, limits }) => {
  const [request, limit] = [requests.get(resource), limits.get(resource)];
  const units = commonUnits(request, limit, bound);
  const head = `${resource} max limit to request ratio per ${type} is ${formatQuantity(bound)}`;
  if (request === undefined || units(request) === 0n)
    return `${head}, but no request is specified or request is 0`;
  if (limit === undefined || units(limit) === 0n)
    return `${head}, but no limit is specified or limit is 0`;
  const given = Number(units(limit)) / Number(units(request));
  const isExceeded = fitsMilli(bound)
    ? given * 1000 > Number(quantityMilliValue(bound))
    : given > Number(quantityValue(bound));
  return isExceeded ? `${head}, but provided ratio is ${given.toFixed(6)}` : undefined;
};

/** Above this many units the thousandths do not fit an int64. */
const milliUnitsMax = (2n ** 63n - 1n) / 1000n;

function fitsMilli(amount: Quantity | undefined): boolean {
  return amount === undefined || quantityValue(amount) <= milliUnitsMax;
}

function commonUnits(...amounts: (Quantity | undefined)[]): (amount: Quantity) => bigint {
  return amounts.every(fitsMilli) ? quantityMilliValue : quantityValue;
}
