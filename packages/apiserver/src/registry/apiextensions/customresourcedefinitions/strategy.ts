// CustomResourceDefinitions: defaults, stored versions, validation, warnings, deletion.

import { copyJson, formatTime, type KubeObject } from '@keelson/apimachinery';
import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import type { Strategy } from '../../strategy.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { normalizeSchemas } from './schema-normalization.ts';
import { isSupportedFormat } from '../schema/formats.ts';
import { someSchema, type JsonSchema } from '../schema/json-schema.ts';
import { setCondition } from './conditions.ts';
import {
  statusErrors,
  validateDefinition,
  validateDefinitionUpdate,
  type DefinitionValidationOptions,
} from './validation.ts';

/** While it is there, the definition waits for its objects to be removed. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

const servicePort = 443;

export function createCustomResourceDefinitionStrategy(
  options: DefinitionValidationOptions = {},
): Strategy<CustomResourceDefinition & KubeObject> {
  return {
    applyDefaults,
    prepareForCreate(crd) {
      crd.status = emptyStatus();
      crd.metadata.generation = 1;
      rememberStorageVersion(crd);
    },
    prepareForUpdate(crd, old) {
      crd.status = copyJson(old.status) ?? emptyStatus();
      if (!isSemanticallyEqual(crd.spec, old.spec)) {
        crd.metadata.generation = Number(old.metadata.generation ?? 0) + 1;
      }
      rememberStorageVersion(crd);
    },
    validate: (crd) => validateDefinition(crd, options),
    validateUpdate: (crd, old) => validateDefinitionUpdate(crd, old, options),
    warningsOnCreate: formatWarnings,
    warningsOnUpdate: formatWarnings,
    allowUnconditionalUpdate: false,
    returnDeletedObject: true,
    isFinalized,
    markTerminating,
    allowsBareFinalizers: true,
    tableCells: (crd) => [crd.metadata.name, crd.metadata.creationTimestamp],
    resetFields: [['status']],
    subresources: {
      status: {
        prepareForUpdate(crd, old) {
          crd.spec = copyJson(old.spec);
        },
        validateUpdate: (crd) => statusErrors(crd),
        resetFields: [['metadata'], ['spec']],
      },
    },
  };
}

function emptyStatus(): NonNullable<CustomResourceDefinition['status']> {
  return { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: null };
}

function applyDefaults(crd: CustomResourceDefinition): void {
  const { spec } = crd;
  const { names } = spec;
  if (!names.singular && names.kind) names.singular = names.kind.toLowerCase();
  if (!names.listKind && names.kind) names.listKind = `${names.kind}List`;
  spec.conversion ??= { strategy: 'None' };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service) service.port ??= servicePort;
  for (const version of spec.versions ?? []) normalizeSchemas(version.schema?.openAPIV3Schema);
  const stored = crd.status?.storedVersions ?? [];
  if (stored.length === 0) rememberStorageVersion(crd);
}

/** Objects may be stored in every version that ever was the storage version. */
function rememberStorageVersion(crd: CustomResourceDefinition): void {
  const name = crd.spec.versions?.find((version) => version.storage)?.name;
  if (name === undefined) return;
  crd.status ??= emptyStatus();
  const stored = crd.status.storedVersions ?? [];
  if (!stored.includes(name)) crd.status.storedVersions = [...stored, name];
}

/** Formats of texts that this server does not know are ignored; say so. */
function formatWarnings(crd: CustomResourceDefinition): string[] {
  const unknown = new Set<string>();
  const collect = (schema: JsonSchema): boolean => {
    const { type, format = '' } = schema;
    if (type === 'string' && format !== '' && !isSupportedFormat(format)) unknown.add(format);
    return false;
  };
  for (const version of crd.spec.versions ?? []) {
    someSchema(version.schema?.openAPIV3Schema, collect);
  }
  return [...unknown].map((format) => `unrecognized format ${JSON.stringify(format)}`);
}

/** Somebody else removes the objects first, and then the finalizer. */
function isFinalized({ metadata }: CustomResourceDefinition): boolean {
  if (metadata.deletionTimestamp === undefined) return false;
  return !(metadata.finalizers ?? []).includes(cleanupFinalizer);
}

function markTerminating(crd: CustomResourceDefinition): void {
  const { metadata } = crd;
  const finalizers = metadata.finalizers ?? [];
  if (!finalizers.includes(cleanupFinalizer))
    metadata.finalizers = [...finalizers, cleanupFinalizer];
  const deletedAt = metadata.deletionTimestamp ?? formatTime(0);
  setCondition(
    crd,
    {
      type: 'Terminating',
      status: 'True',
      reason: 'InstanceDeletionPending',
      message:
        'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    },
    Date.parse(deletedAt),
  );
}
