// The claims of service account tokens: what is written when one is issued, and what is believed
// when one is read. Reading is strict: a claim of the wrong type makes the token unreadable.

import { isJsonObject, type JsonObject } from '@keelson/apimachinery';

/** An object by name and, where it is known, by uid. */
export interface ObjectClaim {
  readonly name: string;
  readonly uid: string;
}

export interface BoundTokenClaims {
  readonly issuer: string;
  readonly subject: string;
  /** Empty for tokens without audience. */
  readonly audiences: readonly string[];
  /** Seconds since the epoch; undefined when absent. */
  readonly expiresAt: number | undefined;
  readonly notBefore: number | undefined;
  readonly issuedAt: number | undefined;
  readonly id: string;
  readonly namespace: string;
  readonly serviceAccount: ObjectClaim;
  readonly pod: ObjectClaim | undefined;
  readonly node: ObjectClaim | undefined;
  readonly secret: ObjectClaim | undefined;
  /** After this time the token should have been renewed already. */
  readonly warnAfter: number | undefined;
}

const privateClaim = 'kubernetes.io';

/** The payload of a token, members in Kubernetes' order (sorted by name). */
export function encodeClaims(claims: BoundTokenClaims): JsonObject {
  const reference = (claim: ObjectClaim | undefined) =>
    claim && (claim.uid === '' ? { name: claim.name } : { name: claim.name, uid: claim.uid });
  return {
    aud: [...claims.audiences],
    exp: claims.expiresAt,
    iat: claims.issuedAt,
    iss: claims.issuer,
    ...(claims.id === '' ? {} : { jti: claims.id }),
    [privateClaim]: {
      namespace: claims.namespace,
      node: reference(claims.node),
      pod: reference(claims.pod),
      secret: reference(claims.secret),
      serviceaccount: reference(claims.serviceAccount),
      warnafter: claims.warnAfter,
    },
    nbf: claims.notBefore,
    sub: claims.subject,
  };
}

/** Undefined when a claim has the wrong type or a required one is missing. */
export function decodeClaims(payload: JsonObject): BoundTokenClaims | undefined {
  const own = payload[privateClaim];
  const audiences = decodeAudiences(payload['aud']);
  if (audiences === undefined || !isJsonObject(own)) return undefined;
  const texts = [payload['iss'], payload['sub'], payload['jti'] ?? '', own['namespace']];
  const times = [payload['exp'], payload['nbf'], payload['iat'], own['warnafter']];
  if (!texts.every(isText) || !times.every(isTimeOrAbsent)) return undefined;
  const references = ['serviceaccount', 'pod', 'node', 'secret'].map((key) =>
    decodeReference(own[key]),
  );
  const [serviceAccount, pod, node, secret] = references;
  if (!serviceAccount || references.includes(null)) return undefined;
  const [issuer = '', subject = '', id = '', namespace = ''] = texts;
  const [expiresAt, notBefore, issuedAt, warnAfter] = times.map(orUndefined);
  return {
    issuer,
    subject,
    audiences,
    expiresAt,
    notBefore,
    issuedAt,
    id,
    namespace,
    serviceAccount,
    pod: pod ?? undefined,
    node: node ?? undefined,
    secret: secret ?? undefined,
    warnAfter,
  };
}

function decodeAudiences(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return [value];
  return Array.isArray(value) && value.every(isText) ? value : undefined;
}

/** Undefined when absent, null when unreadable. */
function decodeReference(value: unknown): ObjectClaim | undefined | null {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) return null;
  const { name, uid = '' } = value;
  return isText(name) && isText(uid) ? { name, uid } : null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTimeOrAbsent(value: unknown): value is number | undefined | null {
  return value === undefined || value === null || Number.isFinite(value);
}

function orUndefined(value: number | undefined | null): number | undefined {
  return value ?? undefined;
}
