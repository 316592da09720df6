// Issues bound service account tokens. What goes into them was decided by the TokenRequest handler;
// here are the times, the unique id and the signature.

import { createUid, type Clock, type Random } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import { serviceAccountUserName } from './service-account-name.ts';
import { encodeClaims, type ObjectClaim } from './token-claims.ts';
import type { TokenSigner } from './token-signer.ts';

export interface TokenContents {
  readonly namespace: string;
  readonly serviceAccount: ObjectClaim;
  readonly pod?: ObjectClaim;
  readonly node?: ObjectClaim;
  readonly secret?: ObjectClaim;
  readonly audiences: readonly string[];
  readonly expiresInSeconds: number;
  readonly warnAfterSeconds?: number;
}

export interface IssuedToken {
  readonly token: string;
  /** The unique id, as it stands in `authentication.kubernetes.io/credential-id`; empty by gate. */
  readonly id: string;
  readonly issuedAtMs: number;
}

export interface ServiceAccountTokenIssuer {
  /** The `iss` claim. */
  readonly issuer: string;
  issue(contents: TokenContents): Promise<IssuedToken>;
}

export interface TokenIssuerOptions {
  readonly issuer: string;
  readonly signer: TokenSigner;
  readonly clock: Clock;
  readonly random: Random;
  readonly features: Features;
}

export function createServiceAccountTokenIssuer(
  options: TokenIssuerOptions,
): ServiceAccountTokenIssuer {
  const { issuer, signer, clock, random, features } = options;
  return {
    issuer,
    async issue(contents) {
      const issuedAtMs = clock.now();
      const now = Math.floor(issuedAtMs / 1000);
      const id = features.enabled('ServiceAccountTokenJTI') ? createUid(random) : '';
      const { namespace, serviceAccount, warnAfterSeconds } = contents;
      const payload = encodeClaims({
        issuer,
        subject: serviceAccountUserName({ namespace, name: serviceAccount.name }),
        audiences: contents.audiences,
        expiresAt: now + contents.expiresInSeconds,
        notBefore: now,
        issuedAt: now,
        id,
        namespace,
        serviceAccount,
        pod: contents.pod,
        node: contents.node,
        secret: contents.secret,
        warnAfter: warnAfterSeconds === undefined ? undefined : now + warnAfterSeconds,
      });
      return { token: await signer.sign(payload), id, issuedAtMs };
    },
  };
}
