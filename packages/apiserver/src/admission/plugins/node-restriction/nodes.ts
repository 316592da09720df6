// A node may register itself and change itself, but not what decides about which workloads come to
// it: taints, owner references, and labels of Kubernetes' domains beyond those that a kubelet sets.

import type { KubeObject } from '@keelson/apimachinery';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import { isSemanticallyEqual } from '../../../registry/validation/equality.ts';
import { asKind } from '../../request-match.ts';
import { nameOf, type NodeRequest } from './request.ts';

const kubeletLabels: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
]);
const kubeletLabelDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const restrictedDomain = 'node-restriction.kubernetes.io';
const kubernetesDomains = ['kubernetes.io', 'k8s.io'];

export function admitNode({ nodeName, attributes, refuse }: NodeRequest): void {
  const name = nameOf(attributes);
  if (name !== nodeName)
    throw refuse(
      `node ${JSON.stringify(nodeName)} is not allowed to modify node ${JSON.stringify(name)}`,
    );
  const { operation, object, oldObject } = attributes;
  if (object === undefined || operation === 'DELETE') return;
  const node = asKind<Node>(object);
  const who = `node ${JSON.stringify(nodeName)} is not allowed to`;
  if (operation === 'CREATE') {
    // COMPAT: upstream says "pods" here.
    if (node.spec?.configSource) throw refuse(`${who} create pods with a non-nil configSource`);
    const forbidden = forbiddenLabels(object, undefined);
    if (forbidden !== '') throw refuse(`${who} set the following labels: ${forbidden}`);
    return;
  }
  const old = asKind<Node>(oldObject ?? { metadata: {} });
  const { configSource } = node.spec ?? {};
  if (configSource && !isSemanticallyEqual(configSource, old.spec?.configSource))
    throw refuse(`${who} update configSource to a new non-nil configSource`);
  if (!isSemanticallyEqual(node.spec?.taints, old.spec?.taints))
    throw refuse(`${who} modify taints`);
  if (!isSemanticallyEqual(object.metadata.ownerReferences, oldObject?.metadata.ownerReferences))
    throw refuse(`${who} modify ownerReferences`);
  const forbidden = forbiddenLabels(object, oldObject);
  if (forbidden !== '') throw refuse(`is not allowed to modify labels: ${forbidden}`);
}

/** Keys that were added, removed or changed and that a node must not touch; sorted, as text. */
function forbiddenLabels(object: KubeObject, old: KubeObject | undefined): string {
  const labels = object.metadata.labels ?? {};
  const oldLabels = old?.metadata.labels ?? {};
  const keys = new Set([...Object.keys(labels), ...Object.keys(oldLabels)]);
  return [...keys]
    .filter((key) => labels[key] !== oldLabels[key] && isForbiddenLabel(key))
    .sort()
    .join(', ');
}

function isForbiddenLabel(key: string): boolean {
  const slash = key.indexOf('/');
  const domain = slash < 0 ? '' : key.slice(0, slash);
  if (isWithin(domain, restrictedDomain)) return true;
  if (!kubernetesDomains.some((d) => isWithin(domain, d))) return false;
  return !kubeletLabels.has(key) && !kubeletLabelDomains.some((d) => isWithin(domain, d));
}

function isWithin(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}
