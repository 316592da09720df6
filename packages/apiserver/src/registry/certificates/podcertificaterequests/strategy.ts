// PodCertificateRequests: a kubelet asks for a certificate for a pod (KEP-4317). The request proves
// that the asker holds the key and never changes; a signer answers once, in the status. Who may
// answer needs the verb `sign` for the signer.

import { fieldError, formatTime } from '@keelson/apimachinery';
import type { PodCertificateRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1beta1';
import type { UserInfo } from '../../../authentication/authenticator.ts';
import { labelText } from '../../printing/cells.ts';
import { internalValue } from '../../internal-form/internal-value.ts';
import { keepMetadata } from '../../status-metadata.ts';
import type { Strategy, StrategyContext, SubresourceStrategy } from '../../strategy.ts';
import { immutable, type Errors } from '../../validation/checks.ts';
import { validateAnswer } from './answer-validation.ts';
import { validateRequest } from './validation.ts';

/** May this user sign for that signer? */
export type MaySign = (user: UserInfo, signerName: string) => Promise<boolean>;

const specType = 'io.k8s.api.certificates.v1beta1.PodCertificateRequestSpec';
const expirationDefault = 86400;
const decisions = ['Issued', 'Denied', 'Failed'];

export function createPodCertificateRequestStrategy(
  maySign: MaySign,
): Strategy<PodCertificateRequest> {
  const status: SubresourceStrategy<PodCertificateRequest> = {
    prepareForUpdate(request, old, context) {
      request.spec = old.spec;
      keepMetadata(request, old);
      keepDecisions(request, old);
      fillConditionTimes(request, old, context);
    },
    validateUpdate: (request, old, { nowMs }) => validateAnswer(request, old, nowMs),
    async authorizeUpdate(request, old, { user }) {
      if (request.status?.certificateChain === old.status?.certificateChain) return [];
      const { signerName } = old.spec;
      if (await maySign(user, signerName)) return [];
      const [who, signer] = [JSON.stringify(user.name), JSON.stringify(signerName)];
      const why = `User ${who} is not permitted to "sign" for signer ${signer}`;
      return [fieldError.forbidden('spec.signerName', why)];
    },
    resetFields: [['spec']],
  };
  return {
    applyDefaults({ spec }) {
      spec.maxExpirationSeconds ??= expirationDefault;
    },
    prepareForCreate(request) {
      request.status = {};
    },
    prepareForUpdate(request, old) {
      if (old.status !== undefined) request.status = old.status;
    },
    validate: ({ spec }) => validateRequest(spec),
    validateUpdate(request, old) {
      const errors: Errors = [];
      const shown = (of: unknown) => internalValue(specType, of);
      immutable(errors, 'spec', [shown(request.spec), shown(old.spec)]);
      return errors;
    },
    allowUnconditionalUpdate: false,
    tableCells: (request) => [
      request.metadata.name ?? '',
      request.spec.podName,
      request.spec.serviceAccountName,
      request.spec.nodeName,
      request.spec.signerName,
      request.status?.conditions?.findLast(({ type }) => decisions.includes(type))?.type ??
        'Pending',
      labelText(request.spec.unverifiedUserAnnotations),
    ],
    fieldValues: ({ spec }) => ({
      'spec.signerName': spec.signerName ?? '',
      'spec.podName': spec.podName ?? '',
      'spec.nodeName': spec.nodeName ?? '',
    }),
    resetFields: [['status']],
    subresources: { status },
  };
}

/** Gives decisions back as they were, if there are as many of their type as there were. */
function keepDecisions({ status }: PodCertificateRequest, old: PodCertificateRequest): void {
  const given = status?.conditions;
  if (given === undefined) return;
  for (const type of decisions) {
    const before = (old.status?.conditions ?? []).filter((c) => c.type === type);
    if (given.filter((c) => c.type === type).length !== before.length) continue;
    for (const [i, condition] of given.entries())
      if (condition.type === type) given[i] = before.shift() ?? condition;
  }
}

/** Times that were left out: now, or when a condition of this type got this status. */
function fillConditionTimes(
  { status }: PodCertificateRequest,
  old: PodCertificateRequest,
  { nowMs }: StrategyContext,
): void {
  for (const condition of status?.conditions ?? []) {
    if (condition.lastTransitionTime) continue;
    const before = old.status?.conditions?.find(
      (c) => c.type === condition.type && c.status === condition.status && c.lastTransitionTime,
    );
    condition.lastTransitionTime = before?.lastTransitionTime ?? formatTime(nowMs);
  }
}
