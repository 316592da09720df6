// Why a pending pod has no node: for each node the filter that refuses it and what it says, and the
// smallest changes that would place the pod. Every change was made to a copy of the cluster and put
// to the same filters; what they did not accept is not told.

import { nextTurn, type ExplainedNode, type SchedulingExplanation } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Change } from './change.ts';
import type { WhatIf, WhatIfAnswer } from './what-if.ts';

/** Nodes that are told of. */
const explainedNodesMax = 500;
/** Nodes for which remedies are looked for: those that refuse alike would say the same. */
const repairedNodesMax = 50;
const changesMax = 4;
/** Questions per node. */
const questionsMax = 200;
const remediesMax = 6;
const smallestMax = 12;

export async function explainPod(pod: Pod, whatIf: WhatIf): Promise<SchedulingExplanation> {
  const { nodes: all } = whatIf;
  const sentence = whatIf.sentence();
  const nodes: ExplainedNode[] = [];
  for (const { name } of all.slice(0, explainedNodesMax)) {
    nodes.push(explainNode(name, whatIf, nodes.length < repairedNodesMax));
    // Others have their turn: many questions may have been asked.
    await nextTurn();
  }
  const takers = nodes.filter(({ plugin }) => plugin === undefined);
  const isTaken = takers.length > 0;
  return {
    kind: 'SchedulingExplanation',
    apiVersion: 'keelson.dev/v1alpha1',
    pod: podReference(pod),
    outcome: isTaken ? 'schedulable' : 'unschedulable',
    message: isTaken ? `${takers.length} of ${all.length} nodes would take the pod` : sentence,
    nodes,
    nodesLeftOut: all.length - nodes.length,
    smallest: isTaken ? [] : smallestOf(nodes),
  };
}

export function podReference({ metadata }: Pod): SchedulingExplanation['pod'] {
  const { namespace = '', name = '', uid = '' } = metadata;
  return { namespace, name, uid };
}

function explainNode(node: string, whatIf: WhatIf, isRepaired: boolean): ExplainedNode {
  const answer = whatIf.ask(node, []);
  if (answer.rejection === undefined) return { node, reasons: [], remedies: [] };
  const { plugin, reasons } = answer.rejection;
  const remedies = isRepaired ? findRemedies(node, whatIf, answer) : [];
  const shown = remedies.map((changes) => changes.map(({ text, about }) => ({ text, about })));
  return { node, plugin, reasons, remedies: shown };
}

interface Step {
  readonly changes: readonly Change[];
  readonly answer: WhatIfAnswer;
}

/**
 * By number of changes, each step repairing what the filters object to next; the first number that
 * suffices is the smallest.
 */
function findRemedies(
  node: string,
  whatIf: WhatIf,
  first: WhatIfAnswer,
): readonly (readonly Change[])[] {
  let level: readonly Step[] = [{ changes: [], answer: first }];
  let questions = 0;
  for (let size = 1; size <= changesMax && level.length > 0; size++) {
    const found: (readonly Change[])[] = [];
    const open: Step[] = [];
    for (const { changes: before, answer } of level) {
      const settled = new Set<string>();
      for (const change of answer.proposals) {
        if (change.series !== undefined && settled.has(change.series)) continue;
        if (questions++ >= questionsMax) return keepNeeded(found, node, whatIf);
        const changes = [...before, change];
        const next = whatIf.ask(node, changes);
        if (next.rejection === undefined) {
          found.push(changes);
          if (change.series !== undefined) settled.add(change.series);
        }
        // What changes nothing about the refusal leads nowhere.
        else if (describe(next) !== describe(answer)) open.push({ changes, answer: next });
      }
    }
    const needed = keepNeeded(found, node, whatIf);
    if (needed.length > 0) return needed;
    level = open;
  }
  return [];
}

function describe({ rejection, proposals }: WhatIfAnswer): string {
  return JSON.stringify([rejection?.plugin, rejection?.reasons, proposals.map(({ text }) => text)]);
}

/** Those of which nothing can be left out. */
function keepNeeded(
  found: readonly (readonly Change[])[],
  node: string,
  whatIf: WhatIf,
): readonly (readonly Change[])[] {
  const isNeeded = (changes: readonly Change[]) =>
    changes.every((change) => {
      const others = changes.filter((other) => other !== change);
      return whatIf.ask(node, others).rejection !== undefined;
    });
  return found.filter(isNeeded).slice(0, remediesMax);
}

function smallestOf(nodes: readonly ExplainedNode[]): SchedulingExplanation['smallest'] {
  const all = nodes.flatMap(({ node, remedies }) => remedies.map((changes) => ({ node, changes })));
  const least = Math.min(...all.map(({ changes }) => changes.length));
  return all.filter(({ changes }) => changes.length === least).slice(0, smallestMax);
}
