// Explanations as text for people: the caller, each request with what allowed it or what came close,
// and the changes that were tried, with what else each of them would open.

import { describeIdentity, type Identity } from '../rbac/identities.ts';
import { describeObject, type Grant } from '../rbac/policy.ts';
import { describeScoped } from '../rbac/rights-diff.ts';
import type { OpenedRight } from '../rbac/counterfactuals.ts';
import { describeQuestion, type PolicyRule } from '../rbac/rules.ts';
import type { HeldRule } from '../rbac/state.ts';
import type { Explanation, NearMiss, TriedChange } from './explanation.ts';

/** `User jane, in the groups devs, system:authenticated`. */
export function renderCaller(who: Identity): string {
  const groups = who.groups.filter((group) => group !== '');
  return `${describeIdentity(who)}${groups.length === 0 ? '' : `, in the groups ${groups.join(', ')}`}`;
}

export function renderExplanation(explanation: Explanation): string {
  const { question, isAuthorized, answer } = explanation;
  const verdict = !isAuthorized
    ? 'refused'
    : isRefused(explanation)
      ? 'authorized, but refused'
      : 'allowed';
  return [
    `${describeQuestion(question)}: ${verdict}`,
    ...(isAuthorized ? renderAllowed(explanation) : renderRefused(explanation)),
    ...(answer === undefined ? [] : renderAnswer(explanation)),
    '',
  ].join('\n');
}

/** Whether something after authorization said no. */
function isRefused({ answer }: Explanation): boolean {
  return answer !== undefined && answer.code >= 400 && answer.code !== 404;
}

function renderAllowed({ authorizer, reason, matches }: Explanation): string[] {
  if (matches.length === 0) return [`  by ${authorizer}${reason === '' ? '' : `: ${reason}`}`];
  return ['  by', ...matches.map((held) => `    ${renderHeld(held)}`)];
}

function renderRefused({ reason, nearMisses, changes }: Explanation): string[] {
  const confirmed = changes.filter((change) => change.confirmed);
  return [
    `  ${reason === '' ? 'no rule that the caller holds allows it' : reason}`,
    ...(nearMisses.length === 0 ? [] : ['  close to it']),
    ...nearMisses.map((miss) => `    ${renderNearMiss(miss)}`),
    ...(confirmed.length === 0
      ? ['  no change of a role or binding was found that would allow it']
      : ['  would allow it (each was tried on a copy of the cluster)']),
    ...confirmed.flatMap(renderChange),
  ];
}

function renderAnswer({ answer, refusals }: Explanation): string[] {
  if (answer === undefined) return [];
  const { code, message } = answer;
  const told = refusals.some(({ reason }) => reason === message);
  return [
    ...refusals.map(({ stage, by, reason }) => `  ${stage} by ${by}: ${shortened(reason)}`),
    `  the answer is ${code}${message === '' || told ? '' : `: ${shortened(message)}`}`,
  ];
}

const messageLengthMax = 240;

/** On one line; some messages list every right that is missing. */
function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > messageLengthMax ? `${line.slice(0, messageLengthMax)}…` : line;
}

/** `RoleBinding shop/devs (Group devs) of ClusterRole view, rule 3: get, list pods`. */
export function renderHeld({ grant, index, rule }: HeldRule): string {
  return `${renderGrant(grant)}, rule ${index}: ${renderRule(rule)}`;
}

function renderGrant(grant: Grant): string {
  const { binding, subject, roleRef, namespace } = grant;
  const whom = `${subject.kind} ${subject.namespace === undefined ? '' : `${subject.namespace}/`}${subject.name}`;
  const role =
    roleRef.kind === 'Role'
      ? `Role ${namespace}/${roleRef.name}`
      : `${roleRef.kind} ${roleRef.name}`;
  return `${describeObject(binding)} (${whom}) of ${role}`;
}

const wordsMax = 8;

/** `get, list pods, services`; long lists are cut off. */
export function renderRule(rule: PolicyRule): string {
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
  const urls = nonResourceURLs ?? [];
  if (urls.length > 0) return `${some(verbs)} ${some(urls)}`;
  const groups = (apiGroups ?? []).filter((group) => group !== '');
  const names = resourceNames ?? [];
  const of = groups.length === 0 ? '' : ` of ${some(groups)}`;
  return `${some(verbs)} ${some(resources)}${of}${names.length === 0 ? '' : ` named ${some(names)}`}`;
}

function some(values: readonly string[] | null | undefined): string {
  const list = values ?? [];
  const more = list.length - wordsMax;
  return more > 0 ? `${list.slice(0, wordsMax).join(', ')} and ${more} more` : list.join(', ');
}

function renderNearMiss({ grant, why }: NearMiss): string {
  return `${renderGrant(grant)}: ${why}`;
}

function renderChange(change: TriedChange, index: number): string[] {
  return [`    ${index + 1}. ${change.summary}`, `       ${renderOpened(change.opens)}`];
}

const openedMax = 4;

function renderOpened(opens: readonly OpenedRight[]): string {
  if (opens.length === 0) return 'opens nothing else';
  const lines = opens.map(
    (right) => `${describeIdentity(right.identity)} could ${describeScoped(right)}`,
  );
  const more = lines.length - openedMax;
  return `also opens ${lines.length}: ${lines.slice(0, openedMax).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}
