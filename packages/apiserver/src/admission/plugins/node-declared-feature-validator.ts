// NodeDeclaredFeatureValidator (gate NodeDeclaredFeatures, KEP-5328): a change of a running pod
// that needs something of its node which not every node can do is refused when the node does not
// declare it in status.declaredFeatures. Looks at updates of pods and of `pods/resize` that change
// the specification of a pod on a node. What changes need:
//
// - another CPU request of a container in a Guaranteed pod: GuaranteedQoSPodCPUResize;
// - other resources of the pod itself: InPlacePodLevelResourcesVerticalScaling.

import {
  compareQuantities,
  jsonEqual,
  type JsonObject,
  readResourceList,
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

interface NodeFeature {
  readonly name: string;
  isNeeded(pod: Pod, old: Pod): boolean;
}

/** In order of names, as the message lists them. */
const nodeFeatures: readonly NodeFeature[] = [
  { name: 'GuaranteedQoSPodCPUResize', isNeeded: resizesGuaranteedCpu },
  { name: 'InPlacePodLevelResourcesVerticalScaling', isNeeded: resizesPodLevel },
];

export function createNodeDeclaredFeatureValidator(
  nodes: ObjectSource,
  features: Features,
): AdmissionPlugin {
  const isOn = features.enabled('NodeDeclaredFeatures');
  return {
    name: 'NodeDeclaredFeatureValidator',
    handles: (operation) => isOn && operation === 'UPDATE',
    validate(attributes) {
      const needed = neededFeatures(attributes);
      if (needed.length === 0) return;
      const nodeName = asKind<Pod>(attributes.object ?? { metadata: {} }).spec.nodeName ?? '';
      const node = nodes.get('', nodeName);
      if (node === undefined)
        throw admissionForbidden(attributes, `node ${JSON.stringify(nodeName)} not found`);
      const declared = asKind<Node>(node).status?.declaredFeatures ?? [];
      const missing = needed.filter((name) => !declared.includes(name));
      if (missing.length > 0)
        throw admissionForbidden(
          attributes,
          `pod update requires features ${missing.join(', ')} which are not available on node ` +
            JSON.stringify(nodeName),
        );
    },
  };
}

function neededFeatures(attributes: AdmissionAttributes): string[] {
  const { object, oldObject, subresource } = attributes;
  if (object === undefined || oldObject === undefined) return [];
  if (!isAbout(attributes, '', 'pods') || !['', 'resize'].includes(subresource)) return [];
  if (object.metadata.generation === oldObject.metadata.generation) return [];
  const [pod, old] = [asKind<Pod>(object), asKind<Pod>(oldObject)];
  if ((pod.spec.nodeName ?? '') === '') return [];
  return nodeFeatures.filter((f) => f.isNeeded(pod, old)).map((f) => f.name);
}

function resizesGuaranteedCpu(pod: Pod, old: Pod): boolean {
  if (old.status !== undefined && old.status.qosClass !== 'Guaranteed') return false;
  const wanted = cpuRequests(pod);
  return cpuRequests(old).some((cpu, i) => compareQuantities(cpu, wanted[i] ?? zero) !== 0);
}

function cpuRequests({ spec }: Pod) {
  const lists = (spec.containers ?? []).map((c) => readResourceList(c.resources?.requests));
  return lists.map((list) => list.get('cpu') ?? zero);
}

function resizesPodLevel({ spec }: Pod, { spec: old }: Pod): boolean {
  return !jsonEqual(
    spec.resources as JsonObject | undefined,
    old.resources as JsonObject | undefined,
  );
}
