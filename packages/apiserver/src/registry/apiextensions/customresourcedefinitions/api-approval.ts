// Groups of the Kubernetes community (`*.k8s.io`, `*.kubernetes.io`) are protected: a definition in
// one of them says by annotation that its API was approved, or that it knowingly was not.

import { fieldError, type FieldError } from '@keelson/apimachinery';

const approvalAnnotation = 'api-approved.kubernetes.io';

type ApprovalState = 'approved' | 'bypassed' | 'missing' | 'invalid';

export interface Approval {
  readonly state: ApprovalState;
  readonly reason: string;
}

export function isProtectedGroup(group: string): boolean {
  return /(^|\.)(k8s|kubernetes)\.io$/.test(group);
}

const proposal = 'see https://github.com/kubernetes/enhancements/pull/1111';

export function approvalOf(annotations: Readonly<Record<string, string>> | undefined): Approval {
  const value = annotations?.[approvalAnnotation] ?? '';
  const subject = `protected groups must have approval annotation "${approvalAnnotation}"`;
  if (value === '') return { state: 'missing', reason: `${subject}, ${proposal}` };
  if (value.startsWith('unapproved')) {
    return { state: 'bypassed', reason: `not approved: ${JSON.stringify(value)}` };
  }
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#\s]+/.test(value)) {
    return { state: 'approved', reason: `approved in ${value}` };
  }
  const forms = 'with either a URL or a reason starting with "unapproved"';
  return { state: 'invalid', reason: `${subject} ${forms}, ${proposal}` };
}

interface Approvable {
  readonly spec: { readonly group: string };
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

/** An update may leave a missing or wrong approval as it is. */
export function approvalErrors(crd: Approvable, old: Approvable | undefined): FieldError[] {
  if (!isProtectedGroup(crd.spec.group)) return [];
  const { state, reason } = approvalOf(crd.metadata.annotations);
  if (old && approvalOf(old.metadata.annotations).state === state) return [];
  const path = `metadata.annotations[${approvalAnnotation}]`;
  if (state === 'missing') return [fieldError.required(path, reason)];
  if (state !== 'invalid') return [];
  return [fieldError.invalid(path, crd.metadata.annotations?.[approvalAnnotation], reason)];
}
