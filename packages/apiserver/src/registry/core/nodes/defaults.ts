// Defaults of Nodes.

import { statusErrors } from '@keelson/apimachinery';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import { roundUpResources } from '../pod-spec/defaults.ts';

export function applyNodeDefaults(node: Node): void {
  synchronizePodCidrs(node);
  const { status } = node;
  if (status?.capacity && !status.allocatable) status.allocatable = { ...status.capacity };
  for (const list of [status?.capacity, status?.allocatable]) if (list) roundUpResources(list);
}

/** `podCIDR` is the first of `podCIDRs`. Throws when the two say different things. */
function synchronizePodCidrs({ spec }: Node): void {
  const first = spec.podCIDRs?.[0];
  if (spec.podCIDR && first && spec.podCIDR !== first) {
    throw statusErrors.badRequest(
      `Node in version "v1" cannot be handled as a Node: conversion Error: v1.PodCIDR and v1.CIDRs[0] do not match ${spec.podCIDR} and ${first}`,
    );
  }
  if (first) spec.podCIDR = first;
  else if (spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
}
