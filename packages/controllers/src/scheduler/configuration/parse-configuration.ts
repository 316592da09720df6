// Reads a KubeSchedulerConfiguration: decoded strictly, with defaults, and checked as kube-scheduler
// checks it. What this scheduler does not have is an error, never left out.

import {
  DecodeError,
  decodeValue,
  encodeJsonText,
  isJsonObject,
  parseYaml,
  renderFieldError,
  type FieldError,
  type JsonObject,
  type JsonValue,
  type StructType,
} from '@keelson/apimachinery';
import {
  resourcesOfExtenders,
  toExtenders,
  type DecodedExtender,
  type ReadFile,
} from './extenders.ts';
import { argumentsOf, type DecodedArguments } from './plugin-arguments.ts';
import {
  defaultSchedulerName,
  extensionPoints,
  SchedulerConfigurationError,
  type ExtensionPoint,
  type PluginSet,
  type ProfileConfiguration,
  type SchedulerConfiguration,
} from './scheduler-configuration.ts';
import { argumentTypes, configurationType } from './schema.ts';
import { validateArguments } from './validate-arguments.ts';
import { validateConfiguration } from './validate-configuration.ts';
import { checkPlugins } from './validate-plugins.ts';

const apiVersion = 'kubescheduler.config.k8s.io/v1';
const configurationKind = 'KubeSchedulerConfiguration';

export interface DecodedProfile {
  readonly schedulerName?: string;
  readonly percentageOfNodesToScore?: number;
  readonly plugins?: Partial<Record<ExtensionPoint, DecodedPluginSet>>;
  readonly pluginConfig?: readonly { readonly name?: string; readonly args?: JsonValue }[];
}
interface DecodedPluginSet {
  readonly enabled?: readonly { readonly name?: string; readonly weight?: number }[];
  readonly disabled?: readonly { readonly name?: string }[];
}
export interface DecodedConfiguration {
  readonly parallelism?: number;
  readonly percentageOfNodesToScore?: number;
  readonly podInitialBackoffSeconds?: number | bigint;
  readonly podMaxBackoffSeconds?: number | bigint;
  readonly profiles?: readonly DecodedProfile[];
  readonly extenders?: readonly DecodedExtender[];
}

/**
 * Throws SchedulerConfigurationError. `isEnabled`: feature gates of the emulated release; `readFile`
 * reads what the configuration names: certificates of extenders.
 */
export function parseSchedulerConfiguration(
  text: string,
  isEnabled: (gate: string) => boolean,
  readFile: ReadFile = noFiles,
): SchedulerConfiguration {
  const decoded = decode(text);
  const { profiles = [{}], extenders = [] } = decoded;
  const named = profiles.map((profile) =>
    profiles.length === 1 && (profile.schedulerName ?? '') === ''
      ? { ...profile, schedulerName: defaultSchedulerName }
      : profile,
  );
  const args = named.map((profile, i) => decodeArguments(profile, i));
  const errors: FieldError[] = validateConfiguration({ ...decoded, profiles: named });
  for (const one of args)
    for (const [name, value] of one) errors.push(...validateArguments(name, value, isEnabled));
  if (errors.length > 0) throw failure(errors.map(renderFieldError));
  return {
    percentageOfNodesToScore: decoded.percentageOfNodesToScore ?? 0,
    podInitialBackoffMs: Number(decoded.podInitialBackoffSeconds ?? 1) * 1_000,
    podMaxBackoffMs: Number(decoded.podMaxBackoffSeconds ?? 10) * 1_000,
    profiles: named.map((profile, i) => {
      const configured = toProfile(profile, args[i] ?? new Map());
      checkPlugins(configured);
      return withoutResources(configured, resourcesOfExtenders(extenders));
    }),
    extenders: toExtenders(extenders, readFile),
  };
}

function noFiles(): never {
  throw new Error('files are not read here');
}

/** Nodes need not have these resources. */
function withoutResources(
  profile: ProfileConfiguration,
  resources: readonly string[],
): ProfileConfiguration {
  const { NodeResourcesFit: fit } = profile.args;
  const ignoredResources = [...fit.ignoredResources, ...resources];
  return { ...profile, args: { ...profile.args, NodeResourcesFit: { ...fit, ignoredResources } } };
}

function decode(text: string): DecodedConfiguration {
  try {
    const { value, duplicateKeys } = parseYaml(text);
    checkKind(value, configurationKind);
    return strictly(value, configurationType, duplicateKeys) as DecodedConfiguration;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new SchedulerConfigurationError(error.message, { cause: error });
  }
}

function strictly(value: JsonValue, type: StructType, duplicateKeys?: string): JsonObject {
  const { value: decoded, strictErrors } = decodeValue(value, type, { strict: true });
  const problems = [...(duplicateKeys === undefined ? [] : [duplicateKeys]), ...strictErrors];
  if (problems.length > 0)
    throw new SchedulerConfigurationError(`strict decoding error: ${problems.join(', ')}`);
  return decoded;
}

function checkKind(value: JsonValue, wanted: string): void {
  const object = isJsonObject(value) ? value : {};
  const { kind = '', apiVersion: given = '' } = object;
  const shown = encodeJsonText(value);
  if (kind === '') throw new SchedulerConfigurationError(`Object 'Kind' is missing in '${shown}'`);
  if (given === '')
    throw new SchedulerConfigurationError(`Object 'apiVersion' is missing in '${shown}'`);
  if (kind !== wanted || given !== apiVersion)
    throw new SchedulerConfigurationError(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(given)}`,
    );
}

/** By plugin. The kind may be left out; another one is an error. */
function decodeArguments(
  { pluginConfig = [] }: DecodedProfile,
  at: number,
): ReadonlyMap<string, DecodedArguments> {
  const found = new Map<string, DecodedArguments>();
  for (const [i, { name = '', args = {} }] of pluginConfig.entries()) {
    const place = `decoding .profiles[${at}].pluginConfig[${i}]`;
    if (found.has(name))
      throw new SchedulerConfigurationError(`repeated config for plugin ${name}`);
    const type = Object.hasOwn(argumentTypes, name) ? argumentTypes[name] : undefined;
    if (type === undefined)
      throw new SchedulerConfigurationError(`${place}: there are no args for plugin ${name}`);
    const wanted = `${name}Args`;
    const { kind = wanted, apiVersion: given = apiVersion } = isJsonObject(args) ? args : {};
    const [group] = apiVersion.split('/');
    if (kind !== wanted || given !== apiVersion)
      throw new SchedulerConfigurationError(
        `${place}: args for plugin ${name} were not of type ${wanted}.${group}, got ${String(kind)}.${String(given).split('/')[0]}`,
      );
    try {
      found.set(name, strictly(args, type) as DecodedArguments);
    } catch (cause) {
      if (!(cause instanceof SchedulerConfigurationError || cause instanceof DecodeError))
        throw cause;
      const why = `${place}: decoding args for plugin ${name}: ${cause.message}`;
      throw new SchedulerConfigurationError(why, { cause });
    }
  }
  return found;
}

function toProfile(
  { schedulerName = '', percentageOfNodesToScore, plugins = {} }: DecodedProfile,
  args: ReadonlyMap<string, DecodedArguments>,
): ProfileConfiguration {
  const sets = extensionPoints.flatMap((point): [ExtensionPoint, PluginSet][] => {
    const set = plugins[point];
    if (set === undefined) return [];
    const enabled = (set.enabled ?? []).map(({ name = '', weight = 0 }) => ({ name, weight }));
    return [[point, { enabled, disabled: (set.disabled ?? []).map(({ name = '' }) => name) }]];
  });
  return {
    schedulerName,
    ...(percentageOfNodesToScore !== undefined && { percentageOfNodesToScore }),
    plugins: Object.fromEntries(sets),
    args: argumentsOf(args),
  };
}

/** One error as it is, several as Go's aggregate shows them: each once, in brackets. */
function failure(problems: readonly string[]): SchedulerConfigurationError {
  const texts = [...new Set(problems)];
  const message = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  return new SchedulerConfigurationError(message);
}
