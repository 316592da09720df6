// The status of a claim: which devices it got, who uses them, and what their drivers report.

import { encodeJsonText, fieldError, type FieldError, type JsonValue } from '@keelson/apimachinery';
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaim,
  ResourceClaimConsumerReference,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { nodeSelector } from '../../core/pod-spec/affinity.ts';
import { internalValue } from '../../internal-form/internal-value.ts';
import {
  immutableDetail,
  notLongerThan,
  oneOf,
  required,
  type Errors,
} from '../../validation/checks.ts';
import { conditions } from '../../validation/conditions.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { dns1123Label } from '../../validation/names.ts';
import { strictCidr } from '../../validation/networks.ts';
import { driverName, poolName } from '../device-names.ts';
import {
  requestNamesOf,
  requestReference,
  requestReferences,
  validateDeviceToleration,
  validateOpaque,
  type RequestNames,
} from '../device-requests.ts';
import {
  allocationResultsMax,
  bindingConditionsMax,
  configsMax,
  hardwareAddressBytesMax,
  interfaceNameBytesMax,
  networkAddressesMax,
  reservedForMax,
  statusConditionsMax,
  statusDataBytesMax,
} from '../limits.ts';
import { checkList, checkName } from '../lists.ts';

export function validateClaimStatus(claim: ResourceClaim, old: ResourceClaim): FieldError[] {
  const errors: Errors = [];
  const names = requestNamesOf(claim.spec?.devices);
  const status = claim.status ?? {};
  const before = old.status ?? {};
  checkList(errors, status.reservedFor, {
    path: 'status.reservedFor',
    itemsMax: reservedForMax,
    check: (reference, at) => validateConsumer(errors, at, reference),
    key: (reference) => reference.uid,
  });
  const allocated = new Set((status.allocation?.devices?.results ?? []).map(deviceKey));
  checkList(errors, status.devices, {
    path: 'status.devices',
    check: (device, at) => validateDeviceStatus(errors, at, device, allocated),
    key: deviceKey,
  });
  validateReservation(errors, claim, before.reservedFor ?? []);
  if (before.allocation && status.allocation) {
    if (!isSemanticallyEqual(status.allocation, before.allocation)) {
      const shown = internalValue('io.k8s.api.resource.v1.AllocationResult', status.allocation);
      errors.push(fieldError.invalid('status.allocation', shown, immutableDetail));
    }
  } else if (status.allocation) {
    validateAllocation(errors, 'status.allocation', status.allocation, names);
  }
  return errors;
}

interface DeviceReference {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
  readonly shareID?: string;
}

function deviceKey({ driver, pool, device, shareID }: DeviceReference): string {
  return `${driver}/${pool}/${device}${shareID === undefined ? '' : `/${shareID}`}`;
}

function validateConsumer(
  errors: Errors,
  path: string,
  { resource, name, uid }: ResourceClaimConsumerReference,
): void {
  required(errors, `${path}.resource`, resource);
  required(errors, `${path}.name`, name);
  required(errors, `${path}.uid`, uid);
}

/** Only what is allocated is reserved, and nobody new joins a claim that is going. */
function validateReservation(
  errors: Errors,
  { metadata, status }: ResourceClaim,
  before: readonly ResourceClaimConsumerReference[],
): void {
  const now = status?.reservedFor ?? [];
  if (now.length === 0) return;
  const path = 'status.reservedFor';
  if (!status?.allocation) {
    errors.push(fieldError.forbidden(path, 'may not be specified when `allocated` is not set'));
  } else if (metadata.deletionTimestamp !== undefined) {
    const added = now.some((one) => !before.some((other) => isSemanticallyEqual(one, other)));
    const why =
      'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
    if (added) errors.push(fieldError.forbidden(path, why));
  }
}

function validateAllocation(
  errors: Errors,
  path: string,
  allocation: AllocationResult,
  names: RequestNames,
): void {
  checkList(errors, allocation.devices?.results, {
    path: `${path}.devices.results`,
    itemsMax: allocationResultsMax,
    check: (result, at) => validateResult(errors, at, result, names),
  });
  checkList(errors, allocation.devices?.config, {
    path: `${path}.devices.config`,
    itemsMax: 2 * configsMax,
    check: (config, at) => validateConfig(errors, at, config, names),
  });
  if (allocation.nodeSelector)
    nodeSelector(errors, `${path}.nodeSelector`, allocation.nodeSelector);
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function validateResult(
  errors: Errors,
  path: string,
  result: DeviceRequestAllocationResult,
  names: RequestNames,
): void {
  requestReference(errors, `${path}.request`, result.request ?? '', names);
  driverName(errors, `${path}.driver`, result.driver ?? '');
  poolName(errors, `${path}.pool`, result.pool ?? '');
  checkName(errors, `${path}.device`, result.device ?? '', dns1123Label);
  validateBindingConditions(errors, path, result);
  result.tolerations?.forEach((toleration, i) =>
    validateDeviceToleration(errors, `${path}.tolerations[${i}]`, toleration),
  );
  if (result.shareID !== undefined && !uuidPattern.test(result.shareID)) {
    const why =
      'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters';
    errors.push(fieldError.invalid(`${path}.shareID`, result.shareID, why));
  }
}

interface Binding {
  readonly bindingConditions?: readonly string[];
  readonly bindingFailureConditions?: readonly string[];
}

/** Conditions that must hold, and those that must not, before a pod is bound; only together. */
export function validateBindingConditions(errors: Errors, path: string, binding: Binding): void {
  const { bindingConditions = [], bindingFailureConditions = [] } = binding;
  const list = (name: keyof Binding, items: readonly string[]) =>
    checkList(errors, items, {
      path: `${path}.${name}`,
      itemsMax: bindingConditionsMax,
      check: () => {},
      key: (condition) => condition,
    });
  list('bindingConditions', bindingConditions);
  list('bindingFailureConditions', bindingFailureConditions);
  if (bindingConditions.length === 0 && bindingFailureConditions.length > 0) {
    const why = 'bindingConditions are required to use bindingFailureConditions';
    errors.push(fieldError.invalid(`${path}.bindingConditions`, bindingConditions, why));
  }
}

function validateConfig(
  errors: Errors,
  path: string,
  config: DeviceAllocationConfiguration,
  names: RequestNames,
): void {
  if (required(errors, `${path}.source`, config.source)) {
    oneOf(errors, `${path}.source`, config.source, ['FromClaim', 'FromClass']);
  }
  requestReferences(errors, `${path}.requests`, config.requests, names);
  validateOpaque(errors, `${path}.opaque`, config.opaque);
}

function validateDeviceStatus(
  errors: Errors,
  path: string,
  device: AllocatedDeviceStatus,
  allocated: ReadonlySet<string>,
): void {
  driverName(errors, `${path}.driver`, device.driver ?? '');
  poolName(errors, `${path}.pool`, device.pool ?? '');
  checkName(errors, `${path}.device`, device.device ?? '', dns1123Label);
  if (!allocated.has(deviceKey(device))) {
    const why = 'must be an allocated device in the claim';
    errors.push(fieldError.invalid(path, deviceKey(device), why));
  }
  if ((device.conditions ?? []).length > statusConditionsMax) {
    const { length } = device.conditions ?? [];
    errors.push(fieldError.tooMany(`${path}.conditions`, length, statusConditionsMax));
  }
  conditions(errors, `${path}.conditions`, device.conditions);
  if (device.data !== undefined && device.data !== null) {
    const at = `${path}.data`;
    if (typeof device.data !== 'object' || Array.isArray(device.data)) {
      errors.push(fieldError.invalid(at, '<value omitted>', 'must be a valid JSON object'));
    } else {
      notLongerThan(errors, at, encodeJsonText(device.data as JsonValue), statusDataBytesMax);
    }
  }
  if (device.networkData) validateNetworkData(errors, `${path}.networkData`, device.networkData);
}

function validateNetworkData(errors: Errors, path: string, network: NetworkDeviceData): void {
  notLongerThan(errors, `${path}.interfaceName`, network.interfaceName, interfaceNameBytesMax);
  const hardwarePath = `${path}.hardwareAddress`;
  notLongerThan(errors, hardwarePath, network.hardwareAddress, hardwareAddressBytesMax);
  checkList(errors, network.ips, {
    path: `${path}.ips`,
    itemsMax: networkAddressesMax,
    check: (ip, at) => void strictInterfaceAddress(errors, at, ip),
    key: (ip) => ip,
  });
}

/** An address with its prefix length; unlike a network it may have host bits. */
function strictInterfaceAddress(errors: Errors, path: string, value: string): void {
  const found: Errors = [];
  strictCidr(found, path, value);
  errors.push(...found.filter((error) => !error.detail.includes('beyond the prefix length')));
}
