// Who is the caller? Authenticators are asked in order (`union.ts`); the first that recognises a
// credential decides. An authenticator that sees a credential of its kind and finds it bad says so;
// one that sees none of its kind has no opinion.

import type { ApiRequest } from '../http.ts';
import type { DecisionTrace } from '@keelson/apimachinery';

/** `authentication.k8s.io/v1 UserInfo`. */
export interface UserInfo {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export type AuthenticationResult =
  | {
      readonly outcome: 'authenticated';
      readonly user: UserInfo;
      /**
       * Audiences that the credential and the question have in common; absent when it knows none.
       */
      readonly audiences?: readonly string[];
      readonly warnings?: readonly string[];
      /** Annotations of the audit event, such as the use of a legacy token. */
      readonly annotations?: Readonly<Record<string, string>>;
    }
  /**
   * The credential is of this authenticator's kind and is bad. `reason` is for the log, the trace
   * and `status.error` of TokenReview only; `reasons` are its parts when several authenticators
   * refused.
   */
  | {
      readonly outcome: 'rejected';
      readonly reason: string;
      readonly reasons?: readonly string[];
      /** Which of the authenticator's checks failed, in one word; for the trace only. */
      readonly check?: string;
      readonly annotations?: Readonly<Record<string, string>>;
    }
  | {
      readonly outcome: 'no-credential';
      readonly warnings?: readonly string[];
      /**
       * Why the authenticator has no opinion, where that is more than "nothing of this kind was
       * sent". For the trace only: the client must not learn it.
       */
      readonly reason?: string;
    };

export interface Authenticator {
  /** `x509`, `token-file`, `service-account`, `anonymous`: appears in traces. */
  readonly name: string;
  authenticate(
    request: ApiRequest,
    trace: DecisionTrace,
  ): Promise<AuthenticationResult> | AuthenticationResult;
}

/** Verifies a bearer token; TokenReview uses the same with other audiences. */
export interface TokenAuthenticator {
  readonly name: string;
  authenticateToken(
    token: string,
    audiences: readonly string[],
    trace: DecisionTrace,
  ): Promise<AuthenticationResult>;
}

export const anonymousUser: UserInfo = {
  name: 'system:anonymous',
  uid: '',
  groups: ['system:unauthenticated'],
  extra: {},
};
