// What a signer may answer to a PodCertificateRequest, once: that it denies, that it failed, or a
// chain whose leaf is for the key that was asked for, lives as long as was asked for, and whose
// times the status repeats. After that the answer stays.

import { fieldError, isConditionTrue, type FieldError } from '@keelson/apimachinery';
import type {
  PodCertificateRequest,
  PodCertificateRequestStatus,
} from '@keelson/apimachinery/types/certificates.k8s.io.v1beta1';
import {
  parseCertificate,
  type Certificate,
} from '../../../authentication/certificates/parse-certificate.ts';
import { readPem } from '../../../authentication/certificates/pem.ts';
import { readPublicKey } from '../../../authentication/certificates/public-keys.ts';
import { internalValue } from '../../internal-form/internal-value.ts';
import { notLongerThan, oneOf, type Errors } from '../../validation/checks.ts';
import { conditions } from '../../validation/conditions.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { bytesOf, keyOfStub, publicKeyPath, stubPath } from './validation.ts';

const decisions = ['Issued', 'Denied', 'Failed'];
const chainPath = 'status.certificateChain';
const chainBytesMax = 100 * 1024;
const minuteMs = 60_000;
const skewMs = 5 * minuteMs;
const refreshMarginMs = 10 * minuteMs;
const lifetimeMinMs = 60 * minuteMs;
/** Durations are shown as Go holds them. */
const nanosecondsPerMs = 1_000_000;

type Status = PodCertificateRequestStatus;

export function validateAnswer(
  request: PodCertificateRequest,
  old: PodCertificateRequest,
  nowMs: number,
): FieldError[] {
  const now = request.status ?? {};
  const before = old.status ?? {};
  const errors: Errors = [];
  checkDecisions(errors, now);
  conditions(errors, 'status.conditions', now.conditions);
  if (errors.length > 0) return errors;
  if (decisions.some((type) => isConditionTrue(before.conditions, type))) {
    const why = 'immutable after PodCertificateRequest is issued, denied, or failed';
    return sameStatus(now, before, why);
  }
  if (isConditionTrue(now.conditions, 'Denied') || isConditionTrue(now.conditions, 'Failed')) {
    const bare = now.conditions === undefined ? {} : { conditions: now.conditions };
    const why =
      'non-condition status fields must be empty when denying or failing the PodCertificateRequest';
    return sameStatus(now, bare, why);
  }
  if (isConditionTrue(now.conditions, 'Issued')) return validateIssued(now, old, nowMs);
  const why = 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"';
  return sameStatus(now, before, why);
}

/** At most one decision, and nothing but decisions. */
function checkDecisions(errors: Errors, { conditions: list = [] }: Status): void {
  list.forEach(({ type, status }, i) => {
    const path = `status.conditions[${i}]`;
    if (!oneOf(errors, `${path}.type`, type, decisions)) return;
    if (list.slice(0, i).some((c) => decisions.includes(c.type))) {
      const why = 'There may be at most one condition with type "Issued", "Denied", or "Failed"';
      errors.push(fieldError.invalid(`${path}.type`, type, why));
    }
    oneOf(errors, `${path}.status`, status, ['True']);
  });
}

const statusType = 'io.k8s.api.certificates.v1beta1.PodCertificateRequestStatus';

function sameStatus(now: Status, wanted: Status, why: string): FieldError[] {
  if (isSemanticallyEqual(now, wanted)) return [];
  return [fieldError.invalid('status', internalValue(statusType, now), why)];
}

function validateIssued(now: Status, old: PodCertificateRequest, nowMs: number): FieldError[] {
  const errors: Errors = [];
  const chain = now.certificateChain ?? '';
  if (!notLongerThan(errors, chainPath, chain, chainBytesMax)) return errors;
  const [first, ...rest] = readPem(chain);
  const refuse = (why: string) => [fieldError.invalid(chainPath, chain, why)];
  if (first === undefined)
    return refuse('issued certificate chain must contain at least one certificate');
  if (first.label !== 'CERTIFICATE')
    return refuse('issued certificate chain must consist entirely of CERTIFICATE PEM blocks');
  const leaf = readCertificate(first.bytes);
  if (leaf === undefined) return refuse('leaf certificate does not parse as valid X.509');
  const found = [...checkNames(leaf), ...checkKey(leaf, old, chain)];
  if (found.length > 0) return found;
  const timeErrors = checkTimes(now, { leaf, old, nowMs });
  if (timeErrors.length > 0) return timeErrors;
  for (const { label, bytes } of rest) {
    // COMPAT: spelled so.
    if (label !== 'CERTIFICATE')
      return refuse('issued certificate chain must consist entirely of CERTFICATE PEM blocks');
    if (readCertificate(bytes) === undefined)
      return refuse('intermediate certificate does not parse as valid X.509');
  }
  return [];
}

function readCertificate(der: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(der);
  } catch {
    // What exactly is unreadable is not told: the sentence is Kubernetes'.
    return undefined;
  }
}

function checkNames({ x509 }: Certificate): FieldError[] {
  const errors: Errors = [];
  const refuse = (name: string, why: string) =>
    errors.push(fieldError.invalid(chainPath, name, why));
  for (const entry of x509.subjectAltName?.split(', ') ?? []) {
    if (!entry.startsWith('DNS:')) continue;
    const name = entry.slice('DNS:'.length);
    if (name === '') refuse(name, 'leaf certificate should not contain empty DNSName');
    if (name.includes('..')) refuse(name, "leaf certificate's DNSName should not contain '..'");
    if (name.startsWith('.') || name.endsWith('.'))
      refuse(name, "leaf certificate's DNSName should not start or end with '.'");
  }
  return errors;
}

function checkKey(leaf: Certificate, { spec }: PodCertificateRequest, chain: string): FieldError[] {
  const stub = bytesOf(spec.stubPKCS10Request);
  const wanted = stub.length > 0 ? keyOfStub(stub) : readPublicKey(bytesOf(spec.pkixPublicKey));
  if (wanted === undefined)
    return stub.length > 0
      ? [fieldError.invalid(stubPath, spec.stubPKCS10Request, 'must be a valid PKCS#10 CSR')]
      : [
          fieldError.invalid(
            publicKeyPath,
            spec.pkixPublicKey,
            'must be a valid PKIX-serialized public key',
          ),
        ];
  const given = leaf.x509.publicKey.export({ type: 'spki', format: 'der' });
  if (given.equals(wanted.spki)) return [];
  const why = 'leaf certificate was not issued to the requested public key';
  return [fieldError.invalid(chainPath, chain, why)];
}

interface TimeContext {
  readonly leaf: Certificate;
  readonly old: PodCertificateRequest;
  readonly nowMs: number;
}

function checkTimes(now: Status, { leaf, old, nowMs }: TimeContext): FieldError[] {
  const { notBefore, notAfter, beginRefreshAt } = now;
  const consistent = 'must be present and consistent with the issued certificate';
  const missing: Errors = [];
  if (!notBefore) missing.push(fieldError.required('status.notBefore', consistent));
  if (!notAfter) missing.push(fieldError.required('status.notAfter', consistent));
  if (!beginRefreshAt) {
    const why = 'must be present and in the range [notbefore+10min, notafter-10min]';
    missing.push(fieldError.required('status.beginRefreshAt', why));
  }
  if (!notBefore || !notAfter || !beginRefreshAt) return missing;
  const [startMs, endMs] = [Date.parse(notBefore), Date.parse(notAfter)];
  const refreshMs = Date.parse(beginRefreshAt);
  const lifetimeMs = leaf.notAfterMs - leaf.notBeforeMs;
  const max = old.spec.maxExpirationSeconds ?? 0;
  const rules: readonly (readonly [holds: boolean, field: keyof Status, why: string])[] = [
    [startMs === leaf.notBeforeMs, 'notBefore', encodedSentence('NotBefore')],
    [
      Math.abs(startMs - nowMs) < skewMs,
      'notBefore',
      "must be set to within 5 minutes of kube-apiserver's current time",
    ],
    [endMs === leaf.notAfterMs, 'notAfter', encodedSentence('NotAfter')],
    [
      lifetimeMs >= lifetimeMinMs,
      'certificateChain',
      'leaf certificate lifetime must be >= 1 hour',
    ],
    [
      lifetimeMs <= max * 1000,
      'certificateChain',
      `leaf certificate lifetime must be <= spec.maxExpirationSeconds (${max})`,
    ],
    [
      refreshMs >= startMs + refreshMarginMs,
      'beginRefreshAt',
      'must be at least 10 minutes after status.notBefore',
    ],
    [
      refreshMs <= endMs - refreshMarginMs,
      'beginRefreshAt',
      'must be at least 10 minutes before status.notAfter',
    ],
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken === undefined) return [];
  const [, field, why] = broken;
  const shown = field === 'certificateChain' ? lifetimeMs * nanosecondsPerMs : now[field];
  return [fieldError.invalid(`status.${field}`, shown, why)];
}

const encodedSentence = (field: string) =>
  `must be set to the ${field} time encoded in the leaf certificate`;
