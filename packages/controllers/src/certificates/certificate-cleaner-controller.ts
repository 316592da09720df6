// Deletes certificate requests that nobody needs any more, once an hour: an hour after they were
// approved (issued or not), denied or have failed, a day after they were made if nobody decided,
// and whenever the certificate in them has expired.

import { isStatusError } from '@keelson/apimachinery';
import type { CertificateSigningRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import { certificateSigningRequestsResource } from '../machinery/resources.ts';
import { runPeriodically } from '../machinery/run-periodically.ts';
import type { CertificateIssuer } from './certificate-issuer.ts';

export interface CertificateCleanerOptions {
  readonly issuer: Pick<CertificateIssuer, 'expiryOf'>;
}

const hourMs = 60 * 60 * 1000;
const periodMs = hourMs;
const decidedMs = hourMs;
const pendingMs = 24 * hourMs;

export function createCertificateCleanerController(
  { client, informers, clock, log }: ControllerContext,
  { issuer }: CertificateCleanerOptions,
): Controller {
  const requests = informers.informer<CertificateSigningRequest>(
    certificateSigningRequestsResource,
  );
  const resource = client.resource(certificateSigningRequestsResource);
  const clean = async (signal: AbortSignal) => {
    for (const request of requests.store.list()) {
      if (!isOver(request, clock.now(), issuer)) continue;
      const { name = '', uid = '' } = request.metadata;
      try {
        await resource.delete(name, { preconditions: { uid }, signal });
      } catch (error) {
        if (signal.aborted) return;
        if (!isStatusError(error, 'NotFound') && !isStatusError(error, 'Conflict'))
          log.warn('certificate request not deleted', { name, error: errorText(error) });
      }
    }
  };
  return {
    async run(signal) {
      await requests.synced(signal).catch(() => {});
      await runPeriodically(clean, { clock, periodMs }, signal);
    },
  };
}

function isOver(
  { metadata, status }: CertificateSigningRequest,
  nowMs: number,
  issuer: Pick<CertificateIssuer, 'expiryOf'>,
): boolean {
  const conditions = status?.conditions ?? [];
  const isOld = (time: string | null | undefined, ageMs: number) =>
    Date.parse(time ?? '') < nowMs - ageMs;
  if (conditions.length === 0 && isOld(metadata.creationTimestamp, pendingMs)) return true;
  const decided = conditions.some(
    ({ type = '', lastUpdateTime }) => decisions.has(type) && isOld(lastUpdateTime, decidedMs),
  );
  return decided || isExpired(status?.certificate, nowMs, issuer);
}

const decisions: ReadonlySet<string> = new Set(['Approved', 'Denied', 'Failed']);

/** What another signer wrote may be unreadable; it is left to the other rules. */
function isExpired(
  certificate: string | undefined,
  nowMs: number,
  issuer: Pick<CertificateIssuer, 'expiryOf'>,
): boolean {
  if (!certificate) return false;
  try {
    return issuer.expiryOf(Buffer.from(certificate, 'base64').toString('latin1')) < nowMs;
  } catch {
    return false;
  }
}
