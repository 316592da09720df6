// Ports of containers. They document what listens; only host ports take something on the node.

import { fieldError } from '@keelson/apimachinery';
import type { Container, ContainerPort, PodSpec } from '@keelson/apimachinery/types/core.v1';
import {
  inRange,
  portRange,
  required,
  requiredOneOf,
  type Errors,
} from '../../validation/checks.ts';
import { portName } from '../../validation/names.ts';

const portProtocols = ['SCTP', 'TCP', 'UDP'];

export function containerPorts(
  errors: Errors,
  path: string,
  ports: readonly ContainerPort[] | undefined,
): void {
  const names = new Set<string>();
  ports?.forEach((port, i) => {
    const at = `${path}[${i}]`;
    if (port.name) {
      const problems = portName(port.name);
      for (const text of problems) errors.push(fieldError.invalid(`${at}.name`, port.name, text));
      if (problems.length === 0) {
        if (names.has(port.name)) errors.push(fieldError.duplicate(`${at}.name`, port.name));
        names.add(port.name);
      }
    }
    if (required(errors, `${at}.containerPort`, port.containerPort || undefined)) {
      inRange(errors, `${at}.containerPort`, port.containerPort, portRange);
    }
    if (port.hostPort) inRange(errors, `${at}.hostPort`, port.hostPort, portRange);
    requiredOneOf(errors, `${at}.protocol`, port.protocol, portProtocols);
  });
}

/** No two of the containers want the same port of the node. */
export function uniqueHostPorts(
  errors: Errors,
  path: string,
  containers: readonly Pick<Container, 'ports'>[],
): void {
  const seen = new Set<string>();
  containers.forEach((container, c) => {
    container.ports?.forEach((port, p) => {
      if (!port.hostPort) return;
      const key = `${port.protocol ?? ''}/${port.hostIP ?? ''}/${port.hostPort}`;
      const at = `${path}[${c}].ports[${p}].hostPort`;
      if (seen.has(key)) errors.push(fieldError.duplicate(at, key));
      seen.add(key);
    });
  });
}

/**
 * On the node's network a container port is a port of the node. Templates get it when pods are
 * made.
 */
export function hostNetworkPorts(
  errors: Errors,
  path: string,
  spec: PodSpec,
  { isPod }: { readonly isPod: boolean },
): void {
  if (!spec.hostNetwork) return;
  (spec.containers ?? []).forEach((container, c) => {
    container.ports?.forEach(({ hostPort = 0, containerPort }, p) => {
      if ((!isPod && hostPort === 0) || hostPort === containerPort) return;
      const at = `${path}.containers[${c}].ports[${p}].hostPort`;
      const why = 'must match `containerPort` when `hostNetwork` is true';
      errors.push(fieldError.invalid(at, hostPort, why));
    });
  });
}
