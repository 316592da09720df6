// Whose a compute resource is: Kubernetes' own, a vendor's, or one that stands for a class of
// devices (KEP-5004).

import { qualifiedNameProblems } from '../selectors/label-syntax.ts';

/** What follows is the name of a DeviceClass; containers ask for its devices by this name. */
export const deviceClassPrefix = 'deviceclass.resource.kubernetes.io/';

/** A resource that Kubernetes itself defines. */
export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

/** `vendor.domain/resource`, counted in whole units. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith('requests.')) return false;
  return qualifiedNameProblems(`requests.${name}`).length === 0;
}

/** A resource that containers ask for and nodes, or classes of devices, offer beyond the usual. */
export function isExtendedRequest(name: string): boolean {
  return name.startsWith(deviceClassPrefix) || isExtendedResource(name);
}
