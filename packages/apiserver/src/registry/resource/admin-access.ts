// Access to devices for administration (KEP-5018): a request with `adminAccess` gets devices that others
// use, so claims and templates of claims may ask for it only in namespaces that an administrator has
// labelled `resource.kubernetes.io/admin-access: "true"`. Before the gate the field means nothing and
// is dropped.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type { DeviceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Features } from '../../features/features.ts';
import type { ObjectSource } from '../../object-source.ts';

const label = 'resource.kubernetes.io/admin-access';

/** Errors of a new claim in the namespace. */
export type AdminAccessRule = (
  claim: DeviceClaim | undefined,
  namespace: string | undefined,
) => FieldError[];

export function createAdminAccessRule(namespaces: Pick<ObjectSource, 'get'>): AdminAccessRule {
  return (claim, namespace = '') => {
    if (!asksForAdminAccess(claim)) return [];
    // A namespace that is not there has no labels.
    if (namespaces.get('', namespace)?.metadata.labels?.[label] === 'true') return [];
    const why = `admin access to devices requires the \`${label}: true\` label on the containing namespace`;
    // COMPAT: about no field.
    return [fieldError.forbidden('', why)];
  };
}

export function dropAdminAccess(claim: DeviceClaim | undefined, features: Features): void {
  if (features.enabled('DRAAdminAccess')) return;
  for (const { exactly } of claim?.requests ?? []) delete exactly?.adminAccess;
}

function asksForAdminAccess(claim: DeviceClaim | undefined): boolean {
  return (claim?.requests ?? []).some(({ exactly }) => exactly?.adminAccess === true);
}
