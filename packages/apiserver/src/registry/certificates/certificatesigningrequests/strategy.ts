// CertificateSigningRequests: who asks is taken from the request, never from the body; the spec
// never changes; approvers write decisions, signers write certificates.

import { formatHumanDuration, formatTime } from '@keelson/apimachinery';
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition as Condition,
} from '@keelson/apimachinery/types/certificates.k8s.io.v1';
import { age, noneText } from '../../printing/cells.ts';
import type { Strategy, StrategyContext, SubresourceStrategy } from '../../strategy.ts';
import { conditionsOfType, validateRequest, validateRequestUpdate } from './validation.ts';

type Request = CertificateSigningRequest & {
  status?: NonNullable<CertificateSigningRequest['status']>;
};

const approval: SubresourceStrategy<Request> = {
  prepareForUpdate(object, old, context) {
    object.spec = old.spec;
    const conditions = object.status?.conditions;
    object.status = { ...old.status };
    setConditions(object, conditions);
    fillConditionTimes(object, old, context);
  },
  validateUpdate: (object, old) => validateRequestUpdate(object, old, 'approval'),
  resetFields: [['spec'], ['status', 'certificate']],
};

const status: SubresourceStrategy<Request> = {
  prepareForUpdate(object, old, context) {
    object.spec = old.spec;
    object.status ??= {};
    keepConditions(object, old, 'Approved');
    keepConditions(object, old, 'Denied');
    fillConditionTimes(object, old, context);
  },
  validateUpdate: (object, old) => validateRequestUpdate(object, old, 'status'),
  resetFields: [['spec'], ['status', 'conditions']],
};

export const certificateSigningRequestStrategy: Strategy<Request> = {
  prepareForCreate(object, { user }) {
    delete object.spec.username;
    delete object.spec.uid;
    delete object.spec.groups;
    delete object.spec.extra;
    if (user.name !== '') object.spec.username = user.name;
    if (user.uid) object.spec.uid = user.uid;
    if (user.groups.length > 0) object.spec.groups = [...user.groups];
    const extra = Object.entries(user.extra ?? {});
    if (extra.length > 0) {
      object.spec.extra = Object.fromEntries(extra.map(([key, values]) => [key, [...values]]));
    }
    object.status = {};
  },
  validate: validateRequest,
  prepareForUpdate(object, old) {
    object.spec = old.spec;
    if (old.status === undefined) delete object.status;
    else object.status = old.status;
  },
  validateUpdate: (object, old) => validateRequestUpdate(object, old, 'main'),
  allowUnconditionalUpdate: true,
  tableCells: (object, nowMs) => [
    object.metadata.name ?? '',
    age(object, nowMs),
    object.spec.signerName === '' ? noneText : object.spec.signerName,
    object.spec.username ?? '',
    object.spec.expirationSeconds === undefined
      ? noneText
      : formatHumanDuration(object.spec.expirationSeconds * 1000),
    progressText(object),
  ],
  fieldValues: ({ spec }) => ({ 'spec.signerName': spec.signerName ?? '' }),
  resetFields: [['spec'], ['status']],
  subresources: { status, approval },
};

function setConditions(object: Request, conditions: Condition[] | undefined): void {
  object.status ??= {};
  if (conditions === undefined) delete object.status.conditions;
  else object.status.conditions = conditions;
}

/** Gives conditions of a type back as they were, if there are as many as there were. */
function keepConditions(object: Request, old: Request, type: string): void {
  const before = conditionsOfType(old, type);
  if (before.length === 0 || conditionsOfType(object, type).length !== before.length) return;
  let next = 0;
  const conditions = (object.status?.conditions ?? []).map((condition) =>
    condition.type === type ? (before[next++] ?? condition) : condition,
  );
  setConditions(object, conditions);
}

/** Times that were left out: now, or when a condition of this type got this status. */
function fillConditionTimes(object: Request, old: Request, { nowMs }: StrategyContext): void {
  const conditions = object.status?.conditions;
  if (conditions === undefined) return;
  const now = formatTime(nowMs);
  const filled = conditions.map((condition) => ({
    ...condition,
    lastUpdateTime: condition.lastUpdateTime ?? now,
    lastTransitionTime:
      condition.lastTransitionTime ??
      conditionsOfType(old, condition.type).find(
        (before) => before.status === condition.status && before.lastTransitionTime,
      )?.lastTransitionTime ??
      now,
  }));
  setConditions(object, filled);
}

/** `Approved,Issued`; `Pending` without a decision. */
function progressText(object: Request): string {
  const has = (type: string) => conditionsOfType(object, type).length > 0;
  const decision = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  const failed = has('Failed') ? ',Failed' : '';
  const issued = object.status?.certificate ? ',Issued' : '';
  return decision + failed + issued;
}
