// One extender: an HTTP service that takes nodes out, scores them, chooses victims or binds, for pods
// that it is interested in. What it says is believed only about what it was asked: a node or a victim
// that was not in the question makes the answer an error. COMPAT: texts are kube-scheduler's.

import { encodeJson } from '@keelson/apimachinery';
import type { Container } from '@keelson/apimachinery/types/core.v1';
import type { ExtenderConfiguration } from '../configuration/extenders.ts';
import { scoreMax } from '../framework.ts';
import type { Candidate } from '../preemption/select-victims.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import type { PodSummary } from '../snapshot/pod-summary.ts';
import {
  readAnswer,
  readError,
  readFilterAnswer,
  readPreemptionAnswer,
  readPriorities,
} from './extender-answers.ts';

/** Where an extender is reached. */
export interface ExtenderClient {
  /** The status and body of the answer. Rejects as Go's client does, also when it takes too long. */
  post(
    url: string,
    body: Uint8Array,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<{ readonly status: number; readonly body: Uint8Array }>;
  close(): void;
}

export interface FilterAnswer {
  readonly nodes: readonly NodeState[];
  /** Why, by node. */
  readonly failed: ReadonlyMap<string, string>;
  /** The same for nodes where no victim would help. */
  readonly unresolvable: ReadonlyMap<string, string>;
}

export interface Extender {
  /** Its URL. */
  readonly name: string;
  readonly isIgnorable: boolean;
  isInterested(pod: PodSummary): boolean;
  /** Each is absent where the extender has no verb for it; each rejects when it fails. */
  filter?(pod: PodSummary, nodes: readonly NodeState[], signal: AbortSignal): Promise<FilterAnswer>;
  /** By node: what is added to the sum of scores. */
  prioritize?(
    pod: PodSummary,
    nodes: readonly NodeState[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>>;
  preempt?(
    pod: PodSummary,
    candidates: readonly Candidate[],
    signal: AbortSignal,
  ): Promise<readonly Candidate[]>;
  bind?(pod: PodSummary, nodeName: string, signal: AbortSignal): Promise<void>;
}

/** Extenders score up to that. */
const priorityMax = 10;

export function createExtender(config: ExtenderConfiguration, client: ExtenderClient): Extender {
  const { urlPrefix: name, filterVerb, prioritizeVerb, preemptVerb, bindVerb } = config;
  const send = async (verb: string, question: object, signal: AbortSignal) => {
    const url = `${name.replace(/\/+$/, '')}/${verb}`;
    const { timeoutMs } = config;
    const { status, body } = await client.post(url, encodeJson(question), { timeoutMs, signal });
    if (status === 200) return readAnswer(body);
    throw new Error(`failed ${verb} with extender at URL ${url}, code ${status}`);
  };
  const about = (pod: PodSummary, nodes: readonly NodeState[]) => ({
    Pod: pod.pod,
    ...(config.nodeCacheCapable
      ? { Nodes: null, NodeNames: nodes.map((node) => node.name) }
      : { Nodes: { metadata: {}, items: nodes.map(({ node }) => node) }, NodeNames: null }),
  });
  return {
    name,
    isIgnorable: config.ignorable,
    isInterested: ({ pod }) => wantsOneOf(config.managedResources, pod.spec),
    ...(filterVerb !== '' && {
      async filter(pod: PodSummary, nodes: readonly NodeState[], signal: AbortSignal) {
        const answer = await send(filterVerb, about(pod, nodes), signal);
        return readFilterAnswer(answer, { name, nodes, hasNames: config.nodeCacheCapable });
      },
    }),
    ...(prioritizeVerb !== '' && {
      async prioritize(pod: PodSummary, nodes: readonly NodeState[], signal: AbortSignal) {
        const scores = readPriorities(await send(prioritizeVerb, about(pod, nodes), signal));
        const scale = config.weight * (scoreMax / priorityMax);
        return new Map(scores.map(([node, score]) => [node, score * scale]));
      },
    }),
    ...(preemptVerb !== '' && {
      async preempt(pod: PodSummary, candidates: readonly Candidate[], signal: AbortSignal) {
        const question = { Pod: pod.pod, ...victimsOf(candidates, config.nodeCacheCapable) };
        return readPreemptionAnswer(await send(preemptVerb, question, signal), name, candidates);
      },
    }),
    ...(bindVerb !== '' && {
      async bind(pod: PodSummary, nodeName: string, signal: AbortSignal) {
        const { name: PodName, namespace: PodNamespace, uid: PodUID } = pod;
        const binding = { PodName, PodNamespace, PodUID, Node: nodeName };
        readError(await send(bindVerb, binding, signal));
      },
    }),
  };
}

function victimsOf(candidates: readonly Candidate[], hasNames: boolean) {
  const byNode = candidates.map(({ node, victims, budgetViolations }) => [
    node.name,
    {
      Pods: victims.map(({ uid, pod }) => (hasNames ? { UID: uid } : pod)),
      NumPDBViolations: budgetViolations,
    },
  ]);
  const victims: unknown = Object.fromEntries(byNode);
  return hasNames
    ? { NodeNameToVictims: null, NodeNameToMetaVictims: victims }
    : { NodeNameToVictims: victims, NodeNameToMetaVictims: null };
}

interface Containers {
  readonly containers: readonly Container[] | null;
  readonly initContainers?: readonly Container[];
}

/** Without resources of its own an extender is interested in all pods. */
function wantsOneOf(
  resources: readonly string[],
  { containers, initContainers }: Containers,
): boolean {
  if (resources.length === 0) return true;
  return [...(containers ?? []), ...(initContainers ?? [])].some(({ resources: wanted }) =>
    resources.some(
      (resource) =>
        wanted?.requests?.[resource] !== undefined || wanted?.limits?.[resource] !== undefined,
    ),
  );
}
