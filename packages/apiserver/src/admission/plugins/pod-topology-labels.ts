// PodTopologyLabels (gate PodTopologyLabelsAdmission): a pod carries the zone and region of its
// node as labels, so that it can read them about itself. They are copied when the pod is bound
// (onto the Binding, whose labels the registry gives to the pod) and when a pod is created with a
// node name.
//
// - Only the labels that the node has, and over whatever the client set: a pod cannot lie about
//   where it runs.
// - Bindings to anything but a Node, and nodes that do not exist, are passed over.
// - 1.33 copied labels of a domain that no node has, and so nothing.

import type { Binding } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../features/features.ts';
import type { ObjectSource } from '../../object-source.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import { asKind, isAbout, podOf } from '../request-match.ts';

const labelNames = ['zone', 'region'];

export function createPodTopologyLabels(nodes: ObjectSource, features: Features): AdmissionPlugin {
  const isOn = features.enabled('PodTopologyLabelsAdmission');
  const domain = features.emulated.minor < 34 ? 'topology.k8s.io' : 'topology.kubernetes.io';
  const keys = labelNames.map((name) => `${domain}/${name}`);
  return {
    name: 'PodTopologyLabels',
    handles: (operation) => isOn && operation === 'CREATE',
    mutate(attributes) {
      const nodeName = nodeNameOf(attributes);
      if (nodeName === '' || attributes.object === undefined) return;
      const nodeLabels = nodes.get('', nodeName)?.metadata.labels ?? {};
      const copied = keys.flatMap((key) => {
        const value = nodeLabels[key];
        return value === undefined ? [] : [[key, value] as const];
      });
      if (copied.length === 0) return;
      const { metadata } = attributes.object;
      metadata.labels = { ...metadata.labels, ...Object.fromEntries(copied) };
    },
  };
}

/** The node that the request puts a pod on; empty when it does no such thing. */
function nodeNameOf(attributes: AdmissionAttributes): string {
  const pod = podOf(attributes);
  if (pod !== undefined) return pod.spec.nodeName ?? '';
  if (attributes.object === undefined || !isAbout(attributes, '', 'pods')) return '';
  if (attributes.subresource !== 'binding') return '';
  const { target } = asKind<Partial<Binding>>(attributes.object);
  return target?.kind === 'Node' ? (target.name ?? '') : '';
}
