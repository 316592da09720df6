// The environment of selectors of devices (KEP-4381): `device.attributes['dra.example.com'].model`,
// and the value that a device has in it.

import type { Environment } from '../environment.ts';
import { bindingsLibrary } from '../library/extensions/bindings.ts';
import { celTypes, mapType, objectType } from '../types/type.ts';
import type { CelMap, CelObject, CelValue } from '../values/value.ts';
import { celMap } from '../values/map.ts';
import { semverLibrary } from './libraries/semver.ts';
import type { DeclaredType } from './schema/declared-type.ts';
import { costEstimatorOf, typeProviderOf } from './schema/schema-environment.ts';
import { kubernetesTypes, quantityValue, semverValue } from './types.ts';
import { parseQuantity } from './values/quantity.ts';
import { parseSemanticVersion } from './values/semantic-version.ts';

const attributesMax = 32;
const attributeValueMax = 64;
const domainMax = 63;

const { any, bool, string } = celTypes;

const declared = (type: DeclaredType['type'], elementsMax = 0): DeclaredType => ({
  type,
  serializedSizeMin: 2,
  elementsMax,
});

/** By domain, then by identifier. */
function attributeMap(value: DeclaredType): DeclaredType {
  const inner = mapOf(value);
  return mapOf(inner);
}

function mapOf(element: DeclaredType): DeclaredType {
  return { ...declared(mapType(string, element.type), attributesMax), element };
}

const device: DeclaredType = {
  ...declared(objectType('kubernetes.DRADevice')),
  fields: new Map([
    ['driver', declared(string, domainMax)],
    ['attributes', attributeMap(declared(any, attributeValueMax))],
    ['capacity', attributeMap(declared(kubernetesTypes.quantity))],
    ['allowMultipleAllocations', declared(bool)],
  ]),
};

const types = [typeProviderOf(device)];

/** What a selector can cost at most, by estimate of its variable `device`. */
export const deviceSelectorEstimator = costEstimatorOf(device);

export function deviceSelectorEnvironment(base: Environment): Environment {
  return base.extend({
    variables: { device: device.type },
    types,
    libraries: [semverLibrary, bindingsLibrary],
  });
}

export interface SelectableDevice {
  readonly driver: string;
  /** Names without a domain belong to the driver. */
  readonly attributes: Readonly<Record<string, DeviceAttributeValue>>;
  readonly capacity: Readonly<Record<string, { readonly value: string }>>;
  readonly allowMultipleAllocations: boolean;
}
export interface DeviceAttributeValue {
  readonly int?: number | bigint;
  readonly bool?: boolean;
  readonly string?: string;
  readonly version?: string;
}

/** The value of the variable `device`. */
export function deviceSelectorValue(subject: SelectableDevice): CelObject {
  const { driver, attributes, capacity, allowMultipleAllocations } = subject;
  const fields: Readonly<Record<string, CelValue>> = {
    driver,
    attributes: byDomain(driver, attributes, attributeValue),
    capacity: byDomain(driver, capacity, ({ value }) => {
      const quantity = parseQuantity(value);
      return 'unscaled' in quantity ? quantityValue.create(quantity) : undefined;
    }),
    allowMultipleAllocations,
  };
  const has = (field: string) => Object.hasOwn(fields, field);
  return {
    kind: 'object',
    type: device.type,
    get: (field) => (has(field) ? fields[field] : undefined),
    has,
    fields: () => Object.keys(fields),
  };
}

function attributeValue({ int, bool: flag, string: text, version }: DeviceAttributeValue) {
  if (int !== undefined) return BigInt(int);
  if (flag !== undefined) return flag;
  if (text !== undefined) return text;
  const parsed = version === undefined ? undefined : parseSemanticVersion(version);
  return parsed === undefined || 'error' in parsed ? undefined : semverValue.create(parsed);
}

const empty = celMap([]);

/** COMPAT: a domain that the device does not have is an empty map, not an error. */
function byDomain<T>(
  driver: string,
  entries: Readonly<Record<string, T>>,
  adapt: (entry: T) => CelValue | undefined,
): CelMap {
  const domains = new Map<string, [string, CelValue][]>();
  for (const [name, entry] of Object.entries(entries)) {
    const slash = name.indexOf('/');
    const domain = slash < 0 ? driver : name.slice(0, slash);
    const value = adapt(entry);
    if (value === undefined) continue;
    const values = domains.get(domain) ?? [];
    values.push([name.slice(slash + 1), value]);
    domains.set(domain, values);
  }
  const known = celMap([...domains].map(([domain, values]) => [domain, celMap(values)]));
  return {
    kind: 'map',
    size: known.size,
    get: (key) => known.get(key) ?? (typeof key === 'string' ? empty : undefined),
    keys: () => known.keys(),
  };
}
