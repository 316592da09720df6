// Signs approved requests for Kubernetes' own signers with the authority of each, or says why not: a
// request that breaks its signer's rules gets the condition Failed. Requests for other signers, and
// for those that have no authority here, are somebody else's.

import type { CertificateSigningRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1';
import { formatTime, isConditionTrue, isStatusError } from '@keelson/apimachinery';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf } from '../machinery/controller.ts';
import { certificateSigningRequestsResource } from '../machinery/resources.ts';
import { runController } from '../machinery/run-controller.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';
import { requestPem, type CertificateIssuer } from './certificate-issuer.ts';
import { isOwnSigner, signerProblem } from './signer-rules.ts';

export interface CertificateSigningOptions {
  readonly issuer: CertificateIssuer;
  /** `--cluster-signing-duration`: how long certificates last, and at most. A year by default. */
  readonly durationMs?: number | undefined;
}

const minuteMs = 60_000;
const defaultDurationMs = 365 * 24 * 60 * minuteMs;
/** A request for less would end about when it begins. */
const durationMinMs = 10 * minuteMs;
// Clocks of those who check may be behind.
const backdateMs = 5 * minuteMs;
/** From here on the time by which a certificate begins earlier is taken from its end. */
const longMs = 8 * 60 * minuteMs;

export function createCertificateSigningController(
  { client, informers, clock, log, metrics }: ControllerContext,
  { issuer, durationMs = defaultDurationMs }: CertificateSigningOptions,
): Controller {
  const queue = createWorkQueue({ clock, meter: metrics.workQueue('certificate') });
  const requests = informers.informer<CertificateSigningRequest>(
    certificateSigningRequestsResource,
  );
  const resource = client.resource<CertificateSigningRequest>(certificateSigningRequestsResource);
  const reconcile = async (name: string, signal: AbortSignal) => {
    const request = requests.store.get('', name);
    if (request === undefined || !isToBeSigned(request)) return;
    const pem = requestPem(request);
    const usages = request.spec.usages ?? [];
    const signerName = request.spec.signerName ?? '';
    const problem = signerProblem(signerName, issuer.readRequest(pem), usages);
    const now = clock.now();
    const signed = (): CertificateSigningRequest => {
      const wantedMs = lifetime(request, durationMs);
      const notAfterMs = now + wantedMs - (wantedMs < longMs ? 0 : backdateMs);
      const certificate = issuer.sign(signerName, pem, {
        usages,
        notBeforeMs: now - backdateMs,
        notAfterMs,
      });
      const base64 = Buffer.from(certificate).toString('base64');
      return { ...request, status: { ...request.status, certificate: base64 } };
    };
    const update = problem === undefined ? signed() : failed(request, problem, now);
    try {
      await resource.update(update, { subresource: 'status', signal });
    } catch (error) {
      if (!isStatusError(error, 'NotFound')) throw error;
    }
  };
  return {
    async run(signal) {
      const enqueue = (request: CertificateSigningRequest) =>
        isToBeSigned(request) &&
        issuer.signsFor(request.spec.signerName ?? '') &&
        queue.add(keyOf(request));
      const end = requests.addHandler({ onAdd: enqueue, onUpdate: enqueue });
      const onError = (error: unknown, name: string) =>
        log.warn('certificate not signed', { name, error: errorText(error) });
      await requests.synced(signal).catch(() => {});
      await runController({ queue, reconcile, workers: 2, onError }, signal);
      end();
    },
  };
}

function isToBeSigned(request: CertificateSigningRequest): boolean {
  return (
    isOwnSigner(request.spec.signerName ?? '') &&
    isConditionTrue(request.status?.conditions, 'Approved') &&
    !isConditionTrue(request.status?.conditions, 'Denied') &&
    !isConditionTrue(request.status?.conditions, 'Failed') &&
    !request.status?.certificate
  );
}

/** What was asked for, within what the signer allows, in milliseconds. */
function lifetime({ spec }: CertificateSigningRequest, maxMs: number): number {
  if (spec.expirationSeconds === undefined || spec.expirationSeconds === null) return maxMs;
  return Math.min(Math.max(Number(spec.expirationSeconds) * 1000, durationMinMs), maxMs);
}

function failed(
  request: CertificateSigningRequest,
  message: string,
  nowMs: number,
): CertificateSigningRequest {
  const condition = {
    type: 'Failed',
    status: 'True',
    reason: 'SignerValidationFailure',
    message,
    lastUpdateTime: formatTime(nowMs),
  };
  const conditions = [...(request.status?.conditions ?? []), condition];
  return { ...request, status: { ...request.status, conditions } };
}
