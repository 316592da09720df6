// PodSecurityConfiguration: the cluster's default policy and its exemptions, as the file of
// `--admission-control-config-file` gives them. Read strictly (unknown fields are refused), then
// defaulted (privileged, latest), then validated; upstream gives the same texts at start-up.

import { duplicateField, invalidField, type FieldError } from './field-error.ts';
import {
  levelRule,
  parseLevel,
  parsePolicyVersion,
  versionRule,
  type LevelVersion,
} from './level-version.ts';
import type { Policy, PolicyMode } from './policy-labels.ts';

export const configurationGroup = 'pod-security.admission.config.k8s.io';

/** Three versions with the same fields; all are read by every release. */
const configurationVersions = ['v1', 'v1beta1', 'v1alpha1'];

const modes: readonly PolicyMode[] = ['enforce', 'warn', 'audit'];
const exemptionKinds = ['usernames', 'namespaces', 'runtimeClasses'] as const;

type DefaultsField = PolicyMode | `${PolicyMode}-version`;

export interface PodSecurityConfiguration {
  /** As written; `privileged` and `latest` where nothing was. */
  readonly defaults: Readonly<Record<DefaultsField, string>>;
  readonly exemptions: PodSecurityExemptions;
}

export interface PodSecurityExemptions {
  /** Of whoever makes the request, compared literally. */
  readonly usernames: readonly string[];
  readonly namespaces: readonly string[];
  readonly runtimeClasses: readonly string[];
}

/** What holds without a file. */
export const defaultConfiguration: PodSecurityConfiguration = readFields({});

/**
 * Reads a decoded configuration file; `undefined` and `null` give the defaults. Throws an Error
 * with upstream's text when the object is of another kind or has fields that are unknown or of the
 * wrong type. The values are judged by `validatePodSecurityConfiguration`.
 */
export function parsePodSecurityConfiguration(object: unknown): PodSecurityConfiguration {
  if (object === undefined || object === null) return defaultConfiguration;
  const fields = recordAt(object, '');
  const { kind = '', apiVersion = '' } = fields;
  if (kind === '') throw new Error(`Object 'Kind' is missing in '${JSON.stringify(object)}'`);
  if (apiVersion === '') {
    throw new Error(`Object 'apiVersion' is missing in '${JSON.stringify(object)}'`);
  }
  const isKnown = configurationVersions.some(
    (version) => apiVersion === `${configurationGroup}/${version}`,
  );
  if (!isKnown || kind !== 'PodSecurityConfiguration') {
    throw new Error(`no kind "${String(kind)}" is registered for version "${String(apiVersion)}"`);
  }
  return readFields(fields);
}

/** Everything that is wrong with the values; empty for a usable configuration. */
export function validatePodSecurityConfiguration(
  configuration: PodSecurityConfiguration,
): FieldError[] {
  const { defaults, exemptions } = configuration;
  const errors: FieldError[] = [];
  for (const mode of modes) {
    const level = defaults[mode];
    if (parseLevel(level) === undefined) {
      errors.push(invalidField(`defaults.${mode}`, level, levelRule));
    }
    const version = defaults[`${mode}-version`];
    if (parsePolicyVersion(version) === undefined) {
      errors.push(invalidField(`defaults.${mode}-version`, version, versionRule));
    }
  }
  return [
    ...errors,
    ...validateList('exemptions.namespaces', exemptions.namespaces, findLabelFaults),
    ...validateList('exemptions.runtimeClasses', exemptions.runtimeClasses, findSubdomainFaults),
    ...validateList('exemptions.usernames', exemptions.usernames, (name) =>
      name === '' ? ['username must not be empty'] : [],
    ),
  ];
}

/** The default policy of a valid configuration. Throws a RangeError on an invalid one. */
export function defaultPolicyOf({ defaults }: PodSecurityConfiguration): Policy {
  const policyOf = (mode: PolicyMode): LevelVersion => {
    const level = parseLevel(defaults[mode]);
    const version = parsePolicyVersion(defaults[`${mode}-version`]);
    if (level === undefined || version === undefined) {
      throw new RangeError(`default ${mode} policy is invalid`);
    }
    return Object.freeze({ level, version });
  };
  return { enforce: policyOf('enforce'), audit: policyOf('audit'), warn: policyOf('warn') };
}

function readFields(fields: Readonly<Record<string, unknown>>): PodSecurityConfiguration {
  const unknown: string[] = [];
  refuseOthers(fields, ['kind', 'apiVersion', 'defaults', 'exemptions'], '', unknown);
  const defaults = recordAt(fields['defaults'] ?? {}, 'defaults');
  const defaultNames = modes.flatMap((mode) => [mode, `${mode}-version` as const]);
  refuseOthers(defaults, defaultNames, 'defaults.', unknown);
  const exemptions = recordAt(fields['exemptions'] ?? {}, 'exemptions');
  refuseOthers(exemptions, exemptionKinds, 'exemptions.', unknown);
  if (unknown.length > 0) throw new Error(`strict decoding error: ${unknown.join(', ')}`);
  const level = (mode: PolicyMode) => stringAt(defaults[mode], `defaults.${mode}`, 'privileged');
  const version = (mode: PolicyMode) =>
    stringAt(defaults[`${mode}-version`], `defaults.${mode}-version`, 'latest');
  const list = (kind: (typeof exemptionKinds)[number]) =>
    stringsAt(exemptions[kind], `exemptions.${kind}`);
  return {
    defaults: {
      enforce: level('enforce'),
      'enforce-version': version('enforce'),
      audit: level('audit'),
      'audit-version': version('audit'),
      warn: level('warn'),
      'warn-version': version('warn'),
    },
    exemptions: {
      usernames: list('usernames'),
      namespaces: list('namespaces'),
      runtimeClasses: list('runtimeClasses'),
    },
  };
}

function refuseOthers(
  fields: Readonly<Record<string, unknown>>,
  known: readonly string[],
  prefix: string,
  into: string[],
): void {
  for (const field of Object.keys(fields)) {
    if (!known.includes(field)) into.push(`unknown field "${prefix}${field}"`);
  }
}

function recordAt(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw wrongType(value, path, 'object');
}

/** COMPAT: an empty string is defaulted like an absent one. */
function stringAt(value: unknown, path: string, fallback: string): string {
  if (value === undefined || value === null || value === '') return fallback;
  if (typeof value !== 'string') throw wrongType(value, path, 'string');
  return value;
}

function stringsAt(value: unknown, path: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrongType(value, path, '[]string');
  return value.map((item: unknown) => {
    if (item === null) return '';
    if (typeof item !== 'string') throw wrongType(item, path, 'string');
    return item;
  });
}

function wrongType(value: unknown, path: string, wanted: string): Error {
  const given = Array.isArray(value) ? 'array' : value === null ? 'null' : jsonTypeOf(value);
  const field = `PodSecurityConfiguration${path === '' ? '' : `.${path}`}`;
  return new Error(
    `json: cannot unmarshal ${given} into Go struct field ${field} of type ${wanted}`,
  );
}

function jsonTypeOf(value: unknown): string {
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function validateList(
  path: string,
  items: readonly string[],
  findFaults: (item: string) => string[],
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  items.forEach((item, i) => {
    const faults = findFaults(item);
    if (faults.length > 0) errors.push(invalidField(`${path}[${i}]`, item, faults.join(', ')));
    else if (seen.has(item)) errors.push(duplicateField(`${path}[${i}]`, item));
    else seen.add(item);
  });
  return errors;
}

const labelPattern = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomainPattern = `${labelPattern}(\\.${labelPattern})*`;
const labelExpression = new RegExp(`^${labelPattern}$`);
const subdomainExpression = new RegExp(`^${subdomainPattern}$`);
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and " +
  "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', " +
  `regex used for validation is '${labelPattern}')`;
const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or " +
  "'.', and must start and end with an alphanumeric character (e.g. 'example.com', " +
  `regex used for validation is '${subdomainPattern}')`;

/** COMPAT: the texts of `validation.IsDNS1123Label`. */
function findLabelFaults(name: string): string[] {
  const faults = name.length > 63 ? ['must be no more than 63 characters'] : [];
  if (labelExpression.test(name)) return faults;
  faults.push(subdomainExpression.test(name) ? 'must not contain dots' : labelRule);
  return faults;
}

/** COMPAT: the texts of `validation.IsDNS1123Subdomain`. */
function findSubdomainFaults(name: string): string[] {
  const faults = name.length > 253 ? ['must be no more than 253 characters'] : [];
  if (!subdomainExpression.test(name)) faults.push(subdomainRule);
  return faults;
}
