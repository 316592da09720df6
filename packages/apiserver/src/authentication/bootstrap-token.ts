// Bootstrap tokens let a new node ask for its certificate. `abcdef.0123456789abcdef` belongs to the
// Secret kube-system/bootstrap-token-abcdef, which must be of the right type, not deleted, not
// expired and meant for authentication. The user is system:bootstrap:<id> in system:bootstrappers
// and groups below it. Anything wrong is "not mine", never an error, so nothing can be learnt from
// trying.

import type { Clock, KubeObject } from '@keelson/apimachinery';
import type { ObjectSource } from '../object-source.ts';
import type { AuthenticationResult, TokenAuthenticator, UserInfo } from './authenticator.ts';
import { equalSecrets } from './equal-secrets.ts';
import { recordAuthentication } from './union.ts';

const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const defaultGroup = 'system:bootstrappers';

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
        user === undefined ? { outcome: 'no-credential' } : { outcome: 'authenticated', user };
      if (trace.enabled) recordAuthentication(trace, name, result);
      return result;
    },
  };
}

function userOf(token: string, { secrets, clock }: BootstrapTokenOptions): UserInfo | undefined {
  const [, id, secretText] = tokenPattern.exec(token) ?? [];
  if (id === undefined || secretText === undefined) return undefined;
  const secret = secrets.get('kube-system', `bootstrap-token-${id}`);
  if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return undefined;
  if (secret['type'] !== 'bootstrap.kubernetes.io/token') return undefined;
  const read = (key: string) => dataText(secret, key);
  const stored = read('token-secret');
  if (stored === '' || !equalSecrets(stored, secretText)) return undefined;
  if (read('token-id') !== id || read('usage-bootstrap-authentication') !== 'true')
    return undefined;
  if (isExpired(read('expiration'), clock.now())) return undefined;
  const extraGroups = read('auth-extra-groups');
  const groups = extraGroups === '' ? [] : extraGroups.split(',');
  if (!groups.every((group) => groupPattern.test(group))) return undefined;
  return {
    name: `system:bootstrap:${id}`,
    uid: '',
    groups: [...new Set([defaultGroup, ...groups])].sort(),
    extra: {},
  };
}

function isExpired(text: string, nowMs: number): boolean {
  if (text === '') return false;
  const valid = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text);
  const expiresMs = valid ? Date.parse(text) : Number.NaN;
  return !(expiresMs > nowMs);
}

function dataText(secret: KubeObject, key: string): string {
  const data = secret['data'] as Readonly<Record<string, unknown>> | undefined;
  const value = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : '';
}
