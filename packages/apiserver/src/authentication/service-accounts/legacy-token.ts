// Tokens that live in Secrets of type kubernetes.io/service-account-token (before 1.24 every
// service account had one). They have no audience and never expire; they are good as long as the
// Secret holds exactly this token and the service account has the same uid. Use of one is made
// visible: as a warning, in the audit log, and by a label on the Secret that a tracker keeps
// (KEP-2799).

import type { Clock, KubeObject } from '@keelson/apimachinery';
import type { ObjectSource } from '../../object-source.ts';
import { intersectAudiences } from '../audiences.ts';
import type { AuthenticationResult, TokenAuthenticator } from '../authenticator.ts';
import { equalSecrets } from '../equal-secrets.ts';
import { recordAuthentication, rejected } from '../union.ts';
import { audienceProblem, signatureProblem, type BoundTokenOptions } from './bound-token.ts';
import { peekToken, signToken, type UnverifiedToken } from './json-web-token.ts';
import { serviceAccountGroups, serviceAccountUserName } from './service-account-name.ts';
import type { SigningKey } from './signing-keys.ts';

const legacyIssuer = 'kubernetes/serviceaccount';
const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';
export const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since';

const claimPrefix = 'kubernetes.io/serviceaccount/';
/** Tokens that were marked by it are refused only where the cleaner is. */
const cleanUpGate = 'LegacyServiceAccountTokenCleanUp';

export interface LegacyTokenOptions extends Pick<
  BoundTokenOptions,
  'keys' | 'verifier' | 'apiAudiences' | 'features' | 'counters'
> {
  readonly serviceAccounts: ObjectSource;
  readonly secrets: ObjectSource;
  readonly clock: Clock;
  /**
   * Told about each use of a Secret whose last-used label is not of today, so that somebody writes
   * the label; must not throw. Absent without LegacyServiceAccountTokenTracking.
   */
  readonly onUse?: (secret: KubeObject, today: string) => void;
}

interface LegacyClaims {
  readonly namespace: string;
  readonly secretName: string;
  readonly accountName: string;
  readonly accountUid: string;
}

/** Verifies tokens of service account Secrets. */
export function createLegacyTokenAuthenticator(options: LegacyTokenOptions): TokenAuthenticator {
  const name = 'legacy-service-account';
  return {
    name,
    async authenticateToken(token, audiences, trace) {
      const result = await authenticate(token, audiences, options);
      if (trace.enabled) recordAuthentication(trace, name, result);
      return result;
    },
  };
}

/** The token that the token controller writes into a Secret. */
export function createLegacyToken(
  account: { readonly namespace: string; readonly name: string; readonly uid: string },
  secretName: string,
  key: SigningKey,
): Promise<string> {
  const { namespace, name, uid } = account;
  return signToken(
    {
      iss: legacyIssuer,
      [`${claimPrefix}namespace`]: namespace,
      [`${claimPrefix}secret.name`]: secretName,
      [`${claimPrefix}service-account.name`]: name,
      [`${claimPrefix}service-account.uid`]: uid,
      sub: serviceAccountUserName({ namespace, name }),
    },
    key,
  );
}

async function authenticate(
  token: string,
  wantedAudiences: readonly string[],
  options: LegacyTokenOptions,
): Promise<AuthenticationResult> {
  const peeked = peekToken(token);
  if (peeked === undefined || peeked.payload['iss'] !== legacyIssuer)
    return { outcome: 'no-credential' };
  const problem = await signatureProblem(token, peeked.keyId, options);
  if (problem !== undefined) return rejected(problem);
  const audiences = intersectAudiences(options.apiAudiences, wantedAudiences);
  if (audiences.length === 0 && options.apiAudiences.length > 0)
    return rejected(audienceProblem(options.apiAudiences, wantedAudiences));
  const claims = claimsOf(peeked);
  if (typeof claims === 'string') return rejected(claims);
  const secret = options.secrets.get(claims.namespace, claims.secretName);
  const account = options.serviceAccounts.get(claims.namespace, claims.accountName);
  const invalid = bindingProblem(token, claims, secret, account);
  if (invalid !== undefined) return rejected(invalid);
  return usedBy(claims, secret as KubeObject, account as KubeObject, { audiences, options });
}

/** The claims, or what is wrong with them. */
function claimsOf({ payload }: UnverifiedToken): LegacyClaims | string {
  const read = (key: string) => {
    const value = payload[key];
    return typeof value === 'string' ? value : '';
  };
  const sub = read('sub');
  const namespace = read(`${claimPrefix}namespace`);
  const secretName = read(`${claimPrefix}secret.name`);
  const accountName = read(`${claimPrefix}service-account.name`);
  const accountUid = read(`${claimPrefix}service-account.uid`);
  if (sub === '') return 'sub claim is missing';
  if (namespace === '') return 'namespace claim is missing';
  if (secretName === '') return 'secretName claim is missing';
  if (accountName === '') return 'serviceAccountName claim is missing';
  if (accountUid === '') return 'serviceAccountUID claim is missing';
  if (sub !== serviceAccountUserName({ namespace, name: accountName }))
    return 'sub claim is invalid';
  return { namespace, secretName, accountName, accountUid };
}

function bindingProblem(
  token: string,
  claims: LegacyClaims,
  secret: KubeObject | undefined,
  account: KubeObject | undefined,
): string | undefined {
  if (secret === undefined || secret.metadata.deletionTimestamp !== undefined)
    return 'Token has been invalidated';
  const data = secret['data'] as Readonly<Record<string, string>> | undefined;
  const stored = Buffer.from(data?.['token'] ?? '', 'base64').toString('utf8');
  if (!equalSecrets(stored, token)) return "Token does not match server's copy";
  if (account === undefined) return `serviceaccounts "${claims.accountName}" not found`;
  if (account.metadata.deletionTimestamp !== undefined)
    return `ServiceAccount ${claims.namespace}/${claims.accountName} has been deleted`;
  if (account.metadata.uid !== claims.accountUid)
    return `ServiceAccount UID (${account.metadata.uid}) does not match claim (${claims.accountUid})`;
  return undefined;
}

function usedBy(
  claims: LegacyClaims,
  secret: KubeObject,
  account: KubeObject,
  { audiences, options }: { audiences: string[]; options: LegacyTokenOptions },
): AuthenticationResult {
  const { namespace, secretName, accountName, accountUid } = claims;
  const userName = serviceAccountUserName({ namespace, name: accountName });
  const labels = secret.metadata.labels ?? {};
  const tracked = options.onUse !== undefined;
  const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  const today = dayOf(options.clock.now());
  const tomorrow = dayOf(options.clock.now() + 24 * 60 * 60 * 1000);
  const used = labels[lastUsedLabel];
  if (used !== today && used !== tomorrow) options.onUse?.(secret, today);
  const { counters, features } = options;
  counters?.add('legacy');
  if (tracked && labels[invalidSinceLabel] && features.enabled(cleanUpGate)) {
    counters?.add('invalid-auto');
    const annotations = {
      'authentication.k8s.io/legacy-token': userName,
      'authentication.k8s.io/legacy-token-invalidated': `${secretName}/${namespace}`,
    };
    const text = `the token in secret ${namespace}/${secretName} for service account ${namespace}/${accountName} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${invalidSinceLabel}' label from the secret to temporarily allow use of this token`;
    return { ...rejected(text), annotations };
  }
  const references = account['secrets'] as readonly { name?: string }[] | undefined;
  const isGenerated = (references ?? []).some((reference) => reference.name === secretName);
  const kind = isGenerated ? 'autogenerated' : 'manual';
  if (tracked) counters?.add(isGenerated ? 'auto' : 'manual');
  return {
    outcome: 'authenticated',
    user: { name: userName, uid: accountUid, groups: serviceAccountGroups(namespace), extra: {} },
    audiences,
    annotations: {
      'authentication.k8s.io/legacy-token': userName,
      ...(tracked ? { [`authentication.k8s.io/legacy-token-${kind}-secret`]: secretName } : {}),
    },
    ...(tracked && isGenerated ? { warnings: [autoGeneratedWarning] } : {}),
  };
}

const autoGeneratedWarning =
  'Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.';
