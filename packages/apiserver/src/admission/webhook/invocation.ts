// Whether a webhook is called for a request, and in which version it sees the objects. In
// kube-apiserver's order: selectors, rules, rules for equivalent resources, match conditions. What a
// selector could not find out only counts for requests that the rules name.

import {
  statusErrors,
  type GroupVersionKind,
  type GroupVersionResource,
} from '@keelson/apimachinery';
import type { ObjectSource } from '../../object-source.ts';
import { admissionForbidden, type AdmissionAttributes } from '../admission.ts';
import { matchesRule } from '../match/rule-matcher.ts';
import { selectsNamespace, selectsObject } from '../match/selector-matcher.ts';
import type { RequestVersions, VersionedObjects } from '../request-versions.ts';
import type { Webhook, WebhookSets } from './webhook-list.ts';

export interface Invocation {
  readonly webhook: Webhook;
  readonly gvr: GroupVersionResource;
  readonly gvk: GroupVersionKind;
}

/** Judges the match conditions of a webhook; `error` has the text of those that failed. */
export type JudgeConditions = (
  invocation: Invocation,
  attributes: AdmissionAttributes,
  objects: VersionedObjects,
) => Promise<{ readonly matches: boolean; readonly error?: string }>;

export interface InvocationDependencies {
  readonly namespaces: ObjectSource;
  readonly versions: RequestVersions;
  readonly judgeConditions: JudgeConditions;
}

const exemptKinds: ReadonlySet<string> = new Set([
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
]);

/** SECURITY: nobody must be able to lock everyone out of the configuration that locks them out. */
function isExempt({ gvk }: AdmissionAttributes): boolean {
  return gvk.group === 'admissionregistration.k8s.io' && exemptKinds.has(gvk.kind);
}

/** The webhooks that may be concerned by a request, in order. */
export function webhooksFor(
  { webhooks, manifests }: WebhookSets,
  attributes: AdmissionAttributes,
): readonly Webhook[] {
  const own = isExempt(attributes) ? [] : webhooks.all();
  return manifests === undefined ? own : [...manifests.all(), ...own];
}

/** Undefined when the webhook is not concerned. Throws the answer when that cannot be known. */
export async function findInvocation(
  webhook: Webhook,
  attributes: AdmissionAttributes,
  dependencies: InvocationDependencies,
): Promise<Invocation | undefined> {
  const { namespaces, versions } = dependencies;
  let selectorError: unknown;
  try {
    if (!selectsNamespace(webhook.namespaceSelector, attributes, namespaces)) return undefined;
  } catch (error) {
    selectorError = error;
  }
  if (!selectsObject(webhook.objectSelector, attributes)) return undefined;
  const invocation =
    matchExactly(webhook, attributes) ?? matchEquivalent(webhook, attributes, versions);
  if (invocation === undefined) return undefined;
  if (selectorError !== undefined) throw selectorError;
  return (await conditionsHold(invocation, attributes, dependencies)) ? invocation : undefined;
}

function matchExactly(webhook: Webhook, attributes: AdmissionAttributes): Invocation | undefined {
  if (!webhook.rules.some((rule) => matchesRule(rule, attributes))) return undefined;
  return { webhook, gvr: attributes.gvr, gvk: attributes.gvk };
}

function matchEquivalent(
  webhook: Webhook,
  attributes: AdmissionAttributes,
  versions: RequestVersions,
): Invocation | undefined {
  if (!webhook.matchesEquivalent) return undefined;
  const { gvr: own, subresource, operation, namespace } = attributes;
  const others = versions
    .equivalents(own)
    .filter((gvr) => gvr.group !== own.group || gvr.version !== own.version);
  for (const rule of webhook.rules)
    for (const gvr of others) {
      if (!matchesRule(rule, { gvr, subresource, operation, namespace })) continue;
      const gvk = versions.kindOf(gvr, subresource);
      if (gvk !== undefined) return { webhook, gvr, gvk };
    }
  return undefined;
}

async function conditionsHold(
  invocation: Invocation,
  attributes: AdmissionAttributes,
  { versions, judgeConditions }: InvocationDependencies,
): Promise<boolean> {
  const { webhook, gvr } = invocation;
  if (webhook.conditions.length === 0) return true;
  const objects = await versions.show(attributes, gvr);
  const { matches, error } = await judgeConditions(invocation, attributes, objects);
  if (error === undefined) return matches;
  if (webhook.ignoresFailure) return false;
  throw admissionForbidden(attributes, error);
}

/** 400 for a dry run of which the webhook might make something real. */
export function assertDryRun(webhook: Webhook, { dryRun }: AdmissionAttributes): void {
  const { name, sideEffects } = webhook;
  if (!dryRun || sideEffects === 'None' || sideEffects === 'NoneOnDryRun') return;
  throw statusErrors.badRequest(
    `admission webhook ${JSON.stringify(name)} does not support dry run`,
  );
}
