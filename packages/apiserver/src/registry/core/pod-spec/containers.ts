// Containers of a pod: what all kinds have in common, and what only regular ones, init containers
// or ephemeral ones may have.

import { fieldError } from '@keelson/apimachinery';
import type { Container, EphemeralContainer } from '@keelson/apimachinery/types/core.v1';
import { conforms, required, requiredOneOf, type Errors } from '../../validation/checks.ts';
import { dns1123Label } from '../../validation/names.ts';
import { environment } from './environment.ts';
import { volumeDevices, volumeMounts } from './mounts.ts';
import { containerPorts, uniqueHostPorts } from './ports.ts';
import { probesAndHooks } from './probes.ts';
import { resizePolicy } from './resize-policy.ts';
import { containerResources } from './resources.ts';
import { restartRules } from './restart-rules.ts';
import { containerSecurityContext } from './security-context.ts';
import { isRestartableInitContainer, type AnyContainer } from './visit-containers.ts';
import { pullPolicies } from './volumes.ts';
import type { PodSpecScope } from './scope.ts';

export function regularContainers(errors: Errors, path: string, scope: PodSpecScope): void {
  const containers = scope.spec.containers ?? [];
  if (!required(errors, path, containers)) return;
  const names = new Set<string>();
  containers.forEach((container, i) => {
    const at = `${path}[${i}]`;
    anyContainer(errors, at, container, scope);
    if (names.has(container.name)) errors.push(fieldError.duplicate(`${at}.name`, container.name));
    names.add(container.name);
    probesAndHooks(errors, at, container, scope);
    restartRules(errors, at, container, { kind: 'regular', options: scope.options });
  });
  uniqueHostPorts(errors, path, containers);
}

export function initContainers(errors: Errors, path: string, scope: PodSpecScope): void {
  const names = new Set((scope.spec.containers ?? []).map((c) => c.name));
  (scope.spec.initContainers ?? []).forEach((container, i) => {
    const at = `${path}[${i}]`;
    anyContainer(errors, at, container, scope);
    restartRules(errors, at, container, { kind: 'init', options: scope.options });
    if (names.has(container.name)) errors.push(fieldError.duplicate(`${at}.name`, container.name));
    else if (container.name !== '') names.add(container.name);
    // Init containers run one by one, so only the ports of one can be in each other's way.
    uniqueHostPorts(errors, path, [container]);
    if (isRestartableInitContainer(container)) probesAndHooks(errors, at, container, scope);
    else noProbesOrHooks(errors, at, container);
  });
}

const sidecarFields = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;

function noProbesOrHooks(errors: Errors, path: string, container: Container): void {
  for (const field of sidecarFields) {
    if (container[field] === undefined) continue;
    const why = 'may not be set for init containers without restartPolicy=Always';
    errors.push(fieldError.forbidden(`${path}.${field}`, why));
  }
}

/** Fields that only make sense for what a pod is made for; a debugging guest has none of them. */
const notEphemeral = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;

export function ephemeralContainers(errors: Errors, path: string, scope: PodSpecScope): void {
  const { spec } = scope;
  const others = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((c) => c.name);
  const targets = new Set(others);
  const names = new Set(others);
  (spec.ephemeralContainers ?? []).forEach((container, i) => {
    const at = `${path}[${i}]`;
    anyContainer(errors, at, container, scope);
    trimmedImage(errors, at, container);
    if (names.has(container.name)) errors.push(fieldError.duplicate(`${at}.name`, container.name));
    names.add(container.name);
    const target = container.targetContainerName ?? '';
    if (target !== '' && !targets.has(target)) {
      errors.push(fieldError.notFound(`${at}.targetContainerName`, target));
    }
    ephemeralFields(errors, at, container);
  });
}

function ephemeralFields(errors: Errors, path: string, container: EphemeralContainer): void {
  const refuse = (at: string) =>
    errors.push(fieldError.forbidden(at, 'cannot be set for an Ephemeral Container'));
  for (const field of notEphemeral) {
    const value = container[field];
    const isEmpty = typeof value === 'object' && Object.keys(value).length === 0;
    if (value !== undefined && !(field === 'resources' && isEmpty)) refuse(`${path}.${field}`);
  }
  container.volumeMounts?.forEach((mount, i) => {
    if (mount.subPath) refuse(`${path}.volumeMounts[${i}].subPath`);
    if (mount.subPathExpr) refuse(`${path}.volumeMounts[${i}].subPathExpr`);
  });
}

/** In pods the image must be usable as it stands; templates may carry placeholders. */
export function trimmedImage(errors: Errors, path: string, { image = '' }: AnyContainer): void {
  if (image.trim() === image) return;
  const why = 'must not have leading or trailing whitespace';
  errors.push(fieldError.invalid(`${path}.image`, image, why));
}

function anyContainer(
  errors: Errors,
  path: string,
  container: AnyContainer,
  scope: PodSpecScope,
): void {
  if (required(errors, `${path}.name`, container.name)) {
    conforms(errors, `${path}.name`, container.name, dns1123Label);
  }
  required(errors, `${path}.image`, container.image);
  const at = `${path}.terminationMessagePolicy`;
  const policies = ['File', 'FallbackToLogsOnError'];
  requiredOneOf(errors, at, container.terminationMessagePolicy, policies);
  containerPorts(errors, `${path}.ports`, container.ports);
  environment(errors, path, container, scope);
  volumeMounts(errors, `${path}.volumeMounts`, container, scope);
  volumeDevices(errors, `${path}.volumeDevices`, container, scope);
  requiredOneOf(errors, `${path}.imagePullPolicy`, container.imagePullPolicy, pullPolicies);
  containerResources(errors, `${path}.resources`, container.resources ?? {}, scope);
  resizePolicy(errors, `${path}.resizePolicy`, container.resizePolicy, scope.spec);
  containerSecurityContext(errors, `${path}.securityContext`, container.securityContext, scope);
}
