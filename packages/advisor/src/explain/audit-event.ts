// An audit event (audit.k8s.io/v1) as the request that it tells of: who sent it, as whom, and what was
// asked of the authorizers. Selectors of the request are not part of the question.

import { isJsonObject, type JsonObject, type JsonValue } from '@keelson/apimachinery';
import type { AccessQuestion } from '../rbac/rules.ts';
import { UnreadableError } from './api-request.ts';

export interface AuditedRequest {
  readonly user: AuditedUser;
  readonly impersonated?: AuditedUser;
  readonly question: AccessQuestion;
  /** Of the answer, when the event knows it. */
  readonly code: number | undefined;
  readonly stage: string;
}
export interface AuditedUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** Throws UnreadableError. */
export function readAuditEvent(event: JsonValue): AuditedRequest {
  if (!isJsonObject(event) || event['kind'] !== 'Event')
    throw new UnreadableError('no event of audit.k8s.io');
  const user = userOf(event['user']);
  const verb = textOf(event, 'verb');
  if (user === undefined || verb === '')
    throw new UnreadableError('the audit event has no user or no verb');
  const impersonated = userOf(event['impersonatedUser']);
  const status = event['responseStatus'];
  const code = isJsonObject(status) ? Number(status['code'] ?? Number.NaN) : Number.NaN;
  return {
    user,
    ...(impersonated === undefined ? {} : { impersonated }),
    question: questionOf(event, verb),
    code: Number.isNaN(code) ? undefined : code,
    stage: textOf(event, 'stage'),
  };
}

function questionOf(event: JsonObject, verb: string): AccessQuestion {
  const target = event['objectRef'];
  if (!isJsonObject(target)) {
    const [url = ''] = textOf(event, 'requestURI').split('?');
    if (url === '') throw new UnreadableError('the audit event has no objectRef and no requestURI');
    return { verb, url };
  }
  const subresource = textOf(target, 'subresource');
  const resource = textOf(target, 'resource');
  // What is created has its name in the body; the authorizers did not see it.
  const isNamed = verb !== 'create' || subresource !== '';
  return {
    verb,
    group: textOf(target, 'apiGroup'),
    resource: subresource === '' ? resource : `${resource}/${subresource}`,
    namespace: textOf(target, 'namespace'),
    name: isNamed ? textOf(target, 'name') : '',
  };
}

function userOf(value: JsonValue | undefined): AuditedUser | undefined {
  if (!isJsonObject(value)) return undefined;
  const groups = Array.isArray(value['groups']) ? value['groups'] : [];
  const name = textOf(value, 'username');
  if (name === '') return undefined;
  return { name, groups: groups.filter((group) => typeof group === 'string') };
}

function textOf(object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === 'string' ? value : '';
}
