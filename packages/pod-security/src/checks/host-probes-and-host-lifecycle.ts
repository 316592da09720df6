// hostProbesAndHostLifecycle (baseline): the kubelet must not be made to call other hosts.
//
// Fields: httpGet.host and tcpSocket.host of livenessProbe, readinessProbe, startupProbe,
// lifecycle.postStart and lifecycle.preStop of every container.
// Allowed: unset, empty.
// Versions: 1.34.

import { createViolations, type Check, type CheckPod, type Violations } from '../check.ts';
import { forbiddenField } from '../field-error.ts';
import { containerAt, containerPath, type Container, type NetworkHandler } from '../pod.ts';
import { joinQuoted, namedContainers, plural, sortedSet } from '../wording.ts';

const since1_34: CheckPod = (_metadata, spec) => {
  let bad: Violations | undefined;
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    if (!namesHost(c)) continue;
    bad ??= createViolations();
    bad.containers.push(c.name ?? '');
    collectHosts(c, containerPath(spec, index), bad);
  }
  if (bad === undefined) return undefined;
  const containers = sortedSet(bad.containers);
  const hosts = sortedSet(bad.values);
  const verb = plural('uses', 'use', containers.length);
  const noun = plural('probe or lifecycle host', 'probe or lifecycle hosts', hosts.length);
  return {
    reason: 'probe or lifecycle host',
    detail: `${namedContainers(containers)} ${verb} ${noun} ${joinQuoted(hosts)}`,
    fieldErrors: bad.fieldErrors,
  };
};

export const hostProbesAndHostLifecycle: Check = {
  id: 'hostProbesAndHostLifecycle',
  level: 'baseline',
  versions: [{ minimumVersion: 34, checkPod: since1_34 }],
};

function namesHost(container: Container): boolean {
  return (
    handlerNamesHost(container.livenessProbe) ||
    handlerNamesHost(container.readinessProbe) ||
    handlerNamesHost(container.startupProbe) ||
    handlerNamesHost(container.lifecycle?.postStart) ||
    handlerNamesHost(container.lifecycle?.preStop)
  );
}

function handlerNamesHost(handler: NetworkHandler | null | undefined): boolean {
  if (handler === undefined || handler === null) return false;
  return (handler.httpGet?.host ?? '') !== '' || (handler.tcpSocket?.host ?? '') !== '';
}

function collectHosts(container: Container, path: string, into: Violations): void {
  const handlers: [string, NetworkHandler | null | undefined][] = [
    ['livenessProbe', container.livenessProbe],
    ['readinessProbe', container.readinessProbe],
    ['startupProbe', container.startupProbe],
    ['lifecycle.postStart', container.lifecycle?.postStart],
    ['lifecycle.preStop', container.lifecycle?.preStop],
  ];
  for (const [field, handler] of handlers) {
    for (const action of ['httpGet', 'tcpSocket'] as const) {
      const host = handler?.[action]?.host ?? '';
      if (host === '') continue;
      into.values.push(host);
      into.fieldErrors.push(forbiddenField(`${path}.${field}.${action}.host`, host));
    }
  }
}
