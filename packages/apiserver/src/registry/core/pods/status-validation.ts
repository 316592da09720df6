// What a status update of a pod may say. Kubelets write here, of many releases, so the rules keep
// to what would mislead everybody else.

import { fieldError, parseIp } from '@keelson/apimachinery';
import type {
  Container,
  ContainerStatus,
  Pod,
  PodSpec,
  PodStatus,
  ResourceStatus,
} from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import {
  conforms,
  idRange,
  immutable,
  inRange,
  oneOf,
  type Errors,
} from '../../validation/checks.ts';
import { dns1123Subdomain, qualifiedName } from '../../validation/names.ts';
import { legacyIp, strictIp } from '../../validation/networks.ts';
import { isRestartableInitContainer } from '../pod-spec/visit-containers.ts';
import { annotationUpdates } from './annotation-updates.ts';
import type { PodSpecOptions } from '../pod-spec/scope.ts';

interface StatusScope {
  readonly options: PodSpecOptions;
  readonly features: Features;
}

const statusLists = [
  'containerStatuses',
  'initContainerStatuses',
  'ephemeralContainerStatuses',
] as const;

export function validatePodStatusUpdate(pod: Pod, old: Pod, scope: StatusScope): Errors {
  const errors: Errors = [];
  const status = pod.status ?? {};
  const before = old.status ?? {};
  annotationUpdates(errors, pod, old, scope.options);
  conditions(errors, status);
  if (pod.spec.nodeName !== old.spec.nodeName) {
    errors.push(fieldError.forbidden('status.nodeName', 'may not be changed directly'));
  }
  nominatedNode(errors, pod, before, scope);
  immutable(errors, 'status.qosClass', [status.qosClass ?? '', before.qosClass ?? '']);
  for (const field of statusLists) transitions(errors, field, [status, before], old.spec);
  claimStatuses(errors, status, pod.spec);
  podAddresses(errors, status, before, scope);
  hostAddresses(errors, status, before, scope);
  const os = pod.spec.os?.name ?? 'linux';
  for (const field of statusLists) users(errors, `status.${field}`, status[field] ?? [], os);
  healthStatuses(errors, 'status.containerStatuses', status.containerStatuses, pod.spec.containers);
  const init = 'status.initContainerStatuses';
  healthStatuses(errors, init, status.initContainerStatuses, pod.spec.initContainers);
  (status.ephemeralContainerStatuses ?? []).forEach(({ allocatedResourcesStatus = [] }, i) => {
    if (allocatedResourcesStatus.length === 0) return;
    const at = `status.ephemeralContainerStatuses[${i}].allocatedResourcesStatus`;
    errors.push(fieldError.forbidden(at, 'must not be specified in container status'));
  });
  return errors;
}

const systemConditions = ['PodScheduled', 'Ready', 'Initialized'];

function conditions(errors: Errors, status: PodStatus): void {
  (status.conditions ?? []).forEach(({ type }, i) => {
    if (systemConditions.includes(type)) return;
    conforms(errors, `metadata.conditions[${i}].Type`, type, qualifiedName);
  });
}

/** A node is nominated for a pod that waits; once the pod is bound there is nothing to wait for. */
function nominatedNode(
  errors: Errors,
  pod: Pod,
  before: PodStatus,
  { features }: StatusScope,
): void {
  const name = pod.status?.nominatedNodeName ?? '';
  if (name === '' || name === before.nominatedNodeName) return;
  const path = 'status.nominatedNodeName';
  conforms(errors, path, name, dns1123Subdomain);
  if (pod.spec.nodeName && features.enabled('NominatedNodeNameForExpectation')) {
    errors.push(fieldError.forbidden(path, 'may not be set on a pod that is bound to a node'));
  }
}

/** A container that has ended for good does not run again. */
function transitions(
  errors: Errors,
  field: (typeof statusLists)[number],
  [status, before]: readonly [PodStatus, PodStatus],
  spec: PodSpec,
): void {
  // Ephemeral containers are never restarted, whatever the policy.
  const policy = field === 'ephemeralContainerStatuses' ? 'Never' : spec.restartPolicy;
  if (policy === 'Always') return;
  (before[field] ?? []).forEach((old, i) => {
    const ended = old.state?.terminated;
    if (!ended || (ended.exitCode !== 0 && policy === 'OnFailure')) return;
    if (mayRestart(spec, field, old.name)) return;
    for (const now of status[field] ?? []) {
      if (now.name !== old.name || now.state?.terminated) continue;
      const why = 'may not be transitioned to non-terminated state';
      errors.push(fieldError.forbidden(`status.${field}[${i}].state`, why));
    }
  });
}

function mayRestart(spec: PodSpec, field: (typeof statusLists)[number], name: string): boolean {
  if (field === 'ephemeralContainerStatuses') return false;
  if (mayRestartAsWhole(spec)) return true;
  const list: readonly Container[] =
    (field === 'initContainerStatuses' ? spec.initContainers : spec.containers) ?? [];
  const container = list.find((c) => c.name === name);
  if (!container) return false;
  if (field === 'initContainerStatuses' && isRestartableInitContainer(container)) return true;
  const hasRules = (container.restartPolicyRules ?? []).length > 0;
  return (
    hasRules || container.restartPolicy === 'Always' || container.restartPolicy === 'OnFailure'
  );
}

/** With such a rule one container may take all the others with it (KEP-5532). */
const mayRestartAsWhole = ({ initContainers, containers }: PodSpec): boolean =>
  [...(initContainers ?? []), ...(containers ?? [])].some(({ restartPolicyRules = [] }) =>
    restartPolicyRules.some(({ action }) => action === 'RestartAllContainers'),
  );

function claimStatuses(errors: Errors, status: PodStatus, spec: PodSpec): void {
  const claims = new Set((spec.resourceClaims ?? []).map((c) => c.name));
  const seen = new Set<string>();
  (status.resourceClaimStatuses ?? []).forEach(({ name, resourceClaimName }, i) => {
    const at = `status.resourceClaimStatuses[${i}].name`;
    if (!claims.has(name)) {
      const why = 'must match the name of an entry in `spec.resourceClaims`';
      errors.push(fieldError.invalid(at, name, why));
    }
    if (seen.has(name)) errors.push(fieldError.duplicate(at, name));
    seen.add(name);
    if (resourceClaimName !== undefined) conforms(errors, at, resourceClaimName, dns1123Subdomain);
  });
}

function podAddresses(
  errors: Errors,
  status: PodStatus,
  before: PodStatus,
  scope: StatusScope,
): void {
  const list = status.podIPs ?? [];
  addresses(errors, 'status.podIPs', [list, before.podIPs ?? []], scope);
  if (list.length < 2) return;
  onePerFamily(errors, 'status.podIPs', list);
  repeatedAddresses(errors, 'status.podIPs', list);
}

function hostAddresses(
  errors: Errors,
  status: PodStatus,
  before: PodStatus,
  scope: StatusScope,
): void {
  const list = status.hostIPs ?? [];
  const first = list[0]?.ip;
  if (first === undefined) return;
  if (first !== (status.hostIP ?? '')) {
    errors.push(fieldError.invalid('status.hostIPs[0].ip', first, 'must be equal to `hostIP`'));
  }
  addresses(errors, 'status.hostIPs', [list, before.hostIPs ?? []], scope);
  if (list.length < 2) return;
  repeatedAddresses(errors, 'status.hostIPs', list);
  onePerFamily(errors, 'status.hostIPs', list);
}

type Addresses = readonly { readonly ip: string }[];

function addresses(
  errors: Errors,
  path: string,
  [list, before]: readonly [Addresses, Addresses],
  { options }: StatusScope,
): void {
  list.forEach(({ ip }, i) => {
    const isNew = !before.some((old) => old.ip === ip);
    (options.strictAddresses && isNew ? strictIp : legacyIp)(errors, `${path}[${i}]`, ip);
  });
}

function onePerFamily(errors: Errors, path: string, list: Addresses): void {
  const families = new Set(list.map(({ ip }) => parseIp(ip)?.family));
  if (families.size === 2 && list.length === 2) return;
  const value = list.map(({ ip }) => ({ IP: ip }));
  const why = 'may specify no more than one IP for each IP family';
  errors.push(fieldError.invalid(path, value, why));
}

function repeatedAddresses(errors: Errors, path: string, list: Addresses): void {
  const seen = new Set<string>();
  list.forEach(({ ip }, i) => {
    if (seen.has(ip)) errors.push(fieldError.duplicate(`${path}[${i}]`, { IP: ip }));
    seen.add(ip);
  });
}

function users(
  errors: Errors,
  path: string,
  statuses: readonly ContainerStatus[],
  os: string,
): void {
  statuses.forEach(({ user }, i) => {
    const linux = user?.linux;
    if (!linux) return;
    const at = `${path}[${i}].linux`;
    if (os === 'windows') {
      errors.push(fieldError.forbidden(at, 'cannot be set for a windows pod'));
      return;
    }
    inRange(errors, `${at}.uid`, linux.uid, idRange);
    inRange(errors, `${at}.gid`, linux.gid, idRange);
    linux.supplementalGroups?.forEach((id, g) => {
      inRange(errors, `${at}.supplementalGroups[${g}]`, id, idRange);
    });
  });
}

const healths = ['Healthy', 'Unhealthy', 'Unknown'];

/** Health of devices: of a resource that the container has, each device once (KEP-4680). */
function healthStatuses(
  errors: Errors,
  path: string,
  statuses: readonly ContainerStatus[] | undefined,
  containers: readonly Container[] | null | undefined,
): void {
  statuses?.forEach(({ name, allocatedResourcesStatus = [] }, i) => {
    const container = containers?.find((c) => c.name === name);
    allocatedResourcesStatus.forEach((resource, j) => {
      const at = `${path}[${i}].allocatedResourcesStatus[${j}]`;
      if (container) knownResource(errors, `${at}.name`, resource, container);
      const seen = new Set<string>();
      resource.resources?.forEach(({ health, resourceID }, k) => {
        oneOf(errors, `${at}.resources[${k}].health`, health, healths);
        if (seen.has(resourceID)) {
          errors.push(fieldError.duplicate(`${at}.resources[${k}].resourceID`, resourceID));
        }
        seen.add(resourceID);
      });
    });
  });
}

function knownResource(
  errors: Errors,
  path: string,
  { name }: ResourceStatus,
  container: Container,
): void {
  const { claims = [], requests = {} } = container.resources ?? {};
  const isClaim = name.startsWith('claim:');
  const known = isClaim
    ? claims.some((c) => name === `claim:${c.name}${c.request ? `/${c.request}` : ''}`)
    : requests[name] !== undefined;
  if (known) return;
  const why = isClaim
    ? "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
    : "must match one of the container's resource requests";
  errors.push(fieldError.invalid(path, name, why));
}
