// Bootstrap tokens let a new node ask for its certificate. `abcdef.0123456789abcdef` belongs to the
// Secret kube-system/bootstrap-token-abcdef, which must be of the right type, not deleted, not
// expired and meant for authentication. The user is system:bootstrap:<id> in system:bootstrappers
// and groups below it. Anything wrong is "not mine", never an error, so nothing can be learnt from
// trying.

import { canonicalTime, DecodeError, type Clock, type KubeObject } from '@keelson/apimachinery';
import type { ObjectSource } from '../object-source.ts';
import type { AuthenticationResult, TokenAuthenticator, UserInfo } from './authenticator.ts';
import { equalSecrets } from './equal-secrets.ts';
import { recordAuthentication } from './union.ts';

const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const defaultGroup = 'system:bootstrappers';
const secretType = 'bootstrap.kubernetes.io/token';

export interface BootstrapTokenOptions {
  readonly secrets: ObjectSource;
  readonly clock: Clock;
}

/** `--enable-bootstrap-token-auth`. */
export function createBootstrapTokenAuthenticator(
  options: BootstrapTokenOptions,
): TokenAuthenticator {
  const name = 'bootstrap-token';
  return {
    name,
    async authenticateToken(token, _audiences, trace) {
      const user = userOf(token, options);
      const result: AuthenticationResult =
        typeof user === 'string'
          ? { outcome: 'no-credential', reason: user }
          : { outcome: 'authenticated', user };
      if (trace.enabled) recordAuthentication(trace, name, result);
      return result;
    },
  };
}

/** The user, or why the token is none: for the trace, which shows no secret. */
function userOf(token: string, { secrets, clock }: BootstrapTokenOptions): UserInfo | string {
  const [, id, secretText] = tokenPattern.exec(token) ?? [];
  if (id === undefined || secretText === undefined) return 'the token has another form';
  const name = `bootstrap-token-${id}`;
  const secret = secrets.get('kube-system', name);
  const says = (problem: string) => `Secret kube-system/${name} ${problem}`;
  if (secret === undefined) return says('does not exist');
  if (secret.metadata.deletionTimestamp !== undefined) return says('is being deleted');
  if (secret['type'] !== secretType) return says(`is not of type ${secretType}`);
  const read = (key: string) => dataText(secret, key);
  const stored = read('token-secret');
  if (stored === '' || !equalSecrets(stored, secretText)) return says('has another token-secret');
  if (read('token-id') !== id) return says('has another token-id');
  if (isExpired(read('expiration'), clock.now())) return says('has expired');
  if (read('usage-bootstrap-authentication') !== 'true')
    return says('is not meant for authentication');
  const extraGroups = read('auth-extra-groups');
  const groups = extraGroups === '' ? [] : extraGroups.split(',');
  if (!groups.every((group) => groupPattern.test(group)))
    return says('lists groups outside system:bootstrappers');
  return {
    name: `system:bootstrap:${id}`,
    uid: '',
    groups: [...new Set([defaultGroup, ...groups])].sort(),
    extra: {},
  };
}

/** A time that cannot be read has passed. */
function isExpired(text: string, nowMs: number): boolean {
  if (text === '') return false;
  try {
    const time = canonicalTime(text);
    return time === undefined || !(Date.parse(time) > nowMs);
  } catch (error) {
    if (error instanceof DecodeError) return true;
    throw error;
  }
}

function dataText(secret: KubeObject, key: string): string {
  const data = secret['data'] as Readonly<Record<string, unknown>> | undefined;
  const value = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : '';
}
