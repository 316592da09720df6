// Why a write was refused, as far as a controller acts on it.

import { isStatusError } from '@keelson/apimachinery';

/** The namespace is on its way out: there is nothing more to do in it. */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    isStatusError(error) &&
    (error.status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') ??
      false)
  );
}

/** The namespace has gone already, or never was. */
export function isNamespaceMissing(error: unknown): boolean {
  return isStatusError(error, 'NotFound') && error.status.details?.kind === 'namespaces';
}
