// The user name of a service account, `system:serviceaccount:<namespace>:<name>`, and its groups.

import { subdomainProblems } from '@keelson/apimachinery';

const prefix = 'system:serviceaccount:';
const allServiceAccounts = 'system:serviceaccounts';
const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

export function serviceAccountUserName({ namespace, name }: ServiceAccountName): string {
  return `${prefix}${namespace}:${name}`;
}

export function serviceAccountGroups(namespace: string): string[] {
  return [allServiceAccounts, `${allServiceAccounts}:${namespace}`];
}

/** Undefined for anything that is not exactly a service account's user name. */
export function parseServiceAccountUserName(userName: string): ServiceAccountName | undefined {
  if (!userName.startsWith(prefix)) return undefined;
  const [namespace, name, ...rest] = userName.slice(prefix.length).split(':');
  if (namespace === undefined || name === undefined || rest.length > 0) return undefined;
  if (!dnsLabel.test(namespace) || subdomainProblems(name).length > 0) return undefined;
  return { namespace, name };
}
