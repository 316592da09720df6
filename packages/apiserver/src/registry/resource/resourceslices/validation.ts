// Validation of ResourceSlices.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type {
  CounterSet,
  Device,
  DeviceAttribute,
  DeviceCapacity,
  DeviceCounterConsumption,
  ResourceSlice,
  ResourceSliceSpec,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { nodeSelector } from '../../core/pod-spec/affinity.ts';
import { immutable, notLongerThan, required, type Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.ts';
import { driverName, poolName, qualifiedDeviceName } from '../device-names.ts';
import {
  advancedDevicesMax,
  attributeBytesMax,
  attributesAndCapacitiesMax,
  counterConsumptionsMax,
  counterSetsMax,
  countersMax,
  devicesMax,
  domainBytesMax,
  identifierBytesMax,
  taintsMax,
} from '../limits.ts';
import { validateTaint } from '../device-taints.ts';
import { checkList, checkMap, checkName } from '../lists.ts';
import { validateBindingConditions } from '../resourceclaims/status-validation.ts';
import { validateRequestPolicy } from './request-policy.ts';

export function validateSlice(slice: ResourceSlice, old: ResourceSlice | undefined): FieldError[] {
  const errors: Errors = [];
  const { spec } = slice;
  driverName(errors, 'spec.driver', spec.driver ?? '');
  validatePool(errors, 'spec.pool', spec);
  if (old) {
    immutable(errors, 'spec.pool.name', [spec.pool?.name ?? '', old.spec.pool.name]);
    immutable(errors, 'spec.driver', [spec.driver ?? '', old.spec.driver]);
    immutable(errors, 'spec.nodeName', [spec.nodeName, old.spec.nodeName]);
  }
  validatePlacement(errors, spec);
  if (spec.sharedCounters !== undefined && spec.devices !== undefined) {
    const why = 'only one of `sharedCounters` or `devices` is allowed';
    errors.push(fieldError.invalid('spec', '', why));
  }
  const advanced = (spec.devices ?? []).some(
    (device) => (device.taints?.length ?? 0) > 0 || (device.consumesCounters?.length ?? 0) > 0,
  );
  const before = new Map((old?.spec.devices ?? []).map((device) => [device.name, device]));
  checkList(errors, spec.devices, {
    path: 'spec.devices',
    itemsMax: advanced ? advancedDevicesMax : devicesMax,
    check: (device, at) =>
      validateDevice(errors, at, device, {
        old: before.get(device.name),
        perDevice: spec.perDeviceNodeSelection === true,
      }),
    key: (device) => device.name,
  });
  checkList(errors, spec.sharedCounters, {
    path: 'spec.sharedCounters',
    itemsMax: counterSetsMax,
    check: (set, at) => validateCounters(errors, at, { name: 'name', value: set.name, set }),
    key: (set) => set.name,
  });
  return errors;
}

function validatePool(errors: Errors, path: string, { pool }: ResourceSliceSpec): void {
  const { name = '', generation = 0, resourceSliceCount = 0 } = pool ?? {};
  poolName(errors, `${path}.name`, name);
  if (resourceSliceCount <= 0) {
    const why = 'must be greater than zero';
    errors.push(fieldError.invalid(`${path}.resourceSliceCount`, resourceSliceCount, why));
  }
  if (generation < 0) {
    const why = 'must be greater than or equal to zero';
    errors.push(fieldError.invalid(`${path}.generation`, generation, why));
  }
}

/** Where the devices can be used from: one way of saying it. */
function validatePlacement(errors: Errors, spec: ResourceSliceSpec): void {
  const set: string[] = [];
  if (spec.nodeName === '') {
    const why = 'must be either unset or set to a non-empty string';
    errors.push(fieldError.invalid('spec.nodeName', '', why));
  } else if (spec.nodeName !== undefined) {
    set.push('`nodeName`');
    checkName(errors, 'spec.nodeName', spec.nodeName, dns1123Subdomain);
  }
  if (spec.nodeSelector) {
    set.push('`nodeSelector`');
    const path = 'spec.nodeSelector';
    nodeSelector(errors, path, spec.nodeSelector);
    const terms = spec.nodeSelector.nodeSelectorTerms ?? [];
    if (terms.length !== 1) {
      const why = 'must have exactly one node selector term';
      errors.push(fieldError.invalid(`${path}.nodeSelectorTerms`, terms, why));
    }
  }
  for (const name of ['allNodes', 'perDeviceNodeSelection'] as const) {
    if (spec[name] === true) set.push(`\`${name}\``);
    else if (spec[name] === false) {
      errors.push(fieldError.invalid(`spec.${name}`, false, 'must be either unset or set to true'));
    }
  }
  const sentence =
    'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  if (set.length === 0) errors.push(fieldError.required('spec', sentence));
  else if (set.length > 1) {
    const why = `${sentence}, but multiple fields are set`;
    errors.push(fieldError.invalid('spec', `{${set.join(', ')}}`, why));
  }
}

interface DeviceContext {
  readonly old: Device | undefined;
  readonly perDevice: boolean;
}

const keyBytesMax = domainBytesMax + 1 + identifierBytesMax;

function validateDevice(
  errors: Errors,
  path: string,
  device: Device,
  { old, perDevice }: DeviceContext,
): void {
  checkName(errors, `${path}.name`, device.name ?? '', dns1123Label);
  const entries =
    Object.keys(device.attributes ?? {}).length + Object.keys(device.capacity ?? {}).length;
  if (entries > attributesAndCapacitiesMax) {
    const why = `the total number of attributes and capacities must not exceed ${attributesAndCapacitiesMax}`;
    errors.push(fieldError.invalid(path, entries, why));
  }
  const keys = {
    keyBytesMax,
    checkKey: (key: string, at: string) => qualifiedDeviceName(errors, at, key),
  };
  checkMap(errors, device.attributes, {
    ...keys,
    path: `${path}.attributes`,
    check: (attribute, at) => validateAttribute(errors, at, attribute),
  });
  if (!old || !isSemanticallyEqual(old.capacity, device.capacity)) {
    checkMap(errors, device.capacity, {
      ...keys,
      path: `${path}.capacity`,
      check: (capacity, at) => validateCapacity(errors, at, capacity, device),
    });
  }
  if (!old || !isSemanticallyEqual(old.taints, device.taints)) {
    checkList(errors, device.taints, {
      path: `${path}.taints`,
      itemsMax: taintsMax,
      check: (taint, at) => validateTaint(errors, at, taint),
    });
  }
  checkList(errors, device.consumesCounters, {
    path: `${path}.consumesCounters`,
    itemsMax: counterConsumptionsMax,
    check: (set, at) =>
      validateCounters(errors, at, { name: 'counterSet', value: set.counterSet, set }),
    key: (set) => set.counterSet,
  });
  if (perDevice) validateDevicePlacement(errors, path, device);
  else if (
    device.nodeName !== undefined ||
    device.nodeSelector !== undefined ||
    device.allNodes !== undefined
  ) {
    const why =
      '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
    errors.push(fieldError.invalid(path, null, why));
  }
  validateBindingConditions(errors, path, device);
}

function validateDevicePlacement(errors: Errors, path: string, device: Device): void {
  const set: string[] = [];
  if (device.nodeName === '') {
    errors.push(fieldError.invalid(`${path}.nodeName`, '', 'must not be empty'));
  } else if (device.nodeName !== undefined) {
    set.push('`nodeName`');
    checkName(errors, `${path}.nodeName`, device.nodeName, dns1123Subdomain);
  }
  if (device.nodeSelector) {
    set.push('`nodeSelector`');
    nodeSelector(errors, `${path}.nodeSelector`, device.nodeSelector);
  }
  if (device.allNodes === true) set.push('`allNodes`');
  else if (device.allNodes === false) {
    const why = 'must be either unset or set to true';
    errors.push(fieldError.invalid(`${path}.allNodes`, false, why));
  }
  const why =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  if (set.length === 0) errors.push(fieldError.required(path, why));
  else if (set.length > 1) errors.push(fieldError.invalid(path, `{${set.join(', ')}}`, why));
}

const numericPart = '(0|[1-9]\\d*)';
const preReleasePart = '(0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)';
const buildPart = '[0-9a-zA-Z-]+';
const semanticVersion = new RegExp(
  `^${numericPart}\\.${numericPart}\\.${numericPart}(-${preReleasePart}(\\.${preReleasePart})*)?(\\+${buildPart}(\\.${buildPart})*)?$`,
);

function validateAttribute(errors: Errors, path: string, attribute: DeviceAttribute): void {
  const { string, version } = attribute;
  if (string !== undefined) notLongerThan(errors, `${path}.string`, string, attributeBytesMax);
  if (version !== undefined) {
    const at = `${path}.version`;
    // The length first: it bounds the work of the pattern.
    const fits = notLongerThan([], at, version, attributeBytesMax);
    if (!fits || !semanticVersion.test(version)) {
      const why = 'must be a string compatible with semver.org spec 2.0.0';
      errors.push(fieldError.invalid(at, version, why));
    }
    notLongerThan(errors, at, version, attributeBytesMax);
  }
  const values = [attribute.bool, attribute.int, string, version];
  const count = values.filter((value) => value !== undefined).length;
  if (count === 1) return;
  const shown = count === 0 ? '' : attribute;
  errors.push(fieldError.invalid(path, shown, 'exactly one value must be specified'));
}

function validateCapacity(
  errors: Errors,
  path: string,
  capacity: DeviceCapacity,
  device: Device,
): void {
  const { requestPolicy } = capacity;
  if (!requestPolicy) return;
  const at = `${path}.requestPolicy`;
  if (device.allowMultipleAllocations === true) {
    validateRequestPolicy(errors, at, requestPolicy, capacity.value);
  } else {
    errors.push(fieldError.forbidden(at, 'allowMultipleAllocations must be true'));
  }
}

interface NamedCounters {
  readonly name: 'name' | 'counterSet';
  readonly value: string;
  readonly set: CounterSet | DeviceCounterConsumption;
}

function validateCounters(errors: Errors, path: string, { name, value, set }: NamedCounters): void {
  const at = `${path}.${name}`;
  if (required(errors, at, value)) checkName(errors, at, value, dns1123Label);
  const { counters } = set;
  if (Object.keys(counters ?? {}).length === 0) {
    errors.push(fieldError.required(`${path}.counters`));
    return;
  }
  checkMap(errors, counters, {
    path: `${path}.counters`,
    entriesMax: countersMax,
    keyBytesMax: domainBytesMax,
    checkKey: (key, keyPath) => checkName(errors, keyPath, key, dns1123Label),
    check: () => {},
  });
}
