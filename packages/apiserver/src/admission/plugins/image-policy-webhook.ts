// ImagePolicyWebhook (off): a server outside of the cluster decides which images pods may use. It
// is sent an ImageReview (imagepolicy.k8s.io/v1alpha1) with the images, the namespace and those
// annotations of the pod that are meant for it, whose keys have `.image-policy.k8s.io/` in them.
//
// - Creations and updates of pods are asked with containers and init containers, requests on
//   `ephemeralcontainers` with the ephemeral ones alone. Dry runs are asked too.
// - Answers are remembered for a while by what was asked, with one time for yes and one for no.
// - A server that cannot be asked is tried again a few times, later and later. Then the
//   configuration decides: refuse, or let through with an annotation on the pod and for the audit.

import { sleep, type Clock, type Random } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { WebhookError, type WebhookClient } from '../../transport/webhook-client.ts';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import type { KubeconfigServer } from '../kubeconfig.ts';
import { asKind, handling, isAbout } from '../request-match.ts';

export interface ImagePolicyConfiguration {
  readonly kubeConfigFile: string;
  /** How long answers are remembered; 0: not at all. */
  readonly allowMs: number;
  readonly denyMs: number;
  /** The first wait before a server is asked again. */
  readonly backoffMs: number;
  readonly defaultAllow: boolean;
}

export interface ImagePolicyDependencies {
  readonly configuration: ImagePolicyConfiguration;
  readonly server: KubeconfigServer;
  readonly client: WebhookClient;
  readonly clock: Clock;
  readonly random: Random;
}

interface ReviewSpec {
  readonly containers?: readonly { readonly image?: string }[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly namespace?: string;
}

interface ReviewStatus {
  readonly allowed: boolean;
  readonly reason: string;
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

const auditPrefix = 'imagepolicywebhook.image-policy.k8s.io/';
const failedOpenKey = 'alpha.image-policy.k8s.io/failed-open';

export function createImagePolicyWebhook(dependencies: ImagePolicyDependencies): AdmissionPlugin {
  const { configuration, clock } = dependencies;
  const { allowMs, denyMs, defaultAllow } = configuration;
  const remembered = createAnswers(clock);
  return {
    name: 'ImagePolicyWebhook',
    handles: handling('CREATE', 'UPDATE'),
    async validate(attributes) {
      const spec = reviewOf(attributes);
      if (spec === undefined) return;
      const key = JSON.stringify(spec);
      let status = remembered.get(key);
      if (status === undefined) {
        try {
          status = await ask(dependencies, spec, attributes.signal);
        } catch (error) {
          if (!(error instanceof WebhookError)) throw error;
          if (!defaultAllow) throw admissionForbidden(attributes, error.message);
          letThrough(attributes);
          return;
        }
        remembered.put(key, status, status.allowed ? allowMs : denyMs);
      }
      for (const [name, value] of Object.entries(status.auditAnnotations))
        attributes.annotate(auditPrefix + name, value);
      if (!status.allowed) throw admissionForbidden(attributes, refusalText(status));
    },
  };
}

function refusalText({ reason }: ReviewStatus): string {
  if (reason === '') return 'one or more images rejected by webhook backend';
  return `image policy webhook backend denied one or more images: ${reason}`;
}

/** COMPAT: the pod is marked, though validating plugins change nothing otherwise. */
function letThrough(attributes: AdmissionAttributes): void {
  attributes.annotate(`${auditPrefix}failed-open`, 'true');
  const { object } = attributes;
  if (object === undefined) return;
  object.metadata.annotations = { ...object.metadata.annotations, [failedOpenKey]: 'true' };
}

/** Undefined for requests that are none of its business. */
function reviewOf(attributes: AdmissionAttributes): ReviewSpec | undefined {
  const { object, subresource, namespace } = attributes;
  if (object === undefined || !isAbout(attributes, '', 'pods')) return undefined;
  if (subresource !== '' && subresource !== 'ephemeralcontainers') return undefined;
  const { spec, metadata } = asKind<Pod>(object);
  const containers =
    subresource === ''
      ? [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
      : (spec?.ephemeralContainers ?? []);
  const annotations = Object.entries(metadata.annotations ?? {})
    .filter(([key]) => key.includes('.image-policy.k8s.io/'))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...(containers.length > 0 && {
      containers: containers.map(({ image }) => (image ? { image } : {})),
    }),
    ...(annotations.length > 0 && { annotations: Object.fromEntries(annotations) }),
    ...(namespace !== '' && { namespace }),
  };
}

const requestTimeoutMs = 30_000;
const triesMax = 5;
const backoffFactor = 1.5;
const backoffJitter = 0.2;
const meta = { kind: 'ImageReview', apiVersion: 'imagepolicy.k8s.io/v1alpha1' };

/** Throws WebhookError when no answer is to be had. */
async function ask(
  { configuration, server, client, clock, random }: ImagePolicyDependencies,
  spec: ReviewSpec,
  signal: AbortSignal,
): Promise<ReviewStatus> {
  const review = { ...meta, metadata: {}, spec, status: { allowed: false } };
  const body = Buffer.from(JSON.stringify(review));
  let waitMs = configuration.backoffMs;
  for (let tries = 1; ; tries++) {
    try {
      const call = { ...server, body, timeoutMs: requestTimeoutMs, tellsTimeout: false, signal };
      return readStatus(await client.post(call));
    } catch (error) {
      const isOver = tries === triesMax || configuration.backoffMs === 0 || signal.aborted;
      if (isOver || !isPassing(error)) throw error;
    }
    await sleep(clock, waitMs * (1 + backoffJitter * random.float()), signal);
    waitMs *= backoffFactor;
  }
}

const passingStatuses: ReadonlySet<number> = new Set([429, 500, 504]);

/** Whether it may well be another time. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof WebhookError)) return false;
  if (error.status !== 0) return passingStatuses.has(error.status);
  const { cause } = error;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNRESET';
}

function readStatus(body: Uint8Array): ReviewStatus {
  const review = parsed(body);
  if (review['kind'] !== meta.kind || review['apiVersion'] !== meta.apiVersion)
    throw new WebhookError('the answer is no ImageReview of imagepolicy.k8s.io/v1alpha1', {});
  const status = fieldsOf(review['status']);
  const annotations = Object.entries(fieldsOf(status['auditAnnotations']));
  return {
    allowed: status['allowed'] === true,
    reason: typeof status['reason'] === 'string' ? status['reason'] : '',
    auditAnnotations: Object.fromEntries(
      annotations.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    ),
  };
}

function parsed(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(JSON.parse(Buffer.from(body).toString()));
  } catch (cause) {
    throw new WebhookError('the answer is no JSON', { cause });
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : {};
}

const answersMax = 1024;

/** The oldest are forgotten first. */
function createAnswers(clock: Clock) {
  const answers = new Map<string, { readonly status: ReviewStatus; readonly untilMs: number }>();
  return {
    get(key: string): ReviewStatus | undefined {
      const answer = answers.get(key);
      return answer !== undefined && clock.monotonic() < answer.untilMs ? answer.status : undefined;
    },
    put(key: string, status: ReviewStatus, forMs: number): void {
      answers.delete(key);
      answers.set(key, { status, untilMs: clock.monotonic() + forMs });
      if (answers.size <= answersMax) return;
      const oldest = answers.keys().next();
      if (oldest.done !== true) answers.delete(oldest.value);
    },
  };
}
