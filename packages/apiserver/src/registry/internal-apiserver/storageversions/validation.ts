// What servers may report in the status of a StorageVersion.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type {
  ServerStorageVersion,
  StorageVersionCondition,
  StorageVersionStatus,
} from '@keelson/apimachinery/types/internal.apiserver.k8s.io.v1alpha1';
import { conforms, type Errors } from '../../validation/checks.ts';
import {
  dns1035Label,
  dns1123Subdomain,
  emptySentence,
  qualifiedName,
  regexSentence,
} from '../../validation/names.ts';

export function validateStorageVersionStatus(status: StorageVersionStatus): FieldError[] {
  const errors: Errors = [];
  const seen = new Set<string>();
  const servers = status.storageVersions ?? [];
  servers.forEach((server, i) => {
    const path = `status.storageVersions[${i}]`;
    if (seen.has(server.apiServerID))
      errors.push(fieldError.duplicate(`${path}.apiServerID`, server.apiServerID));
    seen.add(server.apiServerID);
    checkServer(errors, path, server);
  });
  checkCommonVersion(errors, 'status.commonEncodingVersion', status);
  checkConditions(errors, status.conditions ?? []);
  return errors;
}

function checkServer(errors: Errors, path: string, server: ServerStorageVersion): void {
  const { apiServerID, encodingVersion } = server;
  const decodable = server.decodableVersions ?? [];
  conforms(errors, `${path}.apiServerID`, apiServerID, dns1123Subdomain);
  checkVersion(errors, `${path}.encodingVersion`, encodingVersion);
  decodable.forEach((v, i) => checkVersion(errors, `${path}.decodableVersions[${i}]`, v));
  if (!decodable.includes(encodingVersion)) {
    const why = `decodableVersions must include encodingVersion ${encodingVersion}`;
    errors.push(fieldError.invalid(`${path}.decodableVersions`, decodable, why));
  }
  server.servedVersions?.forEach((version, i) => {
    const at = `${path}.servedVersions[${i}]`;
    checkVersion(errors, at, version);
    if (decodable.includes(version)) return;
    const why = `individual served version : ${version} must be included in decodableVersions : [${decodable.join(' ')}]`;
    errors.push(fieldError.invalid(at, version, why));
  });
}

function checkCommonVersion(errors: Errors, path: string, status: StorageVersionStatus): void {
  const versions = new Set((status.storageVersions ?? []).map((s) => s.encodingVersion));
  const [first] = versions;
  const actual = versions.size === 1 ? first : undefined;
  const told = status.commonEncodingVersion;
  if (actual === told) return;
  const why =
    actual === undefined
      ? 'should be nil if servers do not agree on the same encoding version, or if there is no server reporting the supported versions yet'
      : told === undefined
        ? `the common encoding version is ${actual}`
        : `the actual common encoding version is ${actual}`;
  errors.push(fieldError.invalid(path, told ?? null, why));
}

// COMPAT: the paths lack `conditions`.
function checkConditions(errors: Errors, conditions: readonly StorageVersionCondition[]): void {
  const places = new Map<string, number>();
  conditions.forEach(({ type, status, reason, message }, i) => {
    const path = `status[${i}]`;
    const before = places.get(type);
    if (before !== undefined) {
      const why = `the type of the condition is not unique, it also appears in conditions[${before}]`;
      errors.push(fieldError.invalid(`${path}.type`, type, why));
    }
    places.set(type, i);
    conforms(errors, `${path}.type`, type, qualifiedName);
    conforms(errors, `${path}.status`, status, qualifiedName);
    if (!reason) errors.push(fieldError.required(`${path}.reason`, 'reason cannot be empty'));
    if (!message) errors.push(fieldError.required(`${path}.message`, 'message cannot be empty'));
  });
}

function checkVersion(errors: Errors, path: string, text: string): void {
  const sentences = apiVersionRule(text);
  if (sentences.length > 0) errors.push(fieldError.invalid(path, text, sentences.join(',')));
}

const labelFormat = '[a-z]([-a-z0-9]*[a-z0-9])?';
const labelSentence =
  "a DNS-1035 label, which must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";

/** `v1`, `apps/v1`. */
function apiVersionRule(text: string): string[] {
  const parts = text.split('/');
  if (parts.length > 2) {
    const sentence = regexSentence(labelSentence, labelFormat, 'my-name', 'abc-123');
    return [
      `an apiVersion is ${sentence} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyVersion')`,
    ];
  }
  const version = parts.at(-1) ?? '';
  const group = parts.length === 2 ? parts[0] : undefined;
  const rule = (value: string, of: (v: string) => string[]) =>
    value === '' ? [emptySentence] : of(value);
  return [
    ...(group === undefined ? [] : rule(group, dns1123Subdomain).map((w) => `group part: ${w}`)),
    ...rule(version, dns1035Label).map((w) => `version part: ${w}`),
  ];
}
