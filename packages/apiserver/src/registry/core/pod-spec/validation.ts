// The rules of a pod specification, wherever it stands: in a Pod or in the template of a workload.
// The order of the checks is that in which Kubernetes reports their findings.

import { fieldError } from '@keelson/apimachinery';
import type { PodSpec } from '@keelson/apimachinery/types/core.v1';
import { conforms, inRange, requiredOneOf, type Errors } from '../../validation/checks.ts';
import { labels } from '../../validation/labels.ts';
import {
  dns1123Label,
  dns1123Subdomain,
  isLongerThan,
  nameIsDns1123Subdomain,
  rangeSentence,
} from '../../validation/names.ts';
import { affinity } from './affinity.ts';
import { ephemeralContainers, initContainers, regularContainers } from './containers.ts';
import { dnsConfig, dnsPolicy, hostAliases } from './name-resolution.ts';
import { operatingSystem, userNamespace } from './operating-system.ts';
import { hostNetworkPorts } from './ports.ts';
import { overhead, podLevelResources, podResourceClaims } from './resources.ts';
import { readinessGates, schedulingGates, tolerations, topologySpread } from './scheduling.ts';
import { podSecurityContext } from './security-context.ts';
import { podVolumes } from './volumes.ts';
import { hostProcessPod } from './windows-options.ts';
import type { PodSpecOptions, PodSpecScope } from './scope.ts';

export interface PodSpecSubject {
  readonly spec: PodSpec;
  /** Name of the pod; empty for a template. */
  readonly podName: string;
  readonly options: PodSpecOptions;
}

const secondsMax = 2 ** 31 - 1;

export function podSpec(
  errors: Errors,
  path: string,
  { spec, podName, options }: PodSpecSubject,
): void {
  if (spec.terminationGracePeriodSeconds === undefined) {
    errors.push(fieldError.required(`${path}.terminationGracePeriodSeconds`));
  }
  const volumes = podVolumes(errors, `${path}.volumes`, spec.volumes ?? [], { options, podName });
  const claims = spec.resourceClaims ?? [];
  const scope: PodSpecScope = {
    spec,
    options,
    podName,
    volumes,
    claimNames: new Set(claims.map((c) => c.name).filter((name) => name !== '')),
    hostUsers: spec.hostUsers !== false,
  };
  podResourceClaims(errors, `${path}.resourceClaims`, claims);
  regularContainers(errors, `${path}.containers`, scope);
  initContainers(errors, `${path}.initContainers`, scope);
  ephemeralContainers(errors, `${path}.ephemeralContainers`, scope);
  if (options.podLevelResources) podLevelResources(errors, `${path}.resources`, spec, scope);
  placement(errors, path, scope);
  names(errors, path, scope);
  if (spec.overhead) overhead(errors, `${path}.overhead`, spec.overhead, scope);
  operatingSystem(errors, path, spec);
  hostnameOverride(errors, `${path}.hostnameOverride`, spec);
  if (spec.schedulingGroup) schedulingGroup(errors, `${path}.schedulingGroup`, spec);
}

const restartPolicies = ['Always', 'OnFailure', 'Never'];

function placement(errors: Errors, path: string, scope: PodSpecScope): void {
  const { spec, options } = scope;
  hostNetworkPorts(errors, path, spec, options);
  requiredOneOf(errors, `${path}.restartPolicy`, spec.restartPolicy, restartPolicies);
  dnsPolicy(errors, `${path}.dnsPolicy`, spec.dnsPolicy);
  labels(errors, `${path}.nodeSelector`, spec.nodeSelector);
  podSecurityContext(errors, `${path}.securityContext`, [spec.securityContext, spec], scope);
  affinity(errors, `${path}.affinity`, spec.affinity, scope);
  dnsConfig(errors, `${path}.dnsConfig`, spec, scope);
  readinessGates(errors, `${path}.readinessGates`, spec.readinessGates);
  schedulingGates(errors, `${path}.schedulingGates`, spec.schedulingGates);
  const spread = spec.topologySpreadConstraints;
  topologySpread(errors, `${path}.topologySpreadConstraints`, spread, scope);
  hostProcessPod(errors, path, spec, scope);
  userNamespace(errors, path, spec, scope);
}

/** Fields that name something else, and a few numbers between them. */
function names(errors: Errors, path: string, scope: PodSpecScope): void {
  const { spec } = scope;
  const check = (field: keyof PodSpec & string, rule: (name: string) => string[]) => {
    const value = spec[field];
    if (typeof value === 'string' && value !== '') {
      conforms(errors, `${path}.${field}`, value, rule);
    }
  };
  const objectName = (name: string) => nameIsDns1123Subdomain(name, false);
  check('serviceAccountName', objectName);
  check('nodeName', objectName);
  inRange(errors, `${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, [1, secondsMax]);
  check('hostname', dns1123Label);
  check('subdomain', dns1123Label);
  tolerations(errors, `${path}.tolerations`, spec.tolerations, scope);
  hostAliases(errors, `${path}.hostAliases`, spec.hostAliases, scope);
  check('priorityClassName', objectName);
  if (spec.runtimeClassName !== undefined) {
    conforms(errors, `${path}.runtimeClassName`, spec.runtimeClassName, objectName);
  }
  if (spec.preemptionPolicy !== undefined) {
    const supported = ['PreemptLowerPriority', 'Never'];
    requiredOneOf(errors, `${path}.preemptionPolicy`, spec.preemptionPolicy, supported);
  }
}

/** Linux limits host names to 64 bytes. */
const hostnameBytesMax = 64;

function hostnameOverride(errors: Errors, path: string, spec: PodSpec): void {
  const name = spec.hostnameOverride;
  if (name === undefined) return;
  if (isLongerThan(name, hostnameBytesMax)) errors.push(fieldError.tooLong(path, hostnameBytesMax));
  conforms(errors, path, name, dns1123Subdomain);
  if (spec.setHostnameAsFQDN === true) {
    const why = 'may not be specified when `setHostnameAsFQDN` is true';
    errors.push(fieldError.forbidden(path, why));
  }
  if (spec.hostNetwork === true) {
    errors.push(fieldError.forbidden(path, 'may not be specified when `hostNetwork` is true'));
  }
}

function schedulingGroup(errors: Errors, path: string, spec: PodSpec): void {
  const group = spec.schedulingGroup?.podGroupName;
  if (group === undefined) {
    errors.push(fieldError.required(path, 'must specify one of: `podGroupName`'));
  } else conforms(errors, `${path}.podGroupName`, group, dns1123Subdomain);
}

/** An active deadline in an update may also be zero. */
export const deadlineUpdateSentence = rangeSentence(0, secondsMax);
