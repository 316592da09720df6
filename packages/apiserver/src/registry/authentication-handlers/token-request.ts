// TokenRequest, the subresource `serviceaccounts/token`: issues a token for a service account, for
// certain audiences, for a limited time, and bound to a pod, a secret or a node, so that it ends
// with that. Steps, order and texts follow kube-apiserver's handler.

import {
  formatTime,
  statusErrors,
  type Clock,
  type FieldError,
  type KubeObject,
} from '@keelson/apimachinery';
import type { ServiceAccountObjects } from '../../authentication/service-accounts/bound-token.ts';
import type {
  IssuedToken,
  ServiceAccountTokenIssuer,
  TokenContents,
} from '../../authentication/service-accounts/token-issuer.ts';
import type { Features } from '../../features/features.ts';
import type { CreateHandler, HandlerRequest } from '../handlers.ts';
import { resolveBoundObject, type BoundObjectReference } from './bound-objects.ts';

export interface TokenRequestDependencies {
  readonly issuer: ServiceAccountTokenIssuer;
  readonly objects: ServiceAccountObjects;
  readonly apiAudiences: readonly string[];
  readonly clock: Clock;
  readonly features: Features;
  /** Field errors of the spec. */
  readonly validate: (object: KubeObject) => readonly FieldError[];
  /** `--service-account-max-token-expiration`; no limit when absent. */
  readonly expirationSecondsMax?: number | undefined;
  /** What an external signer allows, which bounds extended tokens too. */
  readonly signerExpirationSecondsMax?: number | undefined;
  /** `--service-account-extend-token-expiration`, on by default. */
  readonly extendExpiration?: boolean;
}

interface TokenRequestSpec {
  readonly audiences?: readonly string[];
  readonly expirationSeconds?: number | bigint;
  readonly boundObjectRef?: BoundObjectReference | null;
}

const tokenRequestKind = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
const defaultExpirationSeconds = 3600;
// The kubelet asks for this odd lifetime, which marks tokens of pods. They live for a year, so that
// programs that never read the renewed file keep working, and warn in the audit log when they are
// used late.
const warnAfterSeconds = 3607;
const extendedExpirationSeconds = 365 * 24 * 60 * 60;

export function createTokenRequestHandler(dependencies: TokenRequestDependencies): CreateHandler {
  return {
    resource: { group: '', resource: 'serviceaccounts' },
    subresource: 'token',
    applyDefaults(object) {
      const spec = (object['spec'] ?? {}) as Record<string, unknown>;
      spec['expirationSeconds'] ??= defaultExpirationSeconds;
      object['spec'] = spec;
    },
    create: async (object, request) => ({ object: await issue(dependencies, object, request) }),
  };
}

async function issue(
  dependencies: TokenRequestDependencies,
  given: KubeObject,
  request: HandlerRequest,
): Promise<KubeObject> {
  const { namespace, name, context } = request;
  checkAddress(given, request);
  const account = dependencies.objects.serviceAccounts.get(namespace, name);
  if (account === undefined)
    throw statusErrors.notFound({ group: '', resource: 'serviceaccounts' }, name);
  checkUid(given, account, { request, features: dependencies.features });
  const object = complete(given, account, dependencies);
  const errors = dependencies.validate(object);
  if (errors.length > 0) throw statusErrors.invalid(tokenRequestKind, '', errors);
  await request.validateAdmission(object);
  const spec = object['spec'] as Required<TokenRequestSpec>;
  const bound = resolveBoundObject(dependencies, spec.boundObjectRef ?? undefined, {
    namespace,
    serviceAccountName: name,
  });
  const seconds = limitedExpiration(Number(spec.expirationSeconds), dependencies, (text) =>
    context.warn(text),
  );
  const isExtended =
    dependencies.extendExpiration !== false &&
    bound.pod !== undefined &&
    seconds === warnAfterSeconds &&
    spec.audiences.every((audience) => dependencies.apiAudiences.includes(audience));
  const contents: TokenContents = {
    namespace,
    serviceAccount: { name, uid: account.metadata.uid ?? '' },
    ...bound,
    audiences: spec.audiences,
    expiresInSeconds: isExtended ? extendedExpiration(dependencies) : seconds,
    ...(isExtended ? { warnAfterSeconds } : {}),
  };
  const issued = await issueToken(dependencies, contents);
  if (issued.id !== '')
    context.annotate('authentication.kubernetes.io/issued-credential-id', `JTI=${issued.id}`);
  // The status says when the kubelet should have renewed the token, not when it really ends.
  const expirationTimestamp = formatTime(issued.issuedAtMs + seconds * 1000);
  return {
    ...object,
    spec: { ...spec, expirationSeconds: seconds },
    status: { token: issued.token, expirationTimestamp },
  };
}

async function issueToken(
  { issuer }: TokenRequestDependencies,
  contents: TokenContents,
): Promise<IssuedToken> {
  try {
    return await issuer.issue(contents);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const text = `failed to generate token: ${why}`.slice(0, failureTextMax);
    throw statusErrors.generic(500, '', text, {});
  }
}

/** An external signer may have much to say. */
const failureTextMax = 2048;

function extendedExpiration({ signerExpirationSecondsMax }: TokenRequestDependencies): number {
  return Math.min(
    extendedExpirationSeconds,
    signerExpirationSecondsMax ?? extendedExpirationSeconds,
  );
}

function checkAddress({ metadata }: KubeObject, { namespace, name }: HandlerRequest): void {
  if (namespace === '') throw statusErrors.badRequest('namespace is required');
  if (metadata.namespace && metadata.namespace !== namespace)
    throw statusErrors.badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  if (metadata.name && metadata.name !== name)
    throw statusErrors.invalid(tokenRequestKind, name, [
      {
        type: 'FieldValueInvalid',
        path: 'metadata.name',
        badValue: metadata.name,
        detail: 'must match the service account name if specified',
      },
    ]);
}

function checkUid(
  { metadata }: KubeObject,
  account: KubeObject,
  { request, features }: { request: HandlerRequest; features: Features },
): void {
  if (!metadata.uid || metadata.uid === account.metadata.uid) return;
  const text = `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${account.metadata.uid})`;
  const about = { group: tokenRequestKind.group, resource: tokenRequestKind.kind };
  if (features.enabled('TokenRequestServiceAccountUIDValidation'))
    throw statusErrors.conflict(about, request.name, text);
  request.context.annotate('authentication.k8s.io/token-request-uid-mismatch', text);
  request.context.warn(
    `${text} but TokenRequestServiceAccountUIDValidation is not enabled. In the future, this will return a conflict error`,
  );
}

/** The request with what the server fills in. */
function complete(
  object: KubeObject,
  account: KubeObject,
  { apiAudiences, clock }: TokenRequestDependencies,
): KubeObject {
  const spec = (object['spec'] as TokenRequestSpec | undefined) ?? {};
  const { namespace, name, uid } = account.metadata;
  const audiences = spec.audiences?.length ? spec.audiences : apiAudiences;
  const { expirationSeconds = defaultExpirationSeconds, boundObjectRef = null } = spec;
  return {
    ...object,
    metadata: {
      ...object.metadata,
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      creationTimestamp: formatTime(clock.now()),
    },
    spec: { audiences: [...audiences], expirationSeconds, boundObjectRef },
  };
}

function limitedExpiration(
  wanted: number,
  { expirationSecondsMax }: TokenRequestDependencies,
  warn: (text: string) => void,
): number {
  if (expirationSecondsMax === undefined || wanted <= expirationSecondsMax) return wanted;
  warn(`requested expiration of ${wanted} seconds shortened to ${expirationSecondsMax} seconds`);
  return expirationSecondsMax;
}
