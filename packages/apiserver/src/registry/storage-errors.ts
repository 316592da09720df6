// The one place where storage errors become API errors (k8s.io/apiserver
// registry/generic/registry/storage_factory and storage/errors/interpret). Everything that is not a
// StorageError passes through.

import { statusErrors, StatusError, type GroupResource } from '@keelson/apimachinery';
import { isStorageError } from '../storage/storage.ts';

// COMPAT: the text that client-go's retry helpers show to people.
export const optimisticLockMessage =
  'the object has been modified; please apply your changes to the latest version and try again';

export function interpretStorageError(
  error: unknown,
  resource: GroupResource,
  name: string,
): unknown {
  if (!isStorageError(error)) return error;
  switch (error.code) {
    case 'key-not-found':
      return statusErrors.notFound(resource, name);
    case 'key-exists':
      return statusErrors.alreadyExists(resource, name);
    case 'revision-conflict':
    case 'uid-conflict':
      return statusErrors.conflict(resource, name, optimisticLockMessage);
    case 'compacted':
      return statusErrors.expired('The resourceVersion for the provided list is too old.');
    case 'future-revision':
      return futureRevision(error.message);
    case 'no-space':
      return statusErrors.generic(
        507,
        'InsufficientStorage',
        `the storage is full: ${error.message}`,
      );
    case 'corrupt':
    case 'failed':
    case 'closed':
      return statusErrors.serviceUnavailable(`the storage cannot be used: ${error.message}`);
  }
}

/** For requests that come while the server stops: where they meet the closed storage is chance. */
export function interpretClosedStorage(error: unknown): unknown {
  return isStorageError(error, 'closed')
    ? statusErrors.serviceUnavailable('the server is being stopped')
    : error;
}

export function tooLargeResourceVersion(wanted: string, current: number): StatusError {
  return statusErrors.generic(
    504,
    'Timeout',
    `Timeout: Too large resource version: ${wanted}, current: ${current}`,
    {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  );
}
function futureRevision(message: string): StatusError {
  return statusErrors.generic(504, 'Timeout', `Timeout: ${message}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

/**
 * COMPAT: the text of a precondition that etcd's store found unmet. `key` is where the object lies.
 */
export function preconditionConflict(
  resource: GroupResource,
  name: string,
  failed: { key: string; field: 'UID' | 'ResourceVersion'; expected: string; actual: string },
): StatusError {
  const { key, field, expected, actual } = failed;
  return statusErrors.conflict(
    resource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ` +
      `Precondition failed: ${field} in precondition: ${expected}, ${field} in object meta: ${actual}`,
  );
}

/** An error that Kubernetes answers as a bare 500 with its text and no reason. */
export function plainError(message: string): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    code: 500,
  });
}
