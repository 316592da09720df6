// Between derived versions (see `schema/derived-versions.ts` of apimachinery) and the one in which
// their kind is stored. Most differ in nothing but the name.

import {
  optionalResources,
  formatApiVersion,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  copyJson,
} from '@keelson/apimachinery';
import type { VersionConversion } from '../resource-endpoint.ts';

/** Changes the content of an object that may be changed. */
interface ContentConversion {
  readonly toStored: (object: JsonObject) => void;
  readonly fromStored: (object: JsonObject) => void;
  /** Defaults that only this version has; run before those of the stored version. */
  readonly defaults?: (object: JsonObject) => void;
}

const flowControl = 'flowcontrol.apiserver.k8s.io';

const contents: Readonly<Record<string, ContentConversion>> = {
  [`${flowControl}/v1beta2/prioritylevelconfigurations`]: {
    toStored: renameIn('assuredConcurrencyShares', 'nominalConcurrencyShares'),
    fromStored: renameIn('nominalConcurrencyShares', 'assuredConcurrencyShares'),
    defaults: (object) => defaultShares(object, 'assuredConcurrencyShares'),
  },
  [`${flowControl}/v1beta3/prioritylevelconfigurations`]: {
    toStored: () => {},
    fromStored: () => {},
    defaults: (object) => defaultShares(object, 'nominalConcurrencyShares'),
  },
  'resource.k8s.io/v1beta1/resourceclaims': {
    toStored: (object) => eachOf(object, ['spec', 'devices', 'requests'], nestRequest),
    fromStored: (object) => eachOf(object, ['spec', 'devices', 'requests'], flattenRequest),
  },
  'resource.k8s.io/v1beta1/resourceclaimtemplates': {
    toStored: (object) => eachOf(object, ['spec', 'spec', 'devices', 'requests'], nestRequest),
    fromStored: (object) => eachOf(object, ['spec', 'spec', 'devices', 'requests'], flattenRequest),
  },
  'resource.k8s.io/v1beta1/resourceslices': {
    toStored: (object) => eachOf(object, ['spec', 'devices'], unwrapDevice),
    fromStored: (object) => eachOf(object, ['spec', 'devices'], wrapDevice),
  },
};

/** By group, version and resource. */
export function derivedConversions(): Readonly<Record<string, VersionConversion>> {
  return Object.fromEntries(
    optionalResources().flatMap((definition) => {
      const { group, version, resource, storageVersion } = definition;
      const isStored = storageVersion === formatApiVersion(definition);
      if (storageVersion === undefined || isStored) return [];
      const key = `${group}/${version}/${resource}`;
      return [[key, createConversion(formatApiVersion(definition), storageVersion, contents[key])]];
    }),
  );
}

function createConversion(
  served: string,
  stored: string,
  content: ContentConversion | undefined,
): VersionConversion {
  const toStored = (object: KubeObject) => converted(object, stored, content?.toStored);
  const fromStored = (object: KubeObject) => converted(object, served, content?.fromStored);
  if (content === undefined) return { toStored, fromStored };
  return {
    toStored,
    fromStored,
    // The defaults are those of the stored shape, so they are applied to that.
    strategy: ({ applyDefaults }) => ({
      applyDefaults(object, features) {
        content.defaults?.(object as unknown as JsonObject);
        const inner = toStored(object);
        applyDefaults?.(inner, features);
        const outer = fromStored(inner);
        for (const name of Object.keys(object)) Reflect.deleteProperty(object, name);
        Object.assign(object, outer);
      },
    }),
  };
}

// COMPAT: before v1 the shares were no pointer, so zero meant that nothing was said.
function defaultShares(object: JsonObject, field: string): void {
  const limited = at(object, ['spec', 'limited']);
  const annotations = at(object, ['metadata', 'annotations']);
  const keepsZero =
    isJsonObject(annotations) &&
    annotations['flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares'] !== undefined;
  if (isJsonObject(limited) && !limited[field] && !keepsZero) limited[field] = 30;
}

function converted(
  object: KubeObject,
  apiVersion: string,
  change: ((object: JsonObject) => void) | undefined,
): KubeObject {
  if (change === undefined) return { ...object, apiVersion };
  const copy = { ...copyJson(object), apiVersion };
  change(copy as unknown as JsonObject);
  return copy;
}

function at(object: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = object;
  for (const name of path) value = isJsonObject(value) ? value[name] : undefined;
  return value;
}

/** Replaces every object of the list at the path. */
function eachOf(
  object: JsonObject,
  path: readonly string[],
  change: (item: JsonObject) => JsonObject,
): void {
  const list = at(object, path);
  if (!Array.isArray(list)) return;
  for (const [i, item] of list.entries()) if (isJsonObject(item)) list[i] = change(item);
}

function renameIn(from: string, to: string): (object: JsonObject) => void {
  return (object) => {
    const limited = at(object, ['spec', 'limited']);
    if (!isJsonObject(limited) || limited[from] === undefined) return;
    const renamed = Object.entries(limited).map(([name, value]) => [
      name === from ? to : name,
      value,
    ]);
    for (const name of Object.keys(limited)) delete limited[name];
    Object.assign(limited, Object.fromEntries(renamed));
  };
}

/** What a request for exactly one kind of device says. */
const exactFields = [
  'deviceClassName',
  'selectors',
  'allocationMode',
  'count',
  'adminAccess',
  'tolerations',
  'capacity',
];

function nestRequest(request: JsonObject): JsonObject {
  const outer: JsonObject = {};
  const exactly: JsonObject = {};
  for (const [name, value] of Object.entries(request))
    (exactFields.includes(name) ? exactly : outer)[name] = value;
  if (Object.keys(exactly).length === 0) return outer;
  const { name, ...rest } = outer;
  return { name: name ?? '', exactly: { deviceClassName: '', ...exactly }, ...rest };
}

function flattenRequest(request: JsonObject): JsonObject {
  const { exactly, ...rest } = request;
  if (!isJsonObject(exactly)) return rest;
  const { deviceClassName, ...others } = exactly;
  return { ...rest, ...(deviceClassName ? { deviceClassName } : {}), ...others };
}

function unwrapDevice({ basic, ...device }: JsonObject): JsonObject {
  return isJsonObject(basic) ? { ...device, ...basic } : device;
}

function wrapDevice({ name, ...basic }: JsonObject): JsonObject {
  const isEmpty = Object.keys(basic).length === 0;
  return isEmpty ? { name: name ?? '' } : { name: name ?? '', basic };
}
