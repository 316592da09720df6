// Options of Windows containers: group managed service accounts, user names, host processes.

import { fieldError } from '@keelson/apimachinery';
import type { PodSpec, WindowsSecurityContextOptions } from '@keelson/apimachinery/types/core.v1';
import { conforms, type Errors } from '../../validation/checks.ts';
import { dns1123Subdomain } from '../../validation/names.ts';
import { containersWithPath } from './visit-containers.ts';
import type { PodSpecScope } from './scope.ts';

const credentialSpecKiBMax = 64;
const domainLengthMax = 255;
const userLengthMax = 104;

const controlCharacters = /\p{Cc}/u;
const netBiosName = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const dnsLabel = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const dnsName = new RegExp(`^${dnsLabel}(?:\\.${dnsLabel})*$`);
const forbiddenInUser = /["/\\:;|=,+*?<>@[\]]/;

export function windowsOptions(
  errors: Errors,
  path: string,
  options: WindowsSecurityContextOptions | undefined,
): void {
  if (!options) return;
  const { gmsaCredentialSpecName: specName, gmsaCredentialSpec: spec, runAsUserName } = options;
  if (specName !== undefined) {
    conforms(errors, `${path}.gmsaCredentialSpecName`, specName, dns1123Subdomain);
  }
  if (spec !== undefined) {
    const at = `${path}.gmsaCredentialSpec`;
    if (spec === '') {
      errors.push(fieldError.invalid(at, spec, 'gmsaCredentialSpec cannot be an empty string'));
    } else if (Buffer.byteLength(spec) > credentialSpecKiBMax * 1024) {
      const why = `gmsaCredentialSpec size must be under ${credentialSpecKiBMax} KiB`;
      errors.push(fieldError.invalid(at, spec, why));
    }
  }
  if (runAsUserName === undefined) return;
  for (const why of userNameProblems(runAsUserName)) {
    errors.push(fieldError.invalid(`${path}.runAsUserName`, runAsUserName, why));
  }
}

function userNameProblems(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string'];
  if (controlCharacters.test(name)) return ['runAsUserName cannot contain control characters'];
  const parts = name.split('\\');
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash'];
  const user = parts.at(-1) ?? '';
  const domain = parts.length === 2 ? (parts[0] ?? '') : undefined;
  const out: string[] = [];
  if (domain !== undefined && Buffer.byteLength(domain) > domainLengthMax) {
    out.push(`runAsUserName's Domain length must be under ${domainLengthMax + 1} characters`);
  }
  if (domain !== undefined && !netBiosName.test(domain) && !dnsName.test(domain)) {
    out.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === '') out.push("runAsUserName's User cannot be empty");
  else if (Buffer.byteLength(user) > userLengthMax) {
    out.push(`runAsUserName's User length must not be longer than ${userLengthMax} characters`);
  }
  if (/^[. ]+$/.test(user)) {
    out.push("runAsUserName's User cannot contain only periods or spaces");
  }
  if (forbiddenInUser.test(user)) {
    out.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  }
  return out;
}

/**
 * A pod is run by host processes either completely or not at all, and then on the host's network.
 */
export function hostProcessPod(
  errors: Errors,
  path: string,
  spec: PodSpec,
  { options }: Pick<PodSpecScope, 'options'>,
): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  let all = 0;
  let hostProcesses = 0;
  for (const [container, at] of containersWithPath(spec, path)) {
    all++;
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      const why = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
      const field = `${at}.securityContext.windowsOptions.hostProcess`;
      errors.push(fieldError.invalid(field, own, why));
    }
    if (own ?? ofPod) hostProcesses++;
  }
  if (hostProcesses === 0) return;
  if (hostProcesses !== all) {
    const why =
      'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    errors.push(fieldError.invalid(path, '', why));
  }
  if (spec.hostNetwork !== true) {
    const why = 'hostNetwork must be true if pod contains any hostProcess containers';
    errors.push(fieldError.invalid(`${path}.hostNetwork`, false, why));
  }
  if (!options.allowPrivileged) {
    const why = 'hostProcess containers are disallowed by cluster policy';
    errors.push(fieldError.forbidden(path, why));
  }
}
