// Everything that a definition adds to the server, as plain parts for the composition root: one
// entry per served version, conversion between versions, the deprecation warning.

import {
  formatApiVersion,
  type JsonObject,
  type ResourceDefinition,
  type StructType,
  type SubresourceDefinition,
  type Verb,
} from '@keelson/apimachinery';
import type { ProjectionHandler } from '../../handlers.ts';
import type { Strategy } from '../../strategy.ts';
import { coerceCustomResource, convertWithoutWebhook, type CoercionTarget } from './coercion.ts';
import { applySchemaDefaults } from './defaulting.ts';
import {
  schemaOf,
  storageVersionOf,
  versionOf,
  type CustomResourceDefinition,
  type CustomResourceDefinitionVersion,
} from './definition-parts.ts';
import type { MetadataDecoder } from './embedded-metadata.ts';
import { createPrinterTable } from './printer-columns.ts';
import { createScaleHandler } from './scale.ts';
import type { SchemaRuleCompiler } from './schema-rules.ts';
import { createSelectableFields } from './selectable-fields.ts';
import { createCustomResourceStrategy } from './strategy.ts';
import { structuralType } from './structural-type.ts';

export interface CustomResourceOptions {
  /** Descriptor of ObjectMeta, for the `metadata` of every resource. */
  readonly objectMeta: StructType;
  readonly decodeMetadata: MetadataDecoder;
  readonly rules?: SchemaRuleCompiler;
}

export interface CustomResourceVersion {
  readonly definition: ResourceDefinition;
  readonly strategy: Strategy;
  /** `/scale`, when the version has it. */
  readonly scale: ProjectionHandler | undefined;
  /** Sent with every answer of a deprecated version. */
  readonly deprecationWarning: string | undefined;
  /**
   * Must run on every body after parsing, and again on the result of a patch, before
   * `applyDefaults`. Changes the object in place and returns the paths of unknown fields; throws a
   * 400 for unreadable metadata.
   */
  coerce(object: JsonObject): string[];
}

export interface CustomResource {
  readonly storageVersion: string;
  /** The versions that are served. */
  readonly versions: ReadonlyMap<string, CustomResourceVersion>;
  /** Whether there is such a version, served or not. */
  has(version: string): boolean;
  /** Conversion with strategy `None`; a copy. Webhook conversion is the caller's. */
  convert(object: JsonObject, version: string): JsonObject;
  /** Drops what the schema of the version does not have, in place; any version. */
  prune(object: JsonObject, version: string): void;
  /** Adds the defaults of the schema of the version, in place; any version. */
  applyDefaults(object: JsonObject, version: string): void;
}

/**
 * Parts are made when they are asked for: a definition without objects costs its JSON and little
 * more.
 */
export function createCustomResource(
  crd: CustomResourceDefinition,
  options: CustomResourceOptions,
): CustomResource {
  const versions = new Map<string, CustomResourceVersion>();
  for (const version of crd.spec.versions ?? []) {
    if (version.served) versions.set(version.name, createVersion(crd, version, options));
  }
  const required = (name: string) => {
    const version = versionOf(crd, name);
    if (!version) throw new Error(`${crd.metadata.name} has no version ${name}`);
    return version;
  };
  return {
    storageVersion: storageVersionOf(crd),
    versions,
    has: (name) => versionOf(crd, name) !== undefined,
    convert: (object, name) =>
      convertWithoutWebhook(object, coercionTarget(crd, required(name), options)),
    prune: (object, name) =>
      void coerceCustomResource(object, coercionTarget(crd, required(name), options)),
    applyDefaults: (object, name) => applySchemaDefaults(object, schemaOf(required(name))),
  };
}

function createVersion(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  options: CustomResourceOptions,
): CustomResourceVersion {
  const scale = version.subresources?.scale;
  let definition: ResourceDefinition | undefined;
  let strategy: Strategy | undefined;
  return {
    get definition() {
      return (definition ??= createDefinition(crd, version, options.objectMeta));
    },
    get strategy() {
      return (strategy ??= createCustomResourceStrategy(crd, version, options));
    },
    scale: scale && createScaleHandler(crd, scale),
    deprecationWarning: deprecationWarningOf(crd, version),
    coerce: (object) => coerceCustomResource(object, coercionTarget(crd, version, options)),
  };
}

function coercionTarget(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  { decodeMetadata }: CustomResourceOptions,
): CoercionTarget {
  return {
    gvk: { group: crd.spec.group, version: version.name, kind: crd.spec.names.kind },
    schema: schemaOf(version),
    preserveUnknownFields: crd.spec.preserveUnknownFields === true,
    decodeMetadata,
  };
}

/** `example.com/v1 Thing is deprecated`, or what the definition says instead. */
function deprecationWarningOf(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
): string | undefined {
  if (version.deprecated !== true) return undefined;
  const gv = formatApiVersion({ group: crd.spec.group, version: version.name });
  return version.deprecationWarning ?? `${gv} ${crd.spec.names.kind} is deprecated`;
}

const objectVerbs: readonly Verb[] = [
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'create',
  'update',
  'watch',
];

/** The resource of one version as discovery and routing know it. Names are the accepted ones. */
function createDefinition(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  objectMeta: StructType,
): ResourceDefinition {
  const { group, scope } = crd.spec;
  const names = crd.status?.acceptedNames?.plural ? crd.status.acceptedNames : crd.spec.names;
  const kind = names.kind || crd.spec.names.kind;
  const schema = schemaOf(version);
  const namespaced = scope === 'Namespaced';
  const metaLabels = namespaced ? ['metadata.name', 'metadata.namespace'] : ['metadata.name'];
  return {
    group,
    version: version.name,
    resource: names.plural,
    kind,
    singular: names.singular ?? '',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced,
    verbs: objectVerbs,
    subresources: subresourcesOf(version, { group, version: version.name, kind }),
    storageVersion: formatApiVersion({ group, version: storageVersionOf(crd) }),
    keyPrefix: `/registry/${group}/${names.plural}`,
    fieldLabels: [
      ...metaLabels,
      ...createSelectableFields(version.selectableFields, schema).labels,
    ],
    columns: createPrinterTable(version.additionalPrinterColumns).columns,
    type: structuralType(schema, { name: typeName(crd, version.name), goName: kind, objectMeta }),
  };
}

function subresourcesOf(
  version: CustomResourceDefinitionVersion,
  gvk: { readonly group: string; readonly version: string; readonly kind: string },
): SubresourceDefinition[] {
  const verbs = ['get', 'patch', 'update'];
  const out: SubresourceDefinition[] = [];
  if (version.subresources?.status) out.push({ name: 'status', verbs, gvk });
  if (version.subresources?.scale) {
    out.push({ name: 'scale', verbs, gvk: { group: 'autoscaling', version: 'v1', kind: 'Scale' } });
  }
  return out;
}

/** `com.example.v1.Thing`: unique, and the name of the schema in OpenAPI documents. */
function typeName(crd: CustomResourceDefinition, version: string): string {
  const domain = crd.spec.group.split('.').toReversed().join('.');
  return `${domain}.${version}.${crd.spec.names.kind}`;
}
