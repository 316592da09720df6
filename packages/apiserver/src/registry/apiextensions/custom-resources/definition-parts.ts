// What the parts of custom resources read from a definition.

import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import type { JsonSchema } from '../schema/json-schema.ts';

export type { CustomResourceDefinition, CustomResourceDefinitionVersion };

/** A version of a definition by name. */
export function versionOf(
  crd: CustomResourceDefinition,
  name: string,
): CustomResourceDefinitionVersion | undefined {
  return crd.spec.versions?.find((version) => version.name === name);
}

/** The version that objects are stored in; validation makes sure that there is exactly one. */
export function storageVersionOf(crd: CustomResourceDefinition): string {
  return crd.spec.versions?.find((version) => version.storage)?.name ?? '';
}

export function schemaOf(version: CustomResourceDefinitionVersion): JsonSchema {
  return version.schema?.openAPIV3Schema ?? {};
}

export function hasStatusSubresource(version: CustomResourceDefinitionVersion): boolean {
  return version.subresources?.status !== undefined;
}
