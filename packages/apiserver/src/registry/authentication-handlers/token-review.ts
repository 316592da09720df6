// TokenReview: whose token is this? Asked by kubelets and extension servers. The audiences of the
// question decide: without any, the token must be meant for the API server itself.

import {
  createDecisionTrace,
  noDecisionTrace,
  statusErrors,
  type KubeObject,
} from '@keelson/apimachinery';
import type { TokenAuthenticator, UserInfo } from '../../authentication/authenticator.ts';
import type { CreateHandler } from '../handlers.ts';

export interface TokenReviewDependencies {
  /** Of `createAuthentication`. */
  readonly tokens: TokenAuthenticator;
  readonly apiAudiences: readonly string[];
}

interface TokenReviewSpec {
  readonly token?: string;
  readonly audiences?: readonly string[];
}

export function createTokenReviewHandler(dependencies: TokenReviewDependencies): CreateHandler {
  const { tokens, apiAudiences } = dependencies;
  return {
    resource: { group: 'authentication.k8s.io', resource: 'tokenreviews' },
    subresource: '',
    async create(object, { context, validateAdmission }) {
      const { token = '', audiences = [] } = (object['spec'] as TokenReviewSpec | undefined) ?? {};
      if (token === '')
        throw statusErrors.badRequest('token is required for TokenReview in authentication');
      await validateAdmission(object);
      const wanted = audiences.length > 0 ? audiences : apiAudiences;
      const steps = context.trace.enabled ? createDecisionTrace() : noDecisionTrace;
      const result = await tokens.authenticateToken(token, wanted, steps);
      if (context.trace.enabled)
        context.trace.record({
          stage: 'token-review',
          by: tokens.name,
          outcome: result.outcome === 'authenticated' ? 'allow' : 'deny',
          reason: result.outcome === 'rejected' ? result.reason : '',
          detail: { steps: steps.steps() },
        });
      if (result.outcome === 'rejected')
        return { object: withStatus(object, { user: {}, error: result.reason }) };
      if (result.outcome === 'no-credential') return { object: withStatus(object, { user: {} }) };
      const answered = result.audiences ?? [];
      if (wanted.length > 0 && !answered.some((audience) => wanted.includes(audience)))
        throw statusErrors.internalError('error validating audiences');
      return {
        object: withStatus(object, {
          authenticated: true,
          user: toUserInfo(result.user),
          ...(answered.length > 0 ? { audiences: answered } : {}),
        }),
      };
    },
  };
}

function withStatus(object: KubeObject, status: object): KubeObject {
  return { ...object, status };
}

/** `authentication.k8s.io/v1 UserInfo`; empty fields are left out. */
export function toUserInfo({ name, uid, groups, extra }: UserInfo): object {
  return {
    ...(name === '' ? {} : { username: name }),
    ...(uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(Object.keys(extra).length === 0 ? {} : { extra: { ...extra } }),
  };
}
