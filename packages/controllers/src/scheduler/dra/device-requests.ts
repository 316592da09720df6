// The requests of a claim, brought into one form: each is a list of alternatives, of which the first
// that leads to a solution counts. What a claim may not ask for is refused in Kubernetes' words.

import type {
  DeviceClass,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
  ResourceClaim,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';

export interface DeviceAlternative {
  /** In the result: `request`, or `request/subrequest`. */
  readonly name: string;
  readonly deviceClass: DeviceClass;
  readonly selectors: readonly DeviceSelector[];
  /** Undefined: all that match. */
  readonly count?: number;
  readonly adminAccess: boolean | undefined;
  readonly tolerations: readonly DeviceToleration[];
  /** Amounts of capacity. */
  readonly capacity: Readonly<Record<string, string>>;
}
export interface ExpandedRequest {
  readonly name: string;
  readonly alternatives: readonly DeviceAlternative[];
}

export interface RequestContext {
  readonly isEnabled: (gate: string) => boolean;
  readonly deviceClass: (name: string) => DeviceClass | undefined;
}

/** Devices that one claim may have. */
export const devicesMax = 32;

export function expandRequests(
  claim: ResourceClaim,
  context: RequestContext,
): readonly ExpandedRequest[] {
  const about = claimName(claim);
  const requests = (claim.spec.devices?.requests ?? []).map((request) =>
    expandRequest(request, about, context),
  );
  const least = requests.reduce(
    (sum, { alternatives }) => sum + Math.min(...alternatives.map(({ count = 1 }) => count)),
    0,
  );
  if (least > devicesMax) {
    const text = `number of requested devices ${least} exceeds the claim limit of ${devicesMax}`;
    throw new Error(`${about}: ${text}`);
  }
  return requests;
}

export function claimName({ metadata: { namespace = '', name = '' } }: ResourceClaim): string {
  return `claim ${namespace}/${name}`;
}

function expandRequest(
  { name, exactly, firstAvailable = [] }: DeviceRequest,
  about: string,
  context: RequestContext,
): ExpandedRequest {
  const place = `${about}, request ${name}`;
  const alternative = (resultName: string, of: ExactDeviceRequest | DeviceSubRequest) =>
    toAlternative(resultName, of, { place, context });
  if (exactly !== undefined) return { name, alternatives: [alternative(name, exactly)] };
  if (firstAvailable.length === 0) throw new Error(`${place}: unknown request type`);
  if (!context.isEnabled('DRAPrioritizedList'))
    throw new Error(`${place}: has subrequests, but the DRAPrioritizedList feature is disabled`);
  return {
    name,
    alternatives: firstAvailable.map((sub) => alternative(`${name}/${sub.name}`, sub)),
  };
}

function toAlternative(
  name: string,
  request: ExactDeviceRequest | DeviceSubRequest,
  { place, context }: { readonly place: string; readonly context: RequestContext },
): DeviceAlternative {
  const { deviceClassName, selectors = [], allocationMode, count, tolerations = [] } = request;
  const adminAccess = 'adminAccess' in request ? request.adminAccess : undefined;
  if (adminAccess === true && !context.isEnabled('DRAAdminAccess'))
    throw new Error(`${place}: admin access is requested, but the feature is disabled`);
  const capacity = request.capacity?.requests ?? {};
  if (Object.keys(capacity).length > 0 && !context.isEnabled('DRAConsumableCapacity'))
    throw new Error(
      `${place}: has capacity requests, but the DRAConsumableCapacity feature is disabled`,
    );
  const deviceClass = context.deviceClass(deviceClassName);
  if (deviceClass === undefined) {
    const why = `deviceclass.resource.k8s.io "${deviceClassName}" not found`;
    throw new Error(`${place}: could not retrieve device class ${deviceClassName}: ${why}`);
  }
  return {
    name,
    deviceClass,
    selectors,
    adminAccess,
    tolerations,
    capacity,
    ...(allocationMode !== 'All' && { count: Number(count ?? 1) }),
  };
}
