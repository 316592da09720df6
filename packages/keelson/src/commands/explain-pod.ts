// `keelson explain pod NAMESPACE/NAME`: why a pod has no node, and the smallest changes that would give
// it one. The scheduler of the server that is asked explains itself; nothing is done to the cluster.
// Exit codes: 0 it has a node or would get one, 1 it would not, 2 unreadable.

import { UnreadableError } from '@keelson/advisor';
import {
  isJsonObject,
  parseJson,
  type ExplainedNode,
  type SchedulingExplanation,
  type SchedulingRemedy,
} from '@keelson/apimachinery';
import type { Client } from '@keelson/client';
import { connectToServer } from '../analysis/live-server.ts';
import { kubeconfigOf, type AnalysisEnvironment, type SourceFlags } from './analysis-command.ts';

/** Gives the exit code. */
export async function runExplainPod(
  words: readonly string[],
  flags: SourceFlags,
  environment: AnalysisEnvironment,
): Promise<number> {
  const [, reference = '', ...more] = words;
  const [namespace = '', name = '', ...rest] = reference.split('/');
  if (namespace === '' || name === '' || rest.length + more.length > 0)
    throw new UnreadableError('a pod is named as NAMESPACE/NAME');
  if (flags.state !== undefined)
    throw new UnreadableError('a pod is explained by the scheduler of a server: files have none');
  const live = connectToServer(kubeconfigOf(flags, environment), flags.context);
  try {
    const explanation = await readExplanation(live.client, namespace, name);
    if (flags.output === 'json') environment.print(`${JSON.stringify(explanation, null, 2)}\n`);
    else environment.print(renderPodExplanation(explanation));
    return ['placed', 'schedulable'].includes(explanation.outcome) ? 0 : 1;
  } finally {
    live.close();
  }
}

async function readExplanation(client: Client, namespace: string, name: string) {
  const [ns, pod] = [encodeURIComponent(namespace), encodeURIComponent(name)];
  const path = `/debug/keelson/traces/pods/${ns}/${pod}`;
  const document = parseJson(await client.send({ method: 'GET', path }));
  if (!isJsonObject(document) || document['kind'] !== 'SchedulingExplanation')
    throw new UnreadableError('the server answers with something else: is it Keelson?');
  return document as unknown as SchedulingExplanation;
}

function renderPodExplanation(explanation: SchedulingExplanation): string {
  const { pod, message, nodes, nodesLeftOut, smallest, withheld } = explanation;
  const lines = [`pod ${pod.namespace}/${pod.name}: ${explanation.outcome}`, `  ${message}`];
  if (nodes.length > 0) lines.push('', 'nodes', ...groupsOf(nodes).flatMap(renderGroup));
  if (nodesLeftOut > 0) lines.push(`  and ${nodesLeftOut} more`);
  if (smallest.length > 0)
    lines.push('', 'the smallest changes that place it', ...renderAll(smallest));
  else if (explanation.outcome === 'unschedulable')
    lines.push('', 'no small change was found that would place it');
  if (withheld === true)
    lines.push('', 'not everything is shown: you may not list nodes, or not get some pods');
  return `${lines.join('\n')}\n`;
}

interface NodeGroup {
  readonly plugin: string | undefined;
  readonly reasons: string;
  readonly names: string[];
}

/** Nodes that say the same are one line. */
function groupsOf(nodes: readonly ExplainedNode[]): NodeGroup[] {
  const groups = new Map<string, NodeGroup>();
  for (const { node, plugin, reasons } of nodes) {
    const key = JSON.stringify([plugin, reasons]);
    const group = groups.get(key) ?? { plugin, reasons: reasons.join(', '), names: [] };
    group.names.push(node === '' ? '?' : node);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Names in a line. */
const namesMax = 5;

function renderGroup({ plugin, reasons, names }: NodeGroup): string[] {
  const hidden = names.length - namesMax;
  const shown = names.slice(0, namesMax).join(', ') + (hidden > 0 ? ` and ${hidden} more` : '');
  return [`  ${shown}`, `    ${plugin === undefined ? 'takes it' : `${plugin}: ${reasons}`}`];
}

function renderAll(smallest: SchedulingExplanation['smallest']): string[] {
  return smallest.map(({ node, changes }) => `  ${renderRemedy(changes)}${placeOf(node, changes)}`);
}

function renderRemedy(changes: SchedulingRemedy): string {
  return changes.map(({ text }) => text).join('; and ');
}

/** A change of a node names it already. */
function placeOf(node: string, changes: SchedulingRemedy): string {
  return node === '' || changes.some(({ about }) => about.kind === 'Node') ? '' : ` (node ${node})`;
}
