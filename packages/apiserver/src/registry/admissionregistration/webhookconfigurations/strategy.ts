// ValidatingWebhookConfigurations and MutatingWebhookConfigurations, which differ in one field.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { oneOf, required, type Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import type { ExpressionChecker } from '../../validation/expression-checker.ts';
import { labelSelector } from '../../validation/labels.ts';
import { dns1123Subdomain } from '../../validation/names.ts';
import {
  askedReviewVersions,
  hasAskedReviewVersion,
  reviewVersions,
} from '../../validation/review-versions.ts';
import { webhookClientConfig } from '../../validation/webhook-client.ts';
import { validateMatchConditions } from '../policy-expressions.ts';
import {
  defaultRules,
  failurePolicies,
  matchPolicies,
  reinvocationPolicies,
  validateRule,
} from '../rules.ts';

type Webhook = ValidatingWebhook & Pick<MutatingWebhook, 'reinvocationPolicy'>;
type WebhookConfiguration = (ValidatingWebhookConfiguration | MutatingWebhookConfiguration) & {
  webhooks?: Webhook[];
};

export function createValidatingWebhookStrategy(
  checker: ExpressionChecker,
): Strategy<ValidatingWebhookConfiguration> {
  return createStrategy(checker, defaultWebhook);
}

export function createMutatingWebhookStrategy(
  checker: ExpressionChecker,
): Strategy<MutatingWebhookConfiguration> {
  return createStrategy(checker, (webhook: Webhook) => {
    defaultWebhook(webhook);
    webhook.reinvocationPolicy ??= 'Never';
  });
}

function createStrategy<T extends WebhookConfiguration>(
  checker: ExpressionChecker,
  applyDefaults: (webhook: Webhook) => void,
): Strategy<T> {
  return {
    applyDefaults: (configuration) => configuration.webhooks?.forEach(applyDefaults),
    prepareForCreate: startGeneration,
    prepareForUpdate: (configuration, old) => {
      const changed = !isSemanticallyEqual(configuration.webhooks, old.webhooks);
      advanceGeneration(configuration, old, changed);
    },
    validate: (configuration) => validateWebhooks(configuration.webhooks ?? [], checker, strict),
    validateUpdate: (configuration, old) =>
      validateWebhooks(configuration.webhooks ?? [], checker, keptRequirements(old.webhooks ?? [])),
    allowUnconditionalUpdate: false,
    allowsBareFinalizers: true,
    tableCells: (configuration, nowMs) => [
      configuration.metadata.name,
      configuration.webhooks?.length ?? 0,
      age(configuration, nowMs),
    ],
  };
}

const timeoutSecondsDefault = 10;
const servicePort = 443;

function defaultWebhook(webhook: Webhook): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= timeoutSecondsDefault;
  const service = webhook.clientConfig?.service;
  if (service) service.port ??= servicePort;
  defaultRules(webhook.rules);
}

/** What is asked of webhooks; each is dropped where the stored ones do not keep it. */
interface Requirements {
  readonly noSideEffects: boolean;
  readonly askedReviewVersion: boolean;
  readonly uniqueNames: boolean;
  readonly validSelectorValues: boolean;
  readonly storedExpressions: ReadonlySet<string>;
}

const strict: Requirements = {
  noSideEffects: true,
  askedReviewVersion: true,
  uniqueNames: true,
  validSelectorValues: true,
  storedExpressions: new Set(),
};

const harmless: readonly string[] = ['None', 'NoneOnDryRun'];
const sideEffects: readonly string[] = ['None', 'NoneOnDryRun', 'Some', 'Unknown'];

function keptRequirements(old: readonly Webhook[]): Requirements {
  const selectorErrors: Errors = [];
  for (const webhook of old) {
    labelSelector(selectorErrors, '', webhook.namespaceSelector);
    labelSelector(selectorErrors, '', webhook.objectSelector);
  }
  return {
    noSideEffects: old.every(({ sideEffects: s }) => harmless.includes(s ?? '')),
    askedReviewVersion: old.every((webhook) => {
      const versions = webhook.admissionReviewVersions ?? [];
      return versions.length === 0 || hasAskedReviewVersion(versions);
    }),
    uniqueNames: new Set(old.map((webhook) => webhook.name)).size === old.length,
    validSelectorValues: selectorErrors.length === 0,
    storedExpressions: new Set(
      old.flatMap((webhook) => (webhook.matchConditions ?? []).map((c) => c.expression.trim())),
    ),
  };
}

function validateWebhooks(
  webhooks: readonly Webhook[],
  checker: ExpressionChecker,
  requirements: Requirements,
): FieldError[] {
  const errors: Errors = [];
  webhooks.forEach((webhook, i) => {
    const path = `webhooks[${i}]`;
    validateWebhook(errors, path, webhook, requirements);
    validateMatchConditions(errors, `${path}.matchConditions`, webhook.matchConditions, {
      session: checker.begin({ hasParams: false }),
      stored: requirements.storedExpressions,
    });
    const versions = webhook.admissionReviewVersions ?? [];
    reviewVersions(errors, `${path}.admissionReviewVersions`, versions, {
      requireAsked: requirements.askedReviewVersion,
      missingDetail: `must specify one of ${askedReviewVersions}`,
    });
    const { name } = webhook;
    const repeated = name && webhooks.findIndex((other) => other.name === name) < i;
    if (requirements.uniqueNames && repeated) {
      errors.push(fieldError.duplicate(`${path}.name`, name));
    }
  });
  return errors;
}

function validateWebhook(
  errors: Errors,
  path: string,
  webhook: Webhook,
  requirements: Requirements,
): void {
  fullyQualifiedName(errors, `${path}.name`, webhook.name);
  webhook.rules?.forEach((rule, i) => validateRule(errors, `${path}.rules[${i}]`, rule));
  const choice = (
    name: 'failurePolicy' | 'matchPolicy' | 'reinvocationPolicy',
    of: readonly string[],
  ) => {
    if (webhook[name] !== undefined) oneOf(errors, `${path}.${name}`, webhook[name], of);
  };
  choice('failurePolicy', failurePolicies);
  choice('matchPolicy', matchPolicies);
  const allowed = requirements.noSideEffects ? harmless : sideEffects;
  if (webhook.sideEffects === undefined || webhook.sideEffects === null) {
    const why = `must specify one of ${allowed.join(', ')}`;
    errors.push(fieldError.required(`${path}.sideEffects`, why));
  } else {
    oneOf(errors, `${path}.sideEffects`, webhook.sideEffects, allowed);
  }
  const { timeoutSeconds } = webhook;
  if (timeoutSeconds !== undefined && (timeoutSeconds > 30 || timeoutSeconds < 1)) {
    const why = 'the timeout value must be between 1 and 30 seconds';
    errors.push(fieldError.invalid(`${path}.timeoutSeconds`, timeoutSeconds, why));
  }
  const options = { allowInvalidValues: !requirements.validSelectorValues };
  labelSelector(errors, `${path}.namespaceSelector`, webhook.namespaceSelector, options);
  labelSelector(errors, `${path}.objectSelector`, webhook.objectSelector, options);
  choice('reinvocationPolicy', reinvocationPolicies);
  webhookClientConfig(errors, `${path}.clientConfig`, webhook.clientConfig ?? {});
}

/** At least three labels, so that names of webhooks do not clash. */
function fullyQualifiedName(errors: Errors, path: string, name: string): void {
  if (!required(errors, path, name)) return;
  const problems = dns1123Subdomain(name);
  if (problems.length > 0) {
    errors.push(fieldError.invalid(path, name, problems.join(',')));
  } else if (name.split('.').length < 3) {
    const why = 'should be a domain with at least three segments separated by dots';
    errors.push(fieldError.invalid(path, name, why));
  }
}
