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
import { callFailed, deniedBy, requestTimedOut, WebhookCallError } from './failures.ts';
import { assertDryRun, type Invocation } from './invocation.ts';
import { readReview, writeReview, type Verdict } from './review.ts';
import type { WebhookMetrics, WebhookPhase } from './webhook-metrics.ts';

const httpsPort = 443;

export interface WebhookCaller {
  /**
   * The verdict of a webhook that allows, `undefined` of one that could not be asked and may be
   * passed over. Throws the answer to the client otherwise.
   */
  ask(
    invocation: Invocation,
    attributes: AdmissionAttributes,
    objects: VersionedObjects,
  ): Promise<Verdict | undefined>;
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
  const post = async (
    invocation: Invocation,
    attributes: AdmissionAttributes,
    objects: VersionedObjects,
  ): Promise<Verdict> => {
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
      throw new WebhookCallError(`failed to call webhook: ${error.message}`, { cause: error });
    }
  };
  return {
    async ask(invocation, attributes, objects) {
      const { webhook } = invocation;
      assertDryRun(webhook, attributes);
      const finish = metrics.start(webhook.name, phase, attributes);
      let verdict: Verdict;
      try {
        verdict = await post(invocation, attributes, objects);
      } catch (error) {
        if (!(error instanceof WebhookCallError)) throw error;
        finish({ kind: 'failed', code: 500, isIgnored: webhook.ignoresFailure });
        const answer = callFailed(webhook.name, error);
        record(invocation, attributes, 'error', answer);
        if (!webhook.ignoresFailure) throw answer;
        if (attributes.signal.aborted) throw requestTimedOut();
        return undefined;
      }
      passOn(webhook.name, verdict, attributes);
      if (verdict.allowed) {
        finish({ kind: 'allowed' });
        return verdict;
      }
      const answer = deniedBy(webhook.name, verdict.status);
      finish({ kind: 'denied', code: answer.code });
      record(invocation, attributes, 'deny', answer);
      throw answer;
    },
  };
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
  { webhook }: Invocation,
  attributes: AdmissionAttributes,
  outcome: 'deny' | 'error',
  refusal: Error,
): void {
  if (!attributes.trace.enabled) return;
  const by = `${webhook.configuration}/${webhook.name}`;
  const reason = tracedReason(attributes, refusal);
  attributes.trace.record({ stage: 'admission/webhook', by, outcome, reason });
}
