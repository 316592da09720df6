// The rules of a file: which containers behave how. The file is YAML:
//
//   apiVersion: keelson.dev/v1alpha1
//   kind: NodeRules
//   rules:
//   - match:
//       images: ['*/worker:*']      also namespaces, names and containers
//       labels: app=web
//     readyAfter: 2s
//     logs: [hello]
//
// Everything in `match` must hold; without it a rule matches every container. For each field the
// first rule that has it decides, after the annotations of the pod:
//
//   keelson.dev/simulate-FIELD              all its containers, without init containers
//   keelson.dev/simulate-FIELD.CONTAINER    this one, whatever it is

import {
  isJsonObject,
  parseLabelSelector,
  type JsonObject,
  type JsonValue,
  type LabelMatcher,
} from '@keelson/apimachinery';
import type { Container, Pod } from '@keelson/apimachinery/types/core.v1';
import { BehaviourError } from './behaviour-error.ts';
import { behaviourFields, readField, type PartialBehaviour } from './behaviour-fields.ts';
import { defaultBehaviour, type ContainerBehaviour } from './container-behaviour.ts';
import { globMatcher } from './glob.ts';

/** A file of rules that cannot be used; the message says where and why. */
export class NodeRulesError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'NodeRulesError';
  }
}

export type ContainerRole = 'init' | 'sidecar' | 'main' | 'ephemeral';
export interface ContainerInPod {
  readonly pod: Pod;
  readonly container: Container;
  readonly role: ContainerRole;
}
export interface NodeRules {
  behaviourOf(subject: ContainerInPod): ContainerBehaviour;
}

const annotationPrefix = 'keelson.dev/simulate-';
const rulesMax = 1_000;

interface Rule {
  readonly matches: (subject: ContainerInPod) => boolean;
  readonly behaviour: PartialBehaviour;
}

export const noNodeRules: NodeRules = createNodeRules([]);

/** Throws NodeRulesError. */
export function parseNodeRules(document: JsonValue): NodeRules {
  if (!isJsonObject(document)) throw new NodeRulesError('node rules are an object');
  const { apiVersion, kind, rules = [], ...others } = document;
  if (apiVersion !== 'keelson.dev/v1alpha1' || kind !== 'NodeRules')
    throw new NodeRulesError('node rules have apiVersion keelson.dev/v1alpha1 and kind NodeRules');
  refuseOthers(others, 'node rules');
  if (!Array.isArray(rules) || rules.length > rulesMax)
    throw new NodeRulesError(`rules: a list of at most ${rulesMax} is expected`);
  return createNodeRules(
    rules.map((rule, at) => {
      try {
        return readRule(rule);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new NodeRulesError(`rules[${at}]: ${why}`, cause);
      }
    }),
  );
}

function createNodeRules(rules: readonly Rule[]): NodeRules {
  return {
    behaviourOf(subject) {
      const { restartPolicy = 'Always' } = subject.pod.spec ?? {};
      const endsByItself =
        subject.role === 'init' || (subject.role === 'main' && restartPolicy !== 'Always');
      const matching = rules.filter((rule) => rule.matches(subject)).map((rule) => rule.behaviour);
      const base = defaultBehaviour(endsByItself);
      // Those of init containers end at once unless something says otherwise.
      const quick = subject.role === 'init' ? { ...base, runForMs: [0] } : base;
      return Object.assign({}, quick, ...matching.toReversed(), annotated(subject));
    },
  };
}

const annotationFields = new Map(
  Object.entries(behaviourFields)
    .filter(([, field]) => field.onlyInRules !== true)
    .map(([name]) => [name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), name]),
);

/** Annotations that cannot be read say nothing; `annotationProblems` names them. */
function annotated({ pod, container, role }: ContainerInPod): PartialBehaviour {
  const annotations = Object.entries(pod.metadata?.annotations ?? {});
  const found = annotations.flatMap(([key, value]): { own: boolean; says: PartialBehaviour }[] => {
    const field = annotatedField(key);
    if (field === undefined || (field.container ?? container.name) !== container.name) return [];
    const own = field.container !== undefined;
    if (!own && role !== 'main') return [];
    const says = tryField(field.name, value);
    return typeof says === 'string' ? [] : [{ own, says }];
  });
  const ordered = found.toSorted((a, b) => Number(a.own) - Number(b.own));
  return Object.assign({}, ...ordered.map(({ says }) => says));
}

/** One sentence for each annotation that says nothing. */
export function annotationProblems(pod: Pod): string[] {
  return Object.entries(pod.metadata?.annotations ?? {}).flatMap(([key, value]) => {
    if (!key.startsWith(annotationPrefix)) return [];
    const field = annotatedField(key);
    if (field === undefined) return [`annotation ${key} is not known`];
    const says = tryField(field.name, value);
    return typeof says === 'string' ? [`annotation ${key}: ${says}`] : [];
  });
}

function annotatedField(key: string) {
  if (!key.startsWith(annotationPrefix)) return undefined;
  const [written = '', ...rest] = key.slice(annotationPrefix.length).split('.');
  const name = annotationFields.get(written);
  if (name === undefined) return undefined;
  return { name, container: rest.length === 0 ? undefined : rest.join('.') };
}

function tryField(name: string, value: string): PartialBehaviour | string {
  try {
    return readField(name, value);
  } catch (error) {
    if (error instanceof BehaviourError) return error.message;
    throw error;
  }
}

function readRule(value: JsonValue): Rule {
  if (!isJsonObject(value)) throw new NodeRulesError('a rule is an object');
  const { match = {}, ...fields } = value;
  if (!isJsonObject(match)) throw new NodeRulesError('match is an object');
  const behaviour = Object.entries(fields).map(([name, field]) => readField(name, field ?? null));
  return { matches: readMatch(match), behaviour: Object.assign({}, ...behaviour) };
}

function readMatch(match: JsonObject): Rule['matches'] {
  const { images, namespaces, names, containers, labels, ...others } = match;
  refuseOthers(others, 'match');
  const image = globs('images', images);
  const namespace = globs('namespaces', namespaces);
  const name = globs('names', names);
  const containerName = globs('containers', containers);
  const label = selector(labels);
  return ({ pod: { metadata }, container }) =>
    image(container.image ?? '') &&
    namespace(metadata?.namespace ?? '') &&
    name(metadata?.name ?? '') &&
    containerName(container.name) &&
    label.matches(metadata?.labels ?? {});
}

function globs(field: string, value: JsonValue | undefined): (text: string) => boolean {
  if (value === undefined) return () => true;
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
  if (!isList) throw new NodeRulesError(`match.${field}: a list of texts is expected`);
  const matchers = (value as readonly string[]).map(globMatcher);
  return (text) => matchers.some((matches) => matches(text));
}

function selector(value: JsonValue | undefined): Pick<LabelMatcher, 'matches'> {
  if (value === undefined) return { matches: () => true };
  if (typeof value !== 'string')
    throw new NodeRulesError('match.labels: a selector as text is expected');
  return parseLabelSelector(value);
}

function refuseOthers(others: object, where: string): void {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new NodeRulesError(`${where}: unknown field ${JSON.stringify(unknown)}`);
}
