// Bound service account tokens (KEP-1205, KEP-4193). A token is good when one of our keys signed
// it, it comes from an accepted issuer, is meant for the wanted audience, its time has come and not
// passed, and the service account and everything that it is bound to still exist with the same uid.
// Objects are looked up for every request, so deleting one revokes its tokens at once.
//
// Steps and texts follow k8s.io/kubernetes/pkg/serviceaccount. COMPAT: TokenReview shows the texts.

import { quoteGo, type Clock, type KubeObject } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import type { ObjectSource } from '../../object-source.ts';
import { intersectAudiences } from '../audiences.ts';
import type { AuthenticationResult, TokenAuthenticator, UserInfo } from '../authenticator.ts';
import { recordAuthentication, rejected } from '../union.ts';
import { credentialIdKey } from '../credential-id.ts';
import { peekToken, type SignatureVerifier } from './json-web-token.ts';
import { serviceAccountGroups, serviceAccountUserName } from './service-account-name.ts';
import { decodeClaims, type BoundTokenClaims, type ObjectClaim } from './token-claims.ts';
import type { TokenKeys } from './token-keys.ts';
import type { TokenUseCounters } from './token-use-metrics.ts';

export interface ServiceAccountObjects {
  readonly serviceAccounts: ObjectSource;
  readonly pods: ObjectSource;
  readonly secrets: ObjectSource;
  readonly nodes: ObjectSource;
}

export interface BoundTokenOptions {
  /** All values of `--service-account-issuer`. */
  readonly issuers: readonly string[];
  readonly keys: TokenKeys;
  readonly apiAudiences: readonly string[];
  readonly objects: ServiceAccountObjects;
  readonly verifier: SignatureVerifier;
  readonly clock: Clock;
  readonly features: Features;
  readonly counters?: TokenUseCounters;
}

const podNameKey = 'authentication.kubernetes.io/pod-name';
const podUidKey = 'authentication.kubernetes.io/pod-uid';
export const nodeNameKey = 'authentication.kubernetes.io/node-name';
const nodeUidKey = 'authentication.kubernetes.io/node-uid';

// Clocks of the servers that issue and check may differ by this much.
const leewaySeconds = 60;
const invalidated = 'service account token has been invalidated';

/** Verifies tokens that the TokenRequest API issued. */
export function createBoundTokenAuthenticator(options: BoundTokenOptions): TokenAuthenticator {
  const name = 'service-account';
  return {
    name,
    async authenticateToken(token, audiences, trace) {
      const result = await authenticate(token, audiences, options);
      if (trace.enabled) recordAuthentication(trace, name, result);
      return result;
    },
  };
}

async function authenticate(
  token: string,
  wantedAudiences: readonly string[],
  options: BoundTokenOptions,
): Promise<AuthenticationResult> {
  const peeked = peekToken(token);
  const issuer = peeked?.payload['iss'];
  if (peeked === undefined || typeof issuer !== 'string') return { outcome: 'no-credential' };
  if (!options.issuers.includes(issuer) || !knownAlgorithms.has(peeked.algorithm))
    return { outcome: 'no-credential' };
  const problem = await signatureProblem(token, peeked.keyId, options);
  if (problem !== undefined) return rejected(problem);
  const claims = decodeClaims(peeked.payload);
  if (claims === undefined) return rejected('service account token claims could not be read');
  const meantFor = claims.audiences.length > 0 ? claims.audiences : options.apiAudiences;
  const audiences = intersectAudiences(meantFor, wantedAudiences);
  if (audiences.length === 0 && options.apiAudiences.length > 0)
    return rejected(audienceProblem(meantFor, wantedAudiences));
  const invalid = timeProblem(claims, options.clock) ?? bindingProblem(claims, options);
  if (invalid !== undefined) return rejected(invalid);
  const annotations = noteUse(claims, options);
  return {
    outcome: 'authenticated',
    user: userOf(claims, options.features),
    audiences,
    ...(annotations === undefined ? {} : { annotations }),
  };
}

const knownAlgorithms: ReadonlySet<string> = new Set(['RS256', 'ES256', 'ES384', 'ES512']);

/** Undefined when one of the keys signed the token. The key id only selects; none means any key. */
export async function signatureProblem(
  token: string,
  keyId: string,
  { keys, verifier }: Pick<BoundTokenOptions, 'keys' | 'verifier'>,
): Promise<string | undefined> {
  const candidates = await keys.find(keyId);
  if (candidates.length === 0) return 'invalid signature, no keys found';
  for (const key of candidates) if (await verifier.verify(token, key)) return undefined;
  return 'go-jose/go-jose: error in cryptographic primitive';
}

function timeProblem(claims: BoundTokenClaims, clock: Clock): string | undefined {
  const now = clock.now() / 1000;
  const { notBefore, expiresAt, issuedAt } = claims;
  if (notBefore !== undefined && now + leewaySeconds < notBefore)
    return 'service account token is not valid yet';
  if (expiresAt !== undefined && now - leewaySeconds > expiresAt)
    return 'service account token has expired';
  if (issuedAt !== undefined && now + leewaySeconds < issuedAt)
    return 'service account token is issued in the future';
  return undefined;
}

/** Why the objects of the claims no longer stand behind the token. */
function bindingProblem(claims: BoundTokenClaims, options: BoundTokenOptions): string | undefined {
  const { namespace, serviceAccount, pod, node, secret } = claims;
  const { objects, features } = options;
  const deletedBeforeMs = options.clock.now() - leewaySeconds * 1000;
  const account = objects.serviceAccounts.get(namespace, serviceAccount.name);
  if (account === undefined) return `serviceaccounts ${quoteGo(serviceAccount.name)} not found`;
  if (account.metadata.uid !== serviceAccount.uid)
    return `service account UID (${account.metadata.uid}) does not match claim (${serviceAccount.uid})`;
  if (isDeleted(account, deletedBeforeMs))
    return `service account ${namespace}/${serviceAccount.name} has been deleted`;
  const bound = (source: ObjectSource, scope: string, claim: ObjectClaim, what: string) => {
    const object = source.get(scope, claim.name);
    if (object === undefined || isDeleted(object, deletedBeforeMs)) return invalidated;
    return object.metadata.uid === claim.uid
      ? undefined
      : `${what} UID (${object.metadata.uid}) does not match service account ${what} ref claim (${claim.uid})`;
  };
  if (secret !== undefined) {
    const problem = bound(objects.secrets, namespace, secret, 'secret');
    if (problem !== undefined) return problem;
  }
  if (pod !== undefined) return bound(objects.pods, namespace, pod, 'pod');
  if (node === undefined) return undefined;
  return features.enabled('ServiceAccountTokenNodeBindingValidation')
    ? bound(objects.nodes, '', node, 'node')
    : 'token is bound to a Node object but the ServiceAccountTokenNodeBindingValidation feature gate is disabled';
}

function isDeleted(object: KubeObject, beforeMs: number): boolean {
  const { deletionTimestamp } = object.metadata;
  return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) < beforeMs;
}

function userOf(claims: BoundTokenClaims, features: Features): UserInfo {
  const { namespace, serviceAccount, pod, node, id } = claims;
  const extra: Record<string, string[]> = {};
  if (id !== '' && features.enabled('ServiceAccountTokenJTI'))
    extra[credentialIdKey] = [`JTI=${id}`];
  if (pod !== undefined) {
    extra[podNameKey] = [pod.name];
    extra[podUidKey] = [pod.uid];
  }
  const showsNode = pod === undefined || features.enabled('ServiceAccountTokenPodNodeInfo');
  if (node !== undefined && showsNode) {
    extra[nodeNameKey] = [node.name];
    if (node.uid !== '') extra[nodeUidKey] = [node.uid];
  }
  return {
    name: serviceAccountUserName({ namespace, name: serviceAccount.name }),
    uid: serviceAccount.uid,
    groups: serviceAccountGroups(namespace),
    extra,
  };
}

/** Counts the use of the token; what is noteworthy becomes annotations of the audit event. */
function noteUse(
  { audiences, subject, warnAfter }: BoundTokenClaims,
  { clock, counters }: BoundTokenOptions,
): Readonly<Record<string, string>> | undefined {
  const annotations: Record<string, string> = {};
  if (audiences.length === 0) {
    annotations['authentication.k8s.io/legacy-token'] = subject;
    counters?.add('legacy');
  }
  if (warnAfter) {
    const now = clock.now() / 1000;
    counters?.add(now > warnAfter ? 'stale' : 'valid');
    if (now > warnAfter)
      annotations['authentication.k8s.io/stale-token'] =
        `subject: ${subject}, seconds after warning threshold: ${Math.floor(now) - warnAfter}`;
  }
  return Object.keys(annotations).length > 0 ? annotations : undefined;
}

/** A token for others; `meantFor` as it says itself, or as its kind implies. */
export function audienceProblem(meantFor: readonly string[], wanted: readonly string[]): string {
  return `token audiences ${quoteList(meantFor)} is invalid for the target audiences ${quoteList(wanted)}`;
}

/** `["a" "b"]`, Go's %q of a list. */
function quoteList(texts: readonly string[]): string {
  return `[${texts.map(quoteGo).join(' ')}]`;
}
