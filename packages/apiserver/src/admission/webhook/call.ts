// Asks one webhook: writes the review, sends it, reads the verdict, passes on warnings and audit
// annotations, and makes of a refusal the answer to the client.

import type { Random } from '@keelson/apimachinery';
import { createUid } from '@keelson/apimachinery';
import {
  WebhookError,
  type WebhookAddress,
  type WebhookClient,
} from '../../transport/webhook-client.ts';
import { tracedReason } from '../traced-reason.ts';
import type { AdmissionAttributes } from '../admission.ts';
import type { CredentialsForHost } from '../kubeconfig.ts';
import type { VersionedObjects } from '../request-versions.ts';
import {
  callFailed,
  deniedBy,
  requestTimedOut,
  WebhookCallError,
  WebhookDenial,
} from './failures.ts';
import { assertDryRun, type Invocation } from './invocation.ts';
import { readReview, writeReview, type Verdict } from './review.ts';
import type { WebhookMetrics, WebhookOutcome, WebhookPhase } from './webhook-metrics.ts';

const httpsPort = 443;

export interface WebhookCaller {
  /**
   * What `use` makes of the verdict of a webhook that allows; `undefined` for one that could not be
   * asked and may be passed over. Throws the answer to the client otherwise, and what `use` throws.
   */
  ask<T>(question: Question, use: (verdict: Verdict) => T | Promise<T>): Promise<T | undefined>;
}

export interface Question {
  readonly invocation: Invocation;
  readonly attributes: AdmissionAttributes;
  readonly objects: VersionedObjects;
}

export interface WebhookCallerOptions {
  readonly phase: WebhookPhase;
  readonly client: WebhookClient;
  readonly random: Random;
  readonly metrics: WebhookMetrics;
  /** Who the server is to a host. Absent: nobody to anybody. */
  readonly credentialsFor?: CredentialsForHost | undefined;
}

export function createWebhookCaller(options: WebhookCallerOptions): WebhookCaller {
  const { phase, client, random, metrics, credentialsFor } = options;
  const post = async ({ invocation, attributes, objects }: Question): Promise<Verdict> => {
    const { address, timeoutMs } = invocation.webhook;
    const review = writeReview(invocation, attributes, objects, createUid(random));
    try {
      const { signal } = attributes;
      const credentials = credentialsFor?.(hostPortOf(address));
      const call = { address, body: review.body, timeoutMs, signal };
      const answer = await client.post(credentials === undefined ? call : { ...call, credentials });
      return readReview(answer, review, phase);
    } catch (error) {
      if (!(error instanceof WebhookError)) throw error;
      const { message, status: code } = error;
      throw new WebhookCallError(`failed to call webhook: ${message}`, { cause: error, code });
    }
  };
  return {
    async ask(question, use) {
      const { attributes } = question;
      const { webhook } = question.invocation;
      const finish = metrics.start(webhook.name, phase, attributes);
      try {
        assertDryRun(webhook, attributes);
        const verdict = await post(question);
        passOn(webhook.name, verdict, attributes);
        if (!verdict.allowed) throw new WebhookDenial(deniedBy(webhook.name, verdict.status));
        const used = await use(verdict);
        finish({ kind: 'allowed' });
        return used;
      } catch (error) {
        finish(outcomeOf(error, question));
        if (error instanceof WebhookDenial) {
          record(question, 'deny', error.answer);
          throw error.answer;
        }
        if (!(error instanceof WebhookCallError)) throw error;
        const answer = callFailed(webhook.name, error);
        record(question, 'error', answer);
        if (!webhook.ignoresFailure) throw answer;
        if (attributes.signal.aborted) throw requestTimedOut();
        return undefined;
      }
    },
  };
}

function outcomeOf(error: unknown, { invocation, attributes }: Question): WebhookOutcome {
  if (error instanceof WebhookDenial) return { kind: 'denied', code: error.answer.code };
  if (!(error instanceof WebhookCallError)) return { kind: 'internal-error' };
  const isIgnored = invocation.webhook.ignoresFailure;
  const { signal } = attributes;
  return { kind: 'failed', code: error.code, isIgnored, isCanceled: signal.aborted };
}

function hostPortOf({ url, service }: WebhookAddress): string {
  if (service !== undefined)
    return `${service.name}.${service.namespace}.svc:${service.port ?? httpsPort}`;
  const { hostname, port } = new URL(url ?? '');
  return `${hostname}:${port || httpsPort}`;
}

/** Also of a webhook that refuses. */
function passOn(
  name: string,
  { warnings, auditAnnotations }: Verdict,
  attributes: AdmissionAttributes,
): void {
  for (const text of warnings ?? []) attributes.warn(text);
  for (const [key, value] of Object.entries(auditAnnotations ?? {}))
    attributes.annotate(`${name}/${key}`, value);
}

function record(
  { invocation: { webhook }, attributes }: Question,
  outcome: 'deny' | 'error',
  refusal: Error,
): void {
  if (!attributes.trace.enabled) return;
  const by = `${webhook.configuration}/${webhook.name}`;
  const reason = tracedReason(attributes, refusal);
  attributes.trace.record({ stage: 'admission/webhook', by, outcome, reason });
}
