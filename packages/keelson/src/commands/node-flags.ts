// The flags of `keelson up` that say which nodes are simulated and what pods do on them.

import { readFileSync } from 'node:fs';
import { InvalidArgumentError, type Command } from 'commander';
import { parseYaml } from '@keelson/apimachinery';
import {
  NodeDescriptionError,
  nodesMax,
  parseDescribedNode,
  parseNodeRules,
  type DescribedNode,
} from '@keelson/node-agent';
import type { NodesSettings } from '../start-nodes.ts';

export interface NodeFlags {
  readonly nodes: number;
  readonly node: readonly DescribedNode[];
  readonly nodeRules?: string;
}

export function addNodeFlags(command: Command): Command {
  return command
    .option('--nodes <count>', 'how many nodes are simulated', parseCount, 1)
    .option(
      '--node <description>',
      'one more simulated node: NAME[,cpu=8,memory=32Gi,label:KEY=VALUE,taint:KEY=VALUE:EFFECT,cloud-provider=external]',
      addNode,
      [],
    )
    .option('--node-rules <file>', 'what pods do on simulated nodes');
}

/** Throws NodeRulesError, DecodeError, and what reading the file throws. */
export function readNodes({ nodes: count, node: described, nodeRules }: NodeFlags): NodesSettings {
  if (nodeRules === undefined) return { count, described };
  const rules = parseNodeRules(parseYaml(readFileSync(nodeRules, 'utf8')).value);
  return { count, described, rules };
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > nodesMax)
    throw new InvalidArgumentError(`a number from 0 to ${nodesMax}.`);
  return Number(text);
}

function addNode(text: string, others: readonly DescribedNode[]): DescribedNode[] {
  try {
    return [...others, parseDescribedNode(text)];
  } catch (error) {
    if (!(error instanceof NodeDescriptionError)) throw error;
    throw new InvalidArgumentError(error.message);
  }
}
