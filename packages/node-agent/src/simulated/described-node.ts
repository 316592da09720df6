// A simulated node as one line, the form of `keelson up --node`:
//
//   gpu-1,cpu=32,memory=128Gi,example.com/gpu=4,label:zone=a,taint:dedicated=gpu:NoSchedule
//   edge-1,cloud-provider=external
//
// The name comes first. `label:KEY=VALUE` is a label, `taint:KEY[=VALUE]:EFFECT` a taint,
// `cloud-provider` what the flag of that name is to a kubelet, everything else how much the node has
// of a resource. What is not said is as on any simulated node.

import {
  labelValueProblems,
  parseQuantity,
  qualifiedNameProblems,
  QuantityError,
  signOf,
  subdomainProblems,
} from '@keelson/apimachinery';
import type { Taint } from '@keelson/apimachinery/types/core.v1';
import { defaultNodeShape, type NodeShape } from './node-object.ts';

export interface DescribedNode {
  readonly name: string;
  readonly shape: NodeShape;
}

/** The description cannot be read; the message says where and why. */
export class NodeDescriptionError extends Error {
  constructor(text: string, why: string) {
    super(`node ${JSON.stringify(text)}: ${why}`);
    this.name = 'NodeDescriptionError';
  }
}

/** Throws NodeDescriptionError. */
export function parseDescribedNode(text: string): DescribedNode {
  const [name = '', ...parts] = text.split(',');
  const refuse: Refuse = (why) => {
    throw new NodeDescriptionError(text, why);
  };
  check(subdomainProblems(name), `${JSON.stringify(name)} is no name of a node`, refuse);
  const capacity = { ...defaultNodeShape.capacity };
  const labels: Record<string, string> = {};
  const taints: Taint[] = [];
  let cloud: Pick<NodeShape, 'cloudProvider'> = {};
  for (const part of parts) {
    const [, sort, rest = ''] = /^(?:(label|taint):)?(.*)$/s.exec(part) ?? [];
    if (sort === 'taint') taints.push(readTaint(rest, refuse));
    else {
      const [key, value] = readPair(rest, refuse);
      if (sort === 'label') labels[key] = readLabelValue(value, refuse);
      else if (key === 'cloud-provider') cloud = { cloudProvider: readProvider(value, refuse) };
      else capacity[key] = readAmount(value, refuse);
    }
  }
  return { name, shape: { capacity, labels, taints, ...cloud } };
}

type Refuse = (why: string) => never;

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

function readPair(text: string, refuse: Refuse): [key: string, value: string] {
  const at = text.indexOf('=');
  if (at < 0) return refuse(`${JSON.stringify(text)} is not of the form KEY=VALUE`);
  return [readKey(text.slice(0, at), refuse), text.slice(at + 1)];
}

function readTaint(text: string, refuse: Refuse): Taint {
  const [, key = '', value, effect = ''] = /^([^=:]*)(?:=([^:]*))?:([^:]*)$/.exec(text) ?? [];
  if (!effects.includes(effect))
    return refuse(`${JSON.stringify(text)} is no taint: KEY[=VALUE]:${effects.join('|')}`);
  const taint = { key: readKey(key, refuse), effect };
  return value === undefined ? taint : { ...taint, value: readLabelValue(value, refuse) };
}

function readKey(key: string, refuse: Refuse): string {
  check(qualifiedNameProblems(key), `${JSON.stringify(key)} is no key`, refuse);
  return key;
}

function readLabelValue(value: string, refuse: Refuse): string {
  check(labelValueProblems(value), `${JSON.stringify(value)} is no value`, refuse);
  return value;
}

function readProvider(value: string, refuse: Refuse): 'external' {
  return value === 'external'
    ? value
    : refuse(`${JSON.stringify(value)} is no cloud provider: external`);
}

function readAmount(text: string, refuse: Refuse): string {
  try {
    if (signOf(parseQuantity(text)) >= 0) return text;
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
  }
  return refuse(`${JSON.stringify(text)} is no amount: 8, 500m, 32Gi`);
}

function check(problems: readonly string[], what: string, refuse: Refuse): void {
  if (problems.length > 0) refuse(`${what}: ${problems.join('; ')}`);
}
