// How the containers of a pod resolve names: DNS settings and lines of /etc/hosts.

import { fieldError } from '@keelson/apimachinery';
import type { HostAlias, PodSpec } from '@keelson/apimachinery/types/core.v1';
import { conforms, required, requiredOneOf, type Errors } from '../../validation/checks.ts';
import { dns1123Subdomain, dns1123SubdomainWithUnderscore } from '../../validation/names.ts';
import { legacyIp, strictIp } from '../../validation/networks.ts';
import type { PodSpecScope } from './scope.ts';

type ResolutionScope = Pick<PodSpecScope, 'options'>;

/** What resolvers of the C library can take. */
const nameserversMax = 3;
const searchesMax = 32;
const searchCharactersMax = 2048;

export function dnsPolicy(errors: Errors, path: string, policy: string | undefined): void {
  const supported = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
  requiredOneOf(errors, path, policy, supported);
}

export function dnsConfig(
  errors: Errors,
  path: string,
  spec: PodSpec,
  scope: ResolutionScope,
): void {
  const config = spec.dnsConfig;
  const { nameservers = [], searches = [], options = [] } = config ?? {};
  if (spec.dnsPolicy === 'None') {
    if (!config) {
      const why = 'must provide `dnsConfig` when `dnsPolicy` is None';
      errors.push(fieldError.required(path, why));
      return;
    }
    if (nameservers.length === 0) {
      const why = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
      errors.push(fieldError.required(`${path}.nameservers`, why));
      return;
    }
  }
  if (!config) return;
  if (nameservers.length > nameserversMax) {
    const why = `must not have more than ${nameserversMax} nameservers`;
    errors.push(fieldError.invalid(`${path}.nameservers`, nameservers, why));
  }
  nameservers.forEach((ip, i) => address(errors, `${path}.nameservers[${i}]`, ip, scope));
  searchList(errors, `${path}.searches`, searches, scope);
  options.forEach((option, i) => {
    required(errors, `${path}.options[${i}]`, option.name, 'must not be empty');
  });
}

function searchList(
  errors: Errors,
  path: string,
  searches: readonly string[],
  scope: ResolutionScope,
): void {
  if (searches.length > searchesMax) {
    const why = `must not have more than ${searchesMax} search paths`;
    errors.push(fieldError.invalid(path, searches, why));
  }
  if (Buffer.byteLength(searches.join(' ')) > searchCharactersMax) {
    const why = `must not have more than ${searchCharactersMax} characters (including spaces) in the search list`;
    errors.push(fieldError.invalid(path, searches, why));
  }
  const relaxed = scope.options.allowRelaxedDnsSearches;
  searches.forEach((search, i) => {
    if (relaxed && search === '.') return;
    const rule = relaxed ? dns1123SubdomainWithUnderscore : dns1123Subdomain;
    conforms(errors, `${path}[${i}]`, search.replace(/\.$/, ''), rule);
  });
}

export function hostAliases(
  errors: Errors,
  path: string,
  aliases: readonly HostAlias[] | undefined,
  scope: ResolutionScope,
): void {
  aliases?.forEach((alias, i) => {
    address(errors, `${path}[${i}].ip`, alias.ip, scope);
    alias.hostnames?.forEach((name, j) => {
      conforms(errors, `${path}[${i}].hostnames[${j}]`, name, dns1123Subdomain);
    });
  });
}

function address(errors: Errors, path: string, ip: string, { options }: ResolutionScope): void {
  const strict = options.strictAddresses && !options.oldAddresses.has(ip);
  (strict ? strictIp : legacyIp)(errors, path, ip);
}
