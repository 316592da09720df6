// Deletes certificate requests that nobody needs any more, once an hour: an hour after they were
// approved (issued or not), denied or have failed, a day after they were made if nobody decided,
// and whenever the certificate in them has expired.

import type { CertificateSigningRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { certificateSigningRequestsResource } from '../machinery/resources.ts';
import type { CertificateIssuer } from './certificate-issuer.ts';
import { createRequestCleaner } from './request-cleaner.ts';

export interface CertificateCleanerOptions {
  readonly issuer: Pick<CertificateIssuer, 'expiryOf'>;
}

const hourMs = 60 * 60 * 1000;
const periodMs = hourMs;
const decidedMs = hourMs;
const pendingMs = 24 * hourMs;

export function createCertificateCleanerController(
  context: ControllerContext,
  { issuer }: CertificateCleanerOptions,
): Controller {
  return createRequestCleaner<CertificateSigningRequest>(context, {
    resource: certificateSigningRequestsResource,
    periodMs,
    isOver: (request, nowMs) => isOver(request, nowMs, issuer),
  });
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
