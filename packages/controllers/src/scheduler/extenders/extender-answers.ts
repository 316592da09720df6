// Reads what extenders answer. Field names count without regard to case, as Go reads them, since
// extenders in other languages rely on it.

import { isJsonObject, type JsonObject, type JsonValue } from '@keelson/apimachinery';
import type { Candidate } from '../preemption/select-victims.ts';
import type { NodeState } from '../snapshot/node-state.ts';
import type { FilterAnswer } from './extender.ts';

export function readAnswer(body: Uint8Array): JsonValue {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8')) as JsonValue;
  } catch (cause) {
    throw new Error('the answer of the extender is not JSON', { cause });
  }
}

/** Throws the error that the extender tells of. */
export function readError(answer: JsonValue): JsonObject {
  const object = objectIn(answer, 'the answer');
  const error = field(object, 'Error');
  if (typeof error === 'string' && error !== '') throw new Error(error);
  return object;
}

export interface FilterQuestion {
  /** Of the extender. */
  readonly name: string;
  readonly nodes: readonly NodeState[];
  /** It was sent names. */
  readonly hasNames: boolean;
}

export function readFilterAnswer(answer: JsonValue, question: FilterQuestion): FilterAnswer {
  const object = readError(answer);
  const names = field(object, 'NodeNames');
  const list = field(object, 'Nodes');
  const kept =
    question.hasNames && names !== undefined && names !== null
      ? listIn(names, 'NodeNames').map((name) => textIn(name, 'NodeNames'))
      : list === undefined || list === null
        ? []
        : itemsOf(list).map(nameOf);
  const asked = new Map(question.nodes.map((node) => [node.name, node]));
  const nodes = [...new Set(kept)].map((name) => {
    const node = asked.get(name);
    if (node !== undefined) return node;
    const what = `claims a filtered node ${JSON.stringify(name)} which is not found in the input node list`;
    throw new Error(`extender ${JSON.stringify(question.name)} ${what}`);
  });
  return {
    nodes,
    failed: reasonsIn(object, 'FailedNodes', asked),
    unresolvable: reasonsIn(object, 'FailedAndUnresolvableNodes', asked),
  };
}

/** Node and score. */
export function readPriorities(answer: JsonValue): (readonly [string, number])[] {
  return listIn(answer ?? [], 'the answer').map((entry) => {
    const priority = objectIn(entry, 'a priority');
    const score = field(priority, 'Score') ?? 0;
    if (typeof score !== 'number' || !Number.isSafeInteger(score))
      throw new Error('a score of the extender is not a whole number');
    return [textIn(field(priority, 'Host') ?? '', 'Host'), score] as const;
  });
}

export function readPreemptionAnswer(
  answer: JsonValue,
  extender: string,
  candidates: readonly Candidate[],
): readonly Candidate[] {
  const object = objectIn(answer, 'the answer');
  const victims = objectIn(field(object, 'NodeNameToMetaVictims') ?? {}, 'NodeNameToMetaVictims');
  return Object.entries(victims).map(([nodeName, value]) => {
    const candidate = candidates.find(({ node }) => node.name === nodeName);
    if (candidate === undefined)
      throw new Error(`nodeinfo not found for node name ${JSON.stringify(nodeName)}`);
    const { node } = candidate;
    const meta = objectIn(value ?? {}, 'victims');
    const pods = listIn(field(meta, 'Pods') ?? [], 'Pods').map((pod) => {
      const uid = textIn(field(objectIn(pod, 'a victim'), 'UID') ?? '', 'UID');
      const victim = node.pods.get(uid);
      if (victim !== undefined) return victim;
      const claims = `claims to preempt pod (UID: &{${uid}}) on node: ${nodeName}`;
      throw new Error(`extender: ${extender} ${claims}, but the pod is not found on that node`);
    });
    const violations = field(meta, 'NumPDBViolations') ?? 0;
    return { node, victims: pods, budgetViolations: Number(violations) };
  });
}

function field(object: JsonObject, name: string): JsonValue | undefined {
  if (object[name] !== undefined) return object[name];
  const lower = name.toLowerCase();
  const key = Object.keys(object).find((candidate) => candidate.toLowerCase() === lower);
  return key === undefined ? undefined : object[key];
}

function reasonsIn(
  object: JsonObject,
  name: string,
  asked: ReadonlyMap<string, NodeState>,
): ReadonlyMap<string, string> {
  const reasons = Object.entries(objectIn(field(object, name) ?? {}, name));
  return new Map(
    reasons
      .filter(([node]) => asked.has(node))
      .map(([node, why]) => [node, textIn(why ?? '', name)]),
  );
}

function itemsOf(list: JsonValue): readonly JsonValue[] {
  return listIn(field(objectIn(list, 'Nodes'), 'items') ?? [], 'Nodes');
}

function nameOf(node: JsonValue): string {
  const metadata = objectIn(field(objectIn(node, 'a node'), 'metadata') ?? {}, 'metadata');
  return textIn(field(metadata, 'name') ?? '', 'name');
}

function objectIn(value: JsonValue, what: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw new Error(`${what} of the extender is not an object`);
}
function listIn(value: JsonValue, what: string): readonly JsonValue[] {
  if (Array.isArray(value)) return value;
  throw new Error(`${what} of the extender is not a list`);
}
function textIn(value: JsonValue, what: string): string {
  if (typeof value === 'string') return value;
  throw new Error(`${what} of the extender is not a text`);
}
