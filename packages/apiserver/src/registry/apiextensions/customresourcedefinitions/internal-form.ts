// Definitions as the real server validates them: what all versions have in common is lifted to the
// top of the spec, where findings then name it (`spec.validation.openAPIV3Schema …`).

import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  CustomResourceValidation,
  SelectableField,
} from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import { isSemanticallyEqual } from '../../validation/equality.ts';

/** The parts that a version may share with the others. */
export interface VersionParts {
  readonly schema: CustomResourceValidation | undefined;
  readonly subresources: CustomResourceSubresources | undefined;
  readonly columns: readonly CustomResourceColumnDefinition[];
  readonly selectableFields: readonly SelectableField[];
}

export interface InternalVersion extends VersionParts {
  readonly source: CustomResourceDefinitionVersion;
}

export interface InternalSpec extends VersionParts {
  readonly source: CustomResourceDefinitionSpec;
  readonly versions: readonly InternalVersion[];
}

/** Lifts each part that is the same in all versions, and leaves it out of the versions. */
export function internalSpec(crd: CustomResourceDefinition): InternalSpec {
  const source = crd.spec;
  const versions = source.versions ?? [];
  const [first] = versions;
  const same = (part: (version: CustomResourceDefinitionVersion) => unknown) =>
    first !== undefined && versions.every((v) => isSemanticallyEqual(part(v), part(first)));
  const schema = same((v) => v.schema);
  const subresources = same((v) => v.subresources);
  const columns = same((v) => v.additionalPrinterColumns);
  const fields = same((v) => v.selectableFields);
  const take = (version: CustomResourceDefinitionVersion | undefined, lifted: boolean) => ({
    schema: schema === lifted ? version?.schema : undefined,
    subresources: subresources === lifted ? version?.subresources : undefined,
    columns: (columns === lifted ? version?.additionalPrinterColumns : undefined) ?? [],
    selectableFields: (fields === lifted ? version?.selectableFields : undefined) ?? [],
  });
  return {
    source,
    ...take(first, true),
    versions: versions.map((version) => ({ source: version, ...take(version, false) })),
  };
}

/** The subresources of a version, wherever they stand. */
export function subresourcesOf(
  spec: InternalSpec,
  version: InternalVersion,
): CustomResourceSubresources | undefined {
  const perVersion = spec.versions.some((v) => v.subresources !== undefined);
  return perVersion ? version.subresources : spec.subresources;
}
