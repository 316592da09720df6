// Validation of Secrets: keys, size, and the keys that well-known types must have.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { Secret } from '@keelson/apimachinery/types/core.v1';
import { conforms, immutable } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { jsonObjectProblem } from '../../validation/json-text.ts';
import { configMapKey } from '../../validation/names.ts';

/** Bytes of all values of a Secret or a ConfigMap; what etcd takes as one value less some room. */
export const dataBytesMax = 1024 * 1024;

const serviceAccountNameAnnotation = 'kubernetes.io/service-account.name';
const immutableDetail = 'field is immutable when `immutable` is set';

export function validateSecret(secret: Secret): FieldError[] {
  const errors: FieldError[] = [];
  const data = secret.data ?? {};
  let bytes = 0;
  for (const key of Object.keys(data)) {
    conformsKey(errors, `data[${key}]`, key);
    bytes += Buffer.byteLength(data[key] ?? '', 'base64');
  }
  if (bytes > dataBytesMax) errors.push(fieldError.tooLong('data', dataBytesMax));
  checkType(errors, secret);
  return errors;
}

export function conformsKey(errors: FieldError[], path: string, key: string): void {
  conforms(errors, path, key, configMapKey);
}

function checkType(errors: FieldError[], secret: Secret): void {
  const data = secret.data ?? {};
  const requireKeys = (...keys: string[]) => {
    for (const key of keys) errors.push(fieldError.required(`data[${key}]`));
  };
  switch (secret.type) {
    case 'kubernetes.io/service-account-token':
      if (!secret.metadata.annotations?.[serviceAccountNameAnnotation]) {
        const path = `metadata.annotations[${serviceAccountNameAnnotation}]`;
        errors.push(fieldError.required(path));
      }
      break;
    case 'kubernetes.io/dockercfg':
      checkJson(errors, data, '.dockercfg');
      break;
    case 'kubernetes.io/dockerconfigjson':
      checkJson(errors, data, '.dockerconfigjson');
      break;
    case 'kubernetes.io/basic-auth':
      // Either may be missing, and both may be empty.
      if (!('username' in data) && !('password' in data)) requireKeys('username', 'password');
      break;
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) requireKeys('ssh-privatekey');
      break;
    case 'kubernetes.io/tls':
      requireKeys(...['tls.crt', 'tls.key'].filter((key) => !(key in data)));
  }
}

function checkJson(errors: FieldError[], data: Record<string, string>, key: string): void {
  const encoded = data[key];
  if (encoded === undefined) {
    errors.push(fieldError.required(`data[${key}]`));
    return;
  }
  const problem = jsonObjectProblem(Buffer.from(encoded, 'base64').toString('utf8'));
  // SECURITY: the value is a credential and must not be in the answer.
  if (problem !== undefined) {
    errors.push(fieldError.invalid(`data[${key}]`, '<secret contents redacted>', problem));
  }
}

export function validateSecretUpdate(secret: Secret, old: Secret): FieldError[] {
  const errors: FieldError[] = [];
  immutable(errors, 'type', [secret.type, old.type]);
  frozenData(errors, [secret, old], ['data']);
  return [...errors, ...validateSecret(secret)];
}

interface FreezableObject {
  readonly immutable?: boolean;
  readonly data?: Record<string, string>;
  readonly binaryData?: Record<string, string>;
}

/** `immutable: true` cannot be taken back, and freezes the data. */
export function frozenData(
  errors: FieldError[],
  [object, old]: readonly [FreezableObject, FreezableObject],
  fields: readonly ('data' | 'binaryData')[],
): void {
  if (!old.immutable) return;
  if (!object.immutable) errors.push(fieldError.forbidden('immutable', immutableDetail));
  for (const field of fields) {
    if (!isSemanticallyEqual(object[field] ?? {}, old[field] ?? {})) {
      errors.push(fieldError.forbidden(field, immutableDetail));
    }
  }
}
