// Environment variables of a container, literal or taken from elsewhere.

import { fieldError } from '@keelson/apimachinery';
import type {
  Container,
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  FileKeySelector,
} from '@keelson/apimachinery/types/core.v1';
import { conforms, required, type Errors } from '../../validation/checks.ts';
import {
  configMapKey,
  dns1123Subdomain,
  nameIsDns1123Subdomain,
  relaxedEnvVarName,
  strictEnvVarName,
} from '../../validation/names.ts';
import { localNonReservedPath } from '../../validation/paths.ts';
import { containerResource, envFieldPaths, objectField } from './downward-api.ts';
import type { PodSpecScope } from './scope.ts';

export function environment(
  errors: Errors,
  path: string,
  container: Pick<Container, 'env' | 'envFrom'>,
  scope: PodSpecScope,
): void {
  const nameRule = scope.options.allowRelaxedEnvVarNames ? relaxedEnvVarName : strictEnvVarName;
  container.env?.forEach((variable, i) => {
    const at = `${path}.env[${i}]`;
    if (required(errors, `${at}.name`, variable.name)) {
      conforms(errors, `${at}.name`, variable.name, nameRule);
    }
    if (variable.valueFrom) {
      valueFrom(errors, `${at}.valueFrom`, [variable, variable.valueFrom], scope);
    }
  });
  container.envFrom?.forEach((source, i) => {
    const at = `${path}.envFrom[${i}]`;
    if (source.prefix) conforms(errors, `${at}.prefix`, source.prefix, nameRule);
    envFrom(errors, `${path}.envFrom`, [source, at]);
  });
}

const oneSourceOnly = 'may not have more than one field specified at a time';

function valueFrom(
  errors: Errors,
  path: string,
  [variable, source]: readonly [EnvVar, EnvVarSource],
  scope: PodSpecScope,
): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  if (fieldRef) objectField(errors, `${path}.fieldRef`, fieldRef, envFieldPaths);
  if (resourceFieldRef) {
    const at = `${path}.resourceFieldRef`;
    containerResource(errors, at, resourceFieldRef, { needsContainer: false });
  }
  if (configMapKeyRef) keyReference(errors, `${path}.configMapKeyRef`, configMapKeyRef);
  if (secretKeyRef) keyReference(errors, `${path}.secretKeyRef`, secretKeyRef);
  if (fileKeyRef) fileReference(errors, `${path}.fileKeyRef`, fileKeyRef, scope);
  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    (ref) => ref !== undefined,
  ).length;
  if (count === 0) {
    const why =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(fieldError.invalid(path, '', why));
  } else if (variable.value) {
    errors.push(fieldError.invalid(path, '', 'may not be specified when `value` is not empty'));
  } else if (count > 1) {
    errors.push(fieldError.invalid(path, '', oneSourceOnly));
  }
}

function keyReference(
  errors: Errors,
  path: string,
  ref: { readonly name?: string; readonly key: string },
): void {
  conforms(errors, `${path}.name`, ref.name ?? '', dns1123Subdomain);
  if (required(errors, `${path}.key`, ref.key)) {
    conforms(errors, `${path}.key`, ref.key, configMapKey);
  }
}

/** A variable from a file that an init container wrote into an emptyDir (KEP-3721). */
function fileReference(
  errors: Errors,
  path: string,
  ref: FileKeySelector,
  scope: PodSpecScope,
): void {
  if (required(errors, `${path}.key`, ref.key)) {
    conforms(errors, `${path}.key`, ref.key, relaxedEnvVarName);
  }
  if (required(errors, `${path}.volumeName`, ref.volumeName)) {
    const volume = scope.volumes.get(ref.volumeName);
    if (!volume) errors.push(fieldError.notFound(`${path}.volumeName`, ref.volumeName));
    else if (!volume.emptyDir) {
      const why = 'referenced volume must be of type emptyDir';
      errors.push(fieldError.invalid(`${path}.volumeName`, ref.volumeName, why));
    }
  }
  if (required(errors, `${path}.path`, ref.path)) {
    localNonReservedPath(errors, `${path}.path`, ref.path);
  }
}

function envFrom(
  errors: Errors,
  listPath: string,
  [source, path]: readonly [EnvFromSource, string],
): void {
  const given = (['configMapRef', 'secretRef'] as const).filter((field) => source[field]);
  for (const field of given) {
    const name = source[field]?.name ?? '';
    if (!required(errors, `${path}.${field}.name`, name)) continue;
    for (const sentence of nameIsDns1123Subdomain(name, true)) {
      errors.push(fieldError.invalid(`${path}.${field}.name`, name, sentence));
    }
  }
  if (given.length === 0) {
    const why = 'must specify one of: `configMapRef` or `secretRef`';
    errors.push(fieldError.invalid(listPath, '', why));
  } else if (given.length > 1) {
    errors.push(fieldError.invalid(listPath, '', oneSourceOnly));
  }
}
