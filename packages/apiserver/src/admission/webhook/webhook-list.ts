// The webhooks of all configurations in the order in which they are called: by name of the
// configuration, then as they stand in it. The list is made again after a configuration changed, so
// a webhook is in force when the write of its configuration returns.

import {
  compileLabelSelector,
  type KubeObject,
  type LabelMatcher,
  type LabelSelector,
} from '@keelson/apimachinery';
import type {
  MatchCondition,
  MutatingWebhook,
  MutatingWebhookConfiguration,
  RuleWithOperations,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import type { ObjectSource } from '../../object-source.ts';
import type { WebhookAddress } from '../../transport/webhook-client.ts';
import { asKind } from '../request-match.ts';

export interface Webhook {
  /** Tells webhooks apart that have the same name. */
  readonly id: string;
  readonly configuration: string;
  readonly name: string;
  readonly address: WebhookAddress;
  readonly rules: readonly RuleWithOperations[];
  readonly namespaceSelector: LabelMatcher;
  readonly objectSelector: LabelMatcher;
  readonly conditions: readonly MatchCondition[];
  /** Also called for requests on other versions of a resource that it names. */
  readonly matchesEquivalent: boolean;
  readonly ignoresFailure: boolean;
  readonly sideEffects: string | undefined;
  readonly timeoutMs: number;
  readonly reviewVersions: readonly string[];
  /** Called again when others changed what it had seen. */
  readonly isReinvoked: boolean;
}

export interface WebhookList {
  all(): readonly Webhook[];
}

/** Of manifests; they come first, and see configurations too. */
export interface WebhookSets {
  readonly webhooks: WebhookList;
  readonly manifests?: WebhookList | undefined;
}

export function createWebhookList(configurations: ObjectSource): WebhookList {
  let list: readonly Webhook[] | undefined;
  configurations.subscribe(() => (list = undefined));
  return {
    all: () => (list ??= webhooksOf(configurations.list())),
  };
}

function webhooksOf(configurations: readonly KubeObject[]): readonly Webhook[] {
  return configurations
    .map((object) => asKind<MutatingWebhookConfiguration>(object))
    .toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
    .flatMap(({ metadata, webhooks = [] }) =>
      webhooks.map((webhook, i) => compileWebhook(metadata.name ?? '', webhook, i)),
    );
}

const timeoutSecondsDefault = 10;

/** Validating webhooks have the same fields, but for the reinvocation policy. */
function compileWebhook(configuration: string, webhook: MutatingWebhook, index: number): Webhook {
  return {
    id: `${configuration}/${webhook.name}/${index}`,
    configuration,
    name: webhook.name,
    address: webhook.clientConfig,
    rules: webhook.rules ?? [],
    namespaceSelector: compileSelector(webhook.namespaceSelector),
    objectSelector: compileSelector(webhook.objectSelector),
    conditions: webhook.matchConditions ?? [],
    matchesEquivalent: webhook.matchPolicy === 'Equivalent',
    ignoresFailure: webhook.failurePolicy === 'Ignore',
    sideEffects: webhook.sideEffects ?? undefined,
    timeoutMs: (webhook.timeoutSeconds ?? timeoutSecondsDefault) * 1000,
    reviewVersions: webhook.admissionReviewVersions ?? [],
    isReinvoked: webhook.reinvocationPolicy === 'IfNeeded',
  };
}

/** What was stored has been validated; an absent selector selects everything. */
function compileSelector(selector: LabelSelector | undefined): LabelMatcher {
  return compileLabelSelector(selector ?? {});
}
