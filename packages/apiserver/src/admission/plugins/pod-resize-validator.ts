// PodResizeValidator (gate InPlacePodVerticalScaling): a running pod is resized only where that can
// work. The node must exist, run Linux (by its label kubernetes.io/os, if it has one), and have so
// much processor time and memory to give to pods at all. Looks at updates of `pods/resize` that
// change the specification of a pod on a node. The refusal carries a cause that says which it was.

import {
  compareQuantities,
  podRequests,
  quantityMilliValue,
  quantityValue,
  readResourceList,
  StatusError,
  zeroQuantity as zero,
} from '@keelson/apimachinery';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../features/features.ts';
import type { ObjectSource } from '../../object-source.ts';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import { asKind, isAbout } from '../request-match.ts';

export function createPodResizeValidator(nodes: ObjectSource, features: Features): AdmissionPlugin {
  const isOn = features.enabled('InPlacePodVerticalScaling');
  return {
    name: 'PodResizeValidator',
    handles: (operation) => isOn && operation === 'UPDATE',
    validate(attributes) {
      const pod = resizedPod(attributes);
      if (pod === undefined) return;
      const nodeName = pod.spec.nodeName ?? '';
      const found = nodes.get('', nodeName);
      if (found === undefined)
        throw admissionForbidden(attributes, `node ${JSON.stringify(nodeName)} not found`);
      checkPlatform(attributes, nodeName, found.metadata.labels?.['kubernetes.io/os']);
      checkCapacity(attributes, pod, asKind<Node>(found));
    },
  };
}

/** The pod of a resize that matters: on a node, and with another generation than before. */
function resizedPod(attributes: AdmissionAttributes): Pod | undefined {
  if (!isAbout(attributes, '', 'pods') || attributes.subresource !== 'resize') return undefined;
  const { object, oldObject } = attributes;
  if (object === undefined || object.metadata.generation === oldObject?.metadata.generation)
    return undefined;
  const pod = asKind<Pod>(object);
  return (pod.spec.nodeName ?? '') === '' ? undefined : pod;
}

function checkPlatform(
  attributes: AdmissionAttributes,
  nodeName: string,
  system: string | undefined,
): void {
  if (system === undefined || system === 'linux') return;
  const why =
    'pod resize is only supported on linux nodes, ' +
    `node ${JSON.stringify(nodeName)} is ${JSON.stringify(system)}`;
  throw refusal(attributes, why, 'UnsupportedPlatform');
}

function checkCapacity(attributes: AdmissionAttributes, pod: Pod, node: Node): void {
  const requests = podRequests(pod, { podLevel: true, overhead: true });
  const allocatable = readResourceList(node.status?.allocatable);
  const units = { cpu: quantityMilliValue, memory: quantityValue };
  const exceeded = Object.entries(units).flatMap(([name, inUnits]) => {
    const [wanted, available] = [requests.get(name) ?? zero, allocatable.get(name) ?? zero];
    if (compareQuantities(wanted, available) <= 0) return [];
    return [`${name}, requested: ${inUnits(wanted)}, allocatable: ${inUnits(available)}`];
  });
  if (exceeded.length === 0) return;
  const why = `node didn't have enough allocatable resources: ${exceeded.join('; ')}`;
  throw refusal(attributes, why, 'NodeCapacity');
}

function refusal(attributes: AdmissionAttributes, why: string, reason: string): StatusError {
  const { status } = admissionForbidden(attributes, why);
  return new StatusError({ ...status, details: { ...status.details, causes: [{ reason }] } });
}
