// The endpoints of one definition: one for each served version. An endpoint works in its own
// version throughout (schema, validation, admission, field management); its storage converts.

import {
  asJson,
  asKubeObject,
  builtinType,
  createFieldManager,
  decodeValue,
  encodeJsonText,
  isConditionTrue,
  parseApiVersion,
  type FieldManager,
  type FieldVersions,
  type JsonObject,
  type KubeObject,
  type StructType,
  copyJson,
} from '@keelson/apimachinery';
import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import type { ResourceEndpoint } from '../resource-endpoint.ts';
import type { StoreDependencies, StoreScope } from '../store-types.ts';
import { createConvertedStorage } from './conversion/converted-storage.ts';
import { conversionResult } from './conversion/pending-conversion.ts';
import { createConversion, createServedForm } from './conversion/served-form.ts';
import { createWebhookConversion, type Conversion } from './conversion/webhook-conversion.ts';
import type { WebhookConversionOptions } from './conversion/webhook-conversion.ts';
import { publishedSchemas, type PublishedResource } from './custom-resources/published-schema.ts';
import {
  createCustomResource,
  type CustomResource,
  type CustomResourceOptions,
  type CustomResourceVersion,
} from './custom-resources/custom-resource.ts';

export interface CustomResourceEndpointOptions {
  readonly dependencies: StoreDependencies;
  readonly webhooks: WebhookConversionOptions;
  readonly resources: CustomResourceOptions;
}

/** What reading definitions needs of the schema of metadata. */
export function metadataParts(): CustomResourceOptions {
  const objectMeta = builtinType('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  if (objectMeta === undefined) throw new Error('the schema of ObjectMeta is missing');
  return {
    objectMeta,
    decodeMetadata(value) {
      const { value: metadata, strictErrors } = decodeValue(value, objectMeta, { strict: true });
      return {
        metadata,
        unknownFields: strictErrors.map((text) => /"(.*)"/.exec(text)?.[1] ?? text),
      };
    },
  };
}

/** `retired` is aborted when these endpoints are replaced; their watches end then. */
export function createCustomResourceEndpoints(
  definition: CustomResourceDefinition,
  options: CustomResourceEndpointOptions,
  retired: AbortSignal,
): ResourceEndpoint[] {
  const crd = underAcceptedNames(definition);
  const resource = createCustomResource(crd, options.resources);
  const isWebhook = crd.spec.conversion?.strategy === 'Webhook';
  const webhook = isWebhook ? createWebhookConversion(crd, options.webhooks) : undefined;
  const origin = originOf(definition);
  const parts = { crd, resource, webhook, options, origin, retired };
  const convert = createConversion(parts);
  return [...resource.versions].map(([version, served]) =>
    endpointOf({ ...parts, convert, version, served }),
  );
}

/** Of a definition: equal as long as its endpoints need not be made anew. */
export function originOf({ metadata, status }: CustomResourceDefinition): string {
  const { uid, generation } = metadata;
  const { acceptedNames, storedVersions, conditions } = status ?? {};
  const isTerminating = isConditionTrue(conditions, 'Terminating');
  return JSON.stringify([uid, String(generation), acceptedNames, storedVersions, isTerminating]);
}

/** A name that was asked for but not given does not count. */
function underAcceptedNames(crd: CustomResourceDefinition): CustomResourceDefinition {
  const names = crd.status?.acceptedNames;
  return names === undefined ? crd : { ...crd, spec: { ...crd.spec, names } };
}

/** One served version of a definition. */
interface Served {
  readonly crd: CustomResourceDefinition;
  readonly resource: CustomResource;
  readonly webhook: Conversion | undefined;
  readonly convert: Conversion;
  readonly options: CustomResourceEndpointOptions;
  readonly version: string;
  readonly served: CustomResourceVersion;
  readonly origin: string;
  readonly retired: AbortSignal;
}

function endpointOf(parts: Served): ResourceEndpoint {
  const { served } = parts;
  const scope = scopeOf(parts);
  let manager: FieldManager | undefined;
  return {
    get definition() {
      return served.definition;
    },
    get strategy() {
      return served.strategy;
    },
    scope,
    custom: true,
    get fieldManager() {
      return (manager ??= createFieldManager({
        type: served.definition.type,
        clock: parts.options.dependencies.clock,
        versions: fieldVersionsOf(parts),
      }));
    },
    ...(served.deprecationWarning === undefined
      ? {}
      : { deprecationWarning: served.deprecationWarning }),
    listKind: listKindOf(parts.crd),
    origin: parts.origin,
    publishedSchemas: (openApi) => publishedSchemas(publishedOf(parts), openApi),
    subresourceCreates: new Map(),
    projections: served.scale === undefined ? new Map() : new Map([['scale', served.scale]]),
    connects: new Map(),
    customDecode(object) {
      const copy = copyJson(asJson(object));
      const unknownFields = served
        .coerce(copy)
        .map((path) => `unknown field ${JSON.stringify(path)}`);
      return { object: asKubeObject(copy), unknownFields };
    },
  };
}

function scopeOf(parts: Served): StoreScope {
  const { crd, resource, convert, options, version, served, retired } = parts;
  const storedType = (): StructType =>
    (resource.versions.get(resource.storageVersion) ?? served).definition.type;
  const form = createServedForm(parts, convert, { version, storedType, retired });
  return {
    ...options.dependencies,
    storage: createConvertedStorage(options.dependencies.storage, form),
    get definition() {
      return served.definition;
    },
    get strategy() {
      return served.strategy;
    },
    keyPrefix: `/registry/${crd.spec.group}/${crd.spec.names.plural}`,
  };
}

function listKindOf({ spec }: CustomResourceDefinition): string {
  return spec.names.listKind || `${spec.names.kind}List`;
}

function publishedOf({ crd, version, served }: Served): PublishedResource {
  const { group, names, versions, preserveUnknownFields = false } = crd.spec;
  const listKind = listKindOf(crd);
  const typeName = served.definition.type.name;
  const source = versions?.find(({ name }) => name === version);
  return {
    group,
    version,
    kind: names.kind,
    listKind,
    plural: names.plural,
    typeName,
    listTypeName: `${typeName.slice(0, typeName.lastIndexOf('.'))}.${listKind}`,
    schema: source?.schema?.openAPIV3Schema as JsonObject | undefined,
    preserveUnknownFields,
  };
}

/** Managers may have named their fields in any served version. */
function fieldVersionsOf({ crd, resource, webhook, convert }: Served): FieldVersions {
  const { group } = crd.spec;
  const versionIn = (apiVersion: string) => {
    const parsed = parseApiVersion(apiVersion);
    const version = parsed?.group === group ? parsed.version : '';
    return resource.versions.get(version);
  };
  return {
    has: (apiVersion) => versionIn(apiVersion) !== undefined,
    typeOf: (apiVersion) => versionIn(apiVersion)?.definition.type,
    convert(object: KubeObject, _from: string, to: string) {
      if (webhook === undefined) return { ...object, apiVersion: to };
      // Field management leaves out what nobody owns, which may be all of the metadata.
      const sent = asJson({ ...object, metadata: asJson(object)['metadata'] ?? {} } as KubeObject);
      return conversionResult(`${to} ${encodeJsonText(sent)}`, async () => {
        const [converted = sent] = await convert([sent], to);
        return asKubeObject(converted);
      });
    },
  };
}
