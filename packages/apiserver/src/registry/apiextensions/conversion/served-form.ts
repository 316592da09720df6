// How objects of one definition get from version to version: by its webhook, or by being called
// another version. Whatever comes out of a conversion is pruned by the schema of its version.

import {
  asJson,
  asKubeObject,
  formatApiVersion,
  isStatusError,
  orderFields,
  parseApiVersion,
  type JsonObject,
  type KubeObject,
  type StructType,
} from '@keelson/apimachinery';
import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import { plainError } from '../../storage-errors.ts';
import type { CustomResource } from '../custom-resources/custom-resource.ts';
import type { ServedForm } from './converted-storage.ts';
import { unknownVersion, type Conversion } from './webhook-conversion.ts';

export interface ConversionParts {
  readonly crd: CustomResourceDefinition;
  readonly resource: CustomResource;
  /** Absent: strategy `None`. */
  readonly webhook: Conversion | undefined;
}

/** Between any two versions of a definition. Throws what a client is told. */
export function createConversion({ crd, resource, webhook }: ConversionParts): Conversion {
  const { group } = crd.spec;
  return async (objects, toApiVersion) => {
    const to = versionOf(toApiVersion);
    for (const object of objects) {
      const from = versionOf(String(object['apiVersion'] ?? ''));
      if (!resource.has(from)) throw plainError(unknownVersion(group, from).message);
    }
    if (webhook === undefined) return objects.map((object) => resource.convert(object, to));
    const converted = await told(webhook(objects, toApiVersion));
    converted.forEach((object, i) => {
      if (object !== objects[i]) resource.prune(object, to);
    });
    return converted;
  };
}

/** COMPAT: a failed conversion is answered as a bare 500 with its text. */
async function told<T>(conversion: Promise<T>): Promise<T> {
  try {
    return await conversion;
  } catch (error) {
    if (isStatusError(error)) throw error;
    throw plainError(error instanceof Error ? error.message : String(error));
  }
}

export interface ServedVersion {
  readonly version: string;
  /** Orders the fields of what is written. */
  readonly storedType: () => StructType;
  readonly retired: AbortSignal;
}

/** One served version of a definition, as its storage needs to know it. */
export function createServedForm(
  { crd, resource }: ConversionParts,
  convert: Conversion,
  { version, storedType, retired }: ServedVersion,
): ServedForm {
  const { group } = crd.spec;
  const apiVersion = formatApiVersion({ group, version });
  const storedApiVersion = formatApiVersion({ group, version: resource.storageVersion });
  const storedVersions = crd.status?.storedVersions ?? [];
  return {
    apiVersion,
    retired,
    settledAfter: Number(crd.metadata.resourceVersion ?? 0),
    isOnlyVersion:
      crd.spec.versions?.length === 1 && storedVersions.every((stored) => stored === version),
    settle(object) {
      const root = asJson(object);
      const own = versionOf(object.apiVersion ?? '');
      if (!resource.has(own)) return;
      resource.prune(root, own);
      resource.applyDefaults(root, own);
    },
    toServed: async (objects) => (await convert(objects.map(asJson), apiVersion)).map(asKubeObject),
    async toStored(object) {
      if (storedApiVersion === apiVersion) return object;
      const [converted = {}] = await convert([withoutVersion(asJson(object))], storedApiVersion);
      return inStoredOrder(converted, storedType());
    },
  };
}

/** An object that is not stored yet has a place for its version, but none to tell others. */
function withoutVersion(object: JsonObject): JsonObject {
  const { metadata } = asKubeObject(object);
  if (metadata.resourceVersion !== '') return object;
  const { resourceVersion: _none, ...rest } = metadata;
  return asJson({ ...asKubeObject(object), metadata: rest });
}

function inStoredOrder(object: JsonObject, type: StructType): KubeObject {
  const kube = asKubeObject(object);
  const metadata = { ...kube.metadata, resourceVersion: kube.metadata.resourceVersion ?? '' };
  return asKubeObject(orderFields(asJson({ ...kube, metadata }), type) as JsonObject);
}

function versionOf(apiVersion: string): string {
  return parseApiVersion(apiVersion)?.version ?? apiVersion;
}
