// Where a node has too little of a resource: by how much the pod asks for too much, how much more the
// node would need, and which pod would leave enough.

import { createQuantity, formatQuantity, parseQuantity } from '@keelson/apimachinery';
import type { Container, Pod } from '@keelson/apimachinery/types/core.v1';
import type { Amounts } from '../snapshot/amounts.ts';
import { changeNode, changePod, podLeaves, withSpec, type Change } from './change.ts';
import { leavingMax, type Refusal } from './refusal.ts';

const insufficient = /^Insufficient (.+)$/;

/** Of the first reason; the others have their turn when that is repaired. */
export function repairResources(refusal: Refusal): Change[] {
  const [reason = ''] = refusal.rejection.reasons;
  const resource = insufficient.exec(reason)?.[1];
  if (resource === undefined) return reason === 'Too many pods' ? repairPodCount(refusal) : [];
  const { pod, node } = refusal;
  const wanted = amountOf(pod.requests, resource);
  const has = amountOf(node.allocatable, resource);
  const used = amountOf(node.requested, resource);
  const lacking = wanted - (has - used);
  if (lacking <= 0) return [];
  const more = `${formatAmount(resource, lacking)} more ${resource}`;
  const changes = [
    changeNode(
      node.name,
      `give node ${node.name} ${more} (it has ${formatAmount(resource, has)})`,
      (changed) => ({
        ...changed,
        status: {
          ...changed.status,
          allocatable: {
            ...changed.status?.allocatable,
            [resource]: formatAmount(resource, has + lacking),
          },
        },
      }),
    ),
  ];
  if (lacking < wanted || has - used > 0)
    changes.unshift(
      changePod(
        pod,
        `lower the request of ${resource} by ${formatAmount(resource, lacking)}, to ${formatAmount(resource, wanted - lacking)}`,
        (changed) => lowerRequests(changed, resource, lacking),
      ),
    );
  const leaving = [...node.pods.values()]
    .filter(({ requests }) => amountOf(requests, resource) >= lacking)
    .toSorted((a, b) => amountOf(a.requests, resource) - amountOf(b.requests, resource))
    .slice(0, leavingMax)
    .map((other) => {
      const takes = formatAmount(resource, amountOf(other.requests, resource));
      return podLeaves(other, `it requests ${takes} of ${resource}`);
    });
  return [...changes, ...leaving];
}

function repairPodCount({ node }: Refusal): Change[] {
  const pods = String(node.pods.size + 1);
  return [
    changeNode(node.name, `let node ${node.name} have ${pods} pods`, (changed) => ({
      ...changed,
      status: { ...changed.status, allocatable: { ...changed.status?.allocatable, pods } },
    })),
    ...[...node.pods.values()]
      .toSorted((a, b) => a.priority - b.priority)
      .slice(0, leavingMax)
      .map((other) => podLeaves(other, 'the node has too many pods')),
  ];
}

function amountOf(amounts: Amounts, resource: string): number {
  switch (resource) {
    case 'cpu':
      return amounts.milliCpu;
    case 'memory':
      return amounts.memory;
    case 'ephemeral-storage':
      return amounts.ephemeralStorage;
    default:
      return amounts.scalars.get(resource) ?? 0;
  }
}

/** `200m`, `1Gi`, `2`. */
function formatAmount(resource: string, amount: number): string {
  if (resource === 'cpu') return formatQuantity(createQuantity(amount, 'DecimalSI', -3));
  const isBytes = resource === 'memory' || resource === 'ephemeral-storage';
  return formatQuantity(createQuantity(amount, isBytes ? 'BinarySI' : 'DecimalSI'));
}

/** Of the containers in their order, until it is enough; the requests of the pod as a whole first. */
function lowerRequests(pod: Pod, resource: string, by: number): Pod {
  const scale = resource === 'cpu' ? 1_000 : 1;
  const amount = (text: string | undefined) =>
    text === undefined
      ? 0
      : Number(parseQuantity(text).unscaled) * 10 ** parseQuantity(text).exponent * scale;
  let left = by;
  const lower = <T extends Pick<Container, 'resources'>>(holder: T): T => {
    const now = amount(holder.resources?.requests?.[resource]);
    const less = Math.min(now, left);
    if (less <= 0) return holder;
    left -= less;
    const requests = {
      ...holder.resources?.requests,
      [resource]: formatAmount(resource, Math.round(now - less)),
    };
    return { ...holder, resources: { ...holder.resources, requests } };
  };
  const spec = lower(pod.spec);
  return withSpec(pod, {
    resources: spec.resources,
    containers: (spec.containers ?? []).map(lower),
  });
}
