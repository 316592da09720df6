// Warnings about ports of containers that are given twice or contradict each other.

import { quoteGo } from '@keelson/apimachinery';
import type { ContainerPort, PodSpec } from '@keelson/apimachinery/types/core.v1';
import { containersWithPath } from './visit-containers.ts';

interface PlacedPort {
  readonly port: ContainerPort;
  readonly path: string;
}

export function portWarnings(path: string, spec: PodSpec): string[] {
  const ports: PlacedPort[] = [];
  for (const [container, at] of containersWithPath(spec, path)) {
    container.ports?.forEach((port, i) => ports.push({ port, path: `${at}.ports[${i}]` }));
  }
  return [...conflictWarnings(ports), ...nameWarnings(ports)];
}

function conflictWarnings(ports: readonly PlacedPort[]): string[] {
  const out: string[] = [];
  const seen = new Map<string, PlacedPort[]>();
  for (const placed of ports) {
    const { port, path } = placed;
    if (port.hostIP && !port.hostPort) {
      out.push(`${path}: hostIP set without hostPort: ${goStruct(port)}`);
    }
    const key = `${port.containerPort}/${port.protocol ?? ''}`;
    const others = seen.get(key) ?? [];
    for (const other of others) {
      const how = conflict(port, other.port);
      if (how !== undefined) out.push(`${path}: ${how} port definition with ${other.path}`);
    }
    seen.set(key, [...others, placed]);
  }
  return out;
}

function conflict(a: ContainerPort, b: ContainerPort): string | undefined {
  const [hostA, hostB] = [a.hostPort ?? 0, b.hostPort ?? 0];
  const [ipA, ipB] = [a.hostIP ?? '', b.hostIP ?? ''];
  if (ipA === ipB && hostA === hostB) return 'duplicate';
  if (hostA === 0 || hostB === 0) return 'overlapping';
  // With one of the addresses left open it depends on the node which of the two gets the port.
  if (hostA === hostB && (ipA === '') !== (ipB === '')) return 'dangerously ambiguous';
  return undefined;
}

/** Go's `%+v`. */
const goStruct = (port: ContainerPort) =>
  `{Name:${port.name ?? ''} HostPort:${port.hostPort ?? 0} ContainerPort:${port.containerPort} Protocol:${port.protocol ?? ''} HostIP:${port.hostIP ?? ''}}`;

function nameWarnings(ports: readonly PlacedPort[]): string[] {
  const out: string[] = [];
  const first = new Map<string, string>();
  for (const { port, path } of ports) {
    if (!port.name) continue;
    const other = first.get(port.name);
    if (other === undefined) first.set(port.name, `${path}.name`);
    else {
      out.push(
        `${path}.name: duplicate port name ${quoteGo(port.name)} with ${other}, services and probes that select ports by name will use ${other}`,
      );
    }
  }
  return out;
}
