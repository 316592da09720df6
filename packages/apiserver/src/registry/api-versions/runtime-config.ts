// `--runtime-config`: which API versions and resources are served, beyond and short of the default
// (k8s.io/apiserver/pkg/server/resourceconfig).
//
//   api/all=false            everything; then api/ga, api/beta, api/alpha in this order
//   group/version=true       one version; /v1 is that of the core group
//   group/version/resource   one resource; stronger than its version
//
// A version that the emulated release does not have is not served, whatever is asked for, and
// neither is a resource whose feature gate is off.

import {
  builtinResources,
  optionalResources,
  type GroupVersion,
  type GroupVersionResource,
} from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import { existsIn, gateOf, isServedByDefault } from './lifecycle.ts';

/** What cannot be meant; the message is kube-apiserver's where it has one. */
export class RuntimeConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RuntimeConfigError';
  }
}

/** By key; an empty value means true. */
export type RuntimeConfig = ReadonlyMap<string, string>;

export interface ServedVersions {
  isServed(gvr: GroupVersionResource): boolean;
}

const everyVersion = new Map<string, RegExp>([
  ['api/all', /^/],
  ['api/ga', /^v\d+$/],
  ['api/beta', /^v\d+beta\d+$/],
  ['api/alpha', /^v\d+alpha\d+$/],
]);

/** `a=b,c` as the flag takes it; later settings of a key replace earlier ones. */
export function parseRuntimeConfig(texts: readonly string[]): RuntimeConfig {
  const config = new Map<string, string>();
  for (const part of texts.flatMap((text) => text.split(','))) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    const key = (equals < 0 ? part : part.slice(0, equals)).trim();
    config.set(key, equals < 0 ? '' : part.slice(equals + 1).trim());
  }
  return config;
}

/** Of the built-in resources. Throws RuntimeConfigError. */
export function createBuiltinVersions(config: RuntimeConfig, features: Features): ServedVersions {
  const servable = [...builtinResources(), ...optionalResources()];
  return createServedVersions(config, { servable, features });
}

export interface RuntimeConfigOptions {
  /** What there are resources for. */
  readonly servable: readonly GroupVersionResource[];
  readonly features: Features;
}

/** Throws RuntimeConfigError. */
function createServedVersions(
  config: RuntimeConfig,
  { servable, features }: RuntimeConfigOptions,
): ServedVersions {
  const settings = readSettings(config, servable);
  const { minor } = features.emulated;
  return {
    isServed(gvr) {
      if (!existsIn(gvr, minor)) return false;
      const gate = gateOf(gvr, minor);
      if (gate !== undefined && !features.enabled(gate)) return false;
      const version = `${gvr.group}/${gvr.version}`;
      return (
        settings.resources.get(`${version}/${gvr.resource}`) ??
        settings.versions.get(version) ??
        matched(settings.stages, gvr) ??
        isServedByDefault(gvr)
      );
    },
  };
}

interface Settings {
  readonly stages: readonly (readonly [RegExp, boolean])[];
  readonly versions: ReadonlyMap<string, boolean>;
  readonly resources: ReadonlyMap<string, boolean>;
}

/** The last one that matches counts. */
function matched(stages: Settings['stages'], { version }: GroupVersion): boolean | undefined {
  return stages.findLast(([pattern]) => pattern.test(version))?.[1];
}

function readSettings(config: RuntimeConfig, servable: readonly GroupVersion[]): Settings {
  assertKeys(config, servable);
  const stages: [RegExp, boolean][] = [];
  for (const [key, pattern] of everyVersion) {
    const value = config.get(key);
    if (value === undefined) continue;
    if (value !== 'true' && value !== 'false')
      throw new RuntimeConfigError(`invalid value ${key}=${value}`);
    stages.push([pattern, value === 'true']);
  }
  const versions = new Map<string, boolean>();
  const resources = new Map<string, boolean>();
  for (const [key, text] of config) {
    if (everyVersion.has(key)) continue;
    const [group = '', version = '', resource] = key.split('/');
    const gv = `${group}/${version}`;
    assertRegistered(group, version, servable);
    const value = readValue(key, text);
    if (resource === undefined) versions.set(gv, value);
    else if (resource === resource.toLowerCase()) resources.set(key, value);
    else
      throw new RuntimeConfigError(
        `invalid key ${key}: group/version/resource and resource is always lowercase plural, not ${JSON.stringify(resource)}`,
      );
  }
  return { stages, versions, resources };
}

function assertKeys(config: RuntimeConfig, servable: readonly GroupVersion[]): void {
  if (config.size === 1 && config.get('api/all') === 'false')
    throw new RuntimeConfigError('invalid key with only api/all=false');
  const unknown: string[] = [];
  for (const key of config.keys()) {
    if (everyVersion.has(key)) continue;
    const parts = key.split('/');
    if (parts.length !== 2 && parts.length !== 3)
      throw new RuntimeConfigError(`runtime-config invalid key ${key}`);
    const [group = ''] = parts;
    const isKnown = [...registeredVersions(servable)].some((gv) => gv.startsWith(`${group}/`));
    if (!isKnown) unknown.push(group);
  }
  if (unknown.length > 0) throw new RuntimeConfigError(`unknown api groups ${unknown.join(',')}`);
}

const trueWords = new Set(['', '1', 't', 'T', 'true', 'TRUE', 'True']);
const falseWords = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

function readValue(key: string, text: string): boolean {
  if (trueWords.has(text)) return true;
  if (falseWords.has(text)) return false;
  throw new RuntimeConfigError(
    `invalid value of ${key}: ${text}, err: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

/** Registered in Kubernetes and without resources: setting them changes nothing there. */
const emptyVersions: readonly string[] = [
  'apps/v1beta1',
  'apps/v1beta2',
  'authentication.k8s.io/v1beta1',
  'authorization.k8s.io/v1beta1',
  'batch/v1beta1',
  'discovery.k8s.io/v1beta1',
  'events.k8s.io/v1beta1',
  'extensions/v1beta1',
  'node.k8s.io/v1alpha1',
  'node.k8s.io/v1beta1',
  'policy/v1beta1',
  'rbac.authorization.k8s.io/v1alpha1',
  'rbac.authorization.k8s.io/v1beta1',
  'scheduling.k8s.io/v1beta1',
  'coordination.k8s.io/v1',
];

function registeredVersions(servable: readonly GroupVersion[]): ReadonlySet<string> {
  return new Set([
    ...servable.map(({ group, version }) => `${group}/${version}`),
    ...emptyVersions,
  ]);
}

function assertRegistered(group: string, version: string, servable: readonly GroupVersion[]): void {
  const key = `${group}/${version}`;
  const shown = group === '' ? version : key;
  if (!registeredVersions(servable).has(key))
    throw new RuntimeConfigError(`group version ${shown} that has not been registered`);
}
