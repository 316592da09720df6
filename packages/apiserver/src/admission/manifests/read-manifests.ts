// Reads a folder of static manifests (KEP-5793): the webhook configurations or policies that are in
// force without being objects of the API.
//
// - Files `.yaml`, `.yml` and `.json` of the folder itself, in the order of their names; several
//   documents in a file, and lists of version v1.
// - Objects of admissionregistration.k8s.io/v1 of the plugin's kinds alone, defaulted and validated
//   as the API does it, expressions included. Their names end with `.static.k8s.io` and are unique.
// - Nothing in them depends on objects of the API: webhooks name URLs, policies have no parameters,
//   bindings name policies of the same folder.
//
// Whatever is wrong makes the whole folder unusable: half a set of rules is none.

import { join } from 'node:path';
import {
  decodeValue,
  DecodeError,
  fieldError,
  formatApiVersion,
  isJsonObject,
  parseYaml,
  renderFieldError,
  typeForKind,
  type FieldError,
  type JsonObject,
  type KubeObject,
  type ResourceDefinition,
} from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import { createAdmissionregistrationStrategies } from '../../registry/admissionregistration/strategies.ts';
import {
  manifestsGate,
  staticSuffix,
} from '../../registry/admissionregistration/reserved-names.ts';
import { expressionsOf } from '../../registry/expressions/expressions.ts';
import { validateObjectMeta } from '../../registry/metadata-validation.ts';
import type { StrategyContext } from '../../registry/strategy.ts';
import type { ConfigurationFiles } from '../configuration-files.ts';
import { AdmissionConfigurationError } from '../configuration-reader.ts';
import { asKind } from '../request-match.ts';
import { manifestHash } from './manifest-hash.ts';

/** By kind; every kind of the plugin is there. */
export type ManifestObjects = ReadonlyMap<string, readonly KubeObject[]>;

export interface Manifests {
  readonly objects: ManifestObjects;
  /** Of the contents of the files, in hexadecimal. */
  readonly hash: string;
}

/** Why a folder cannot be used; the message names file and field. */
export class ManifestError extends AdmissionConfigurationError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ManifestError';
  }
}

/** The resources of the kinds that a plugin takes from its folder, in the order of use. */
const manifestKinds: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  MutatingAdmissionWebhook: { MutatingWebhookConfiguration: 'mutatingwebhookconfigurations' },
  ValidatingAdmissionWebhook: { ValidatingWebhookConfiguration: 'validatingwebhookconfigurations' },
  MutatingAdmissionPolicy: {
    MutatingAdmissionPolicy: 'mutatingadmissionpolicies',
    MutatingAdmissionPolicyBinding: 'mutatingadmissionpolicybindings',
  },
  ValidatingAdmissionPolicy: {
    ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
    ValidatingAdmissionPolicyBinding: 'validatingadmissionpolicybindings',
  },
};

export interface ManifestFolder {
  readonly plugin: string;
  readonly folder: string;
  readonly files: ConfigurationFiles;
  readonly features: Features;
  readonly nowMs: number;
}

/** Bytes of all files together. */
const folderBytesMax = 16 * 1024 * 1024;

/** Throws ManifestError. `knownHash`: answers undefined when the contents still are those. */
export function readManifests(source: ManifestFolder, knownHash?: string): Manifests | undefined {
  const texts = readFolder(source);
  const hash = manifestHash(texts.flat());
  if (hash === knownHash) return undefined;
  const kinds = manifestKinds[source.plugin] ?? {};
  const objects = new Map<string, KubeObject[]>(Object.keys(kinds).map((kind) => [kind, []]));
  for (const [file, text] of texts)
    for (const document of documentsOf(file, text)) {
      const object = readObject(source, file, document);
      const members = objects.get(object.kind ?? '') ?? [];
      const { name = '' } = object.metadata;
      if (members.some(({ metadata }) => metadata.name === name))
        throw new ManifestError(`duplicate name ${JSON.stringify(name)} found in file ${file}`);
      members.push(object);
    }
  assertBindings(objects);
  return { objects, hash };
}

function readFolder({ folder, files }: ManifestFolder): [file: string, text: string][] {
  const names = listFolder(files, folder);
  const wanted = names.filter((name) => /\.(?:ya?ml|json)$/i.test(name)).toSorted();
  let bytes = 0;
  return wanted.map((name) => {
    const file = join(folder, name);
    const text = readFile(files, file);
    bytes += Buffer.byteLength(text);
    if (bytes > folderBytesMax)
      throw new ManifestError(`${folder} holds more than ${folderBytesMax} bytes`);
    return [file, text];
  });
}

function listFolder(files: ConfigurationFiles, folder: string): readonly string[] {
  const invalid = (why: string) =>
    renderFieldError(fieldError.invalid('staticManifestsDir', folder, why));
  let names: readonly string[] | undefined;
  try {
    names = files.list(folder);
  } catch (cause) {
    throw new ManifestError(invalid(`unable to read: ${messageOf(cause)}`), { cause });
  }
  if (names === undefined) throw new ManifestError(invalid('must be a directory'));
  return names;
}

function readFile(files: ConfigurationFiles, file: string): string {
  try {
    return files.read(file);
  } catch (cause) {
    throw new ManifestError(`failed to read ${file}: ${messageOf(cause)}`, { cause });
  }
}

/** Empty documents are left out, lists are taken apart. */
function documentsOf(file: string, text: string): JsonObject[] {
  const parts = file.toLowerCase().endsWith('.json') ? [text] : text.split(/^---[ \t]*\r?$/m);
  return parts.flatMap((part): JsonObject[] => {
    if (part.trim() === '') return [];
    const { value, duplicateKeys } = parsed(file, part);
    if (value === null) return [];
    if (duplicateKeys !== undefined) throw new ManifestError(`${file}: ${duplicateKeys}`);
    if (!isJsonObject(value)) throw new ManifestError(`${file}: a document is no object`);
    if (value['apiVersion'] !== 'v1' || value['kind'] !== 'List') return [value];
    const items = Array.isArray(value['items']) ? value['items'] : [];
    if (!items.every(isJsonObject)) throw new ManifestError(`${file}: an item is no object`);
    return items;
  });
}

function parsed(file: string, text: string): ReturnType<typeof parseYaml> {
  try {
    return parseYaml(text);
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new ManifestError(`${file}: ${cause.message}`, { cause });
  }
}

const gv = { group: 'admissionregistration.k8s.io', version: 'v1' };

function readObject(source: ManifestFolder, file: string, document: JsonObject): KubeObject {
  const { plugin, features, nowMs } = source;
  const kind = String(document['kind'] ?? '');
  const resource = manifestKinds[plugin]?.[kind];
  const type = typeForKind({ ...gv, kind });
  if (document['apiVersion'] !== formatApiVersion(gv) || resource === undefined || !type) {
    const shown = `${String(document['apiVersion'] ?? '')}, Kind=${kind}`;
    throw new ManifestError(`${file}: ${shown} is not supported by ${plugin}`);
  }
  const object = decoded(file, document, type);
  const strategy = createAdmissionregistrationStrategies(expressionsOf(features).checker)[resource];
  const context: StrategyContext = {
    user: { name: '', uid: '', groups: [], extra: {} },
    nowMs,
    features: withoutReservation(features),
    dryRun: false,
  };
  strategy?.applyDefaults?.(object, features);
  strategy?.prepareForCreate?.(object, context);
  const definition = { ...gv, resource, kind, namespaced: false } as unknown as ResourceDefinition;
  const errors = [
    ...(strategy ? validateObjectMeta(object.metadata, definition, strategy) : []),
    ...nameErrors(object),
    ...(strategy?.validate?.(object, context) ?? []),
    ...independenceErrors(object),
  ];
  if (errors.length === 0) return object;
  const name = object.metadata.name ?? '';
  const texts = errors.map(renderFieldError).join(', ');
  throw new ManifestError(`${file}: ${kind} ${JSON.stringify(name)} is invalid: ${texts}`);
}

/** The reserved names are meant for these very objects. */
function withoutReservation(features: Features): Features {
  const enabled = (gate: string) => gate !== manifestsGate && features.enabled(gate);
  return { emulated: features.emulated, enabled };
}

function decoded(
  file: string,
  document: JsonObject,
  type: Parameters<typeof decodeValue>[1],
): KubeObject {
  try {
    const { value, strictErrors } = decodeValue(document, type, { strict: true });
    if (strictErrors.length > 0)
      throw new ManifestError(`${file}: strict decoding error: ${strictErrors.join(', ')}`);
    const object = asKind<KubeObject>(value as unknown as KubeObject);
    object.metadata ??= {};
    return object;
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new ManifestError(`${file}: ${cause.message}`, { cause });
  }
}

function nameErrors({ metadata: { name = '' } }: KubeObject): FieldError[] {
  if (name.endsWith(staticSuffix)) return [];
  const why = `must have the suffix ${JSON.stringify(staticSuffix)}`;
  return [fieldError.invalid('metadata.name', name, why)];
}

interface Written {
  readonly webhooks?: readonly { readonly clientConfig?: { readonly service?: object } }[];
  readonly spec?: {
    readonly paramKind?: object;
    readonly paramRef?: object;
    readonly policyName?: string;
  };
}

function independenceErrors(object: KubeObject): FieldError[] {
  const { webhooks = [], spec = {} } = object as unknown as Written;
  const errors = webhooks.flatMap(({ clientConfig }, i) =>
    clientConfig?.service === undefined
      ? []
      : [
          fieldError.forbidden(
            `webhooks[${i}].clientConfig.service`,
            'clientConfig.service is not supported for static manifests; use clientConfig.url instead',
          ),
        ],
  );
  for (const field of ['paramKind', 'paramRef'] as const)
    if (spec[field] !== undefined)
      errors.push(
        fieldError.forbidden(`spec.${field}`, `${field} is not supported for static manifests`),
      );
  const { policyName } = spec;
  if (policyName !== undefined && !policyName.endsWith(staticSuffix)) {
    const why = `must have the suffix ${JSON.stringify(staticSuffix)}`;
    errors.push(fieldError.invalid('spec.policyName', policyName, why));
  }
  return errors;
}

/** A binding without its policy would silently do nothing. */
function assertBindings(objects: ManifestObjects): void {
  for (const [kind, bindings] of objects) {
    if (!kind.endsWith('Binding')) continue;
    const policies = objects.get(kind.slice(0, -'Binding'.length)) ?? [];
    for (const binding of bindings) {
      const { policyName = '' } = (binding as unknown as Written).spec ?? {};
      if (policies.some(({ metadata }) => metadata.name === policyName)) continue;
      const name = JSON.stringify(binding.metadata.name);
      throw new ManifestError(
        `binding ${name} references policy ${JSON.stringify(policyName)} which does not exist in the manifest directory`,
      );
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
