// Which objects of a suite are what.

import type { JsonObject } from '@keelson/apimachinery';

const policyGroup = 'admissionregistration.k8s.io/';

/** Policies, their bindings, and webhooks: what is in force after everything else is there. */
export function isPolicyObject({ apiVersion }: JsonObject): boolean {
  return typeof apiVersion === 'string' && apiVersion.startsWith(policyGroup);
}
