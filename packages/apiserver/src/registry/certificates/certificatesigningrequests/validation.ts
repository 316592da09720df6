// What may stand in a CertificateSigningRequest, and who may add what later: decisions through
// `/approval`, certificates through `/status`; what was decided stays.

import { fieldError } from '@keelson/apimachinery';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition as Condition,
} from '@keelson/apimachinery/types/certificates.k8s.io.v1';
import { oneOf, required, requiredOneOf, unique, type Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { signerName } from '../../validation/signer-names.ts';
import { problemOfCertificates, problemOfRequest } from '../signing-contents.ts';

/** Through which door an update comes. */
export type Door = 'main' | 'status' | 'approval';

const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

const legacySigner = 'kubernetes.io/legacy-unknown';
const expirationSecondsMin = 600;
const decisions = ['Approved', 'Denied', 'Failed'];
const conditionStatuses = ['False', 'True', 'Unknown'];
const onlyTrue = ['True'];

export function validateRequest(object: CertificateSigningRequest): Errors {
  const errors: Errors = [];
  checkSpec(errors, object);
  checkConditions(errors, object.status?.conditions ?? []);
  const { certificate = '' } = object.status ?? {};
  const problem = certificate === '' ? undefined : problemOfCertificates(certificate);
  if (problem !== undefined) {
    errors.push(fieldError.invalid('status.certificate', '<certificate data>', problem));
  }
  return errors;
}

function checkSpec(errors: Errors, { spec }: CertificateSigningRequest): void {
  const problem = problemOfRequest(spec.request ?? '');
  if (problem !== undefined) {
    errors.push(fieldError.invalid('spec.request', spec.request || null, problem));
  }
  required(errors, 'spec.usages', spec.usages);
  const usagePath = (i: number) => `spec.usages[${i}]`;
  spec.usages?.forEach((usage, i) => oneOf(errors, usagePath(i), usage, usages));
  unique(errors, spec.usages, usagePath);
  if (spec.signerName === legacySigner) {
    const why = 'the legacy signerName is not allowed via this API version';
    errors.push(fieldError.invalid('spec.signerName', spec.signerName, why));
  } else {
    signerName(errors, 'spec.signerName', spec.signerName ?? '');
  }
  const { expirationSeconds } = spec;
  if (expirationSeconds !== undefined && expirationSeconds < expirationSecondsMin) {
    const why = 'may not specify a duration less than 600 seconds (10 minutes)';
    errors.push(fieldError.invalid('spec.expirationSeconds', expirationSeconds, why));
  }
}

function checkConditions(errors: Errors, conditions: readonly Condition[]): void {
  const seen = new Set<string>();
  conditions.forEach(({ type = '', status }, i) => {
    const path = `status.conditions[${i}]`;
    required(errors, `${path}.type`, type);
    const statuses = decisions.includes(type) ? onlyTrue : conditionStatuses;
    requiredOneOf(errors, `${path}.status`, status, statuses);
    const opposite = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined;
    if (opposite !== undefined && seen.has(opposite)) {
      const why = 'Approved and Denied conditions are mutually exclusive';
      errors.push(fieldError.invalid(`${path}.type`, type, why));
    }
    if (seen.has(type)) errors.push(fieldError.duplicate(`${path}.type`, type));
    seen.add(type);
  });
}

export function validateRequestUpdate(
  object: CertificateSigningRequest,
  old: CertificateSigningRequest,
  door: Door,
): Errors {
  const errors = validateRequest(object);
  for (const type of decisions) checkDecision(errors, type, { object, old, door });
  const before = old.status?.certificate ?? '';
  if ((object.status?.certificate ?? '') !== before) {
    if (door !== 'status') {
      const why = 'updates may not set certificate content';
      errors.push(fieldError.forbidden('status.certificate', why));
    } else if (before !== '') {
      const why = 'updates may not modify existing certificate content';
      errors.push(fieldError.forbidden('status.certificate', why));
    }
  }
  return errors;
}

interface RequestUpdate {
  readonly object: CertificateSigningRequest;
  readonly old: CertificateSigningRequest;
  readonly door: Door;
}

function checkDecision(errors: Errors, type: string, { object, old, door }: RequestUpdate): void {
  const before = conditionsOfType(old, type);
  const after = conditionsOfType(object, type);
  const verb =
    after.length < before.length
      ? 'remove'
      : after.length > before.length
        ? mayAdd(type, door)
          ? undefined
          : 'add'
        : isSemanticallyEqual(after, before)
          ? undefined
          : 'modify';
  if (verb === undefined) return;
  const why = `updates may not ${verb} a condition of type ${JSON.stringify(type)}`;
  errors.push(fieldError.forbidden('status.conditions', why));
}

/** Signers say that they failed; whether they may sign is said by approvers only. */
function mayAdd(type: string, door: Door): boolean {
  return type === 'Failed' || door === 'approval';
}

export function conditionsOfType(
  { status }: CertificateSigningRequest,
  type: string,
): readonly Condition[] {
  return (status?.conditions ?? []).filter((condition) => condition.type === type);
}
