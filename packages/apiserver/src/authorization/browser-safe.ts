// A browser sends no token, so a page in it can make a cluster's API fetch what an anonymous user
// may fetch, and a proxied pod may answer with a page of its own. Therefore a caller who is not
// authenticated needs an explicit grant of `unsafeproxy` where others need `proxy`: as a
// subresource (`pods/unsafeproxy`) and as a verb. Wraps one authorizer (RBAC); the reason says what
// was changed. Access reviews that name no `system:authenticated` group are treated the same way.

import type { AuthorizationResult, Authorizer, RequestAttributes } from './authorizer.ts';
import type { UserInfo } from '../authentication/authenticator.ts';

const proxy = 'proxy';
const unsafeProxy = 'unsafeproxy';

/**
 * `delegate`, asked about `unsafeproxy` instead of `proxy` for callers who are not authenticated.
 */
export function createBrowserSafeAuthorizer(delegate: Authorizer): Authorizer {
  return {
    name: delegate.name,
    authorize(user, attributes, trace) {
      if (!isUnsafe(user, attributes)) return delegate.authorize(user, attributes, trace);
      const { verb, subresource } = attributes;
      const changed = {
        ...attributes,
        verb: verb === proxy ? unsafeProxy : verb,
        subresource: subresource === proxy ? unsafeProxy : subresource,
      };
      if (trace.enabled)
        trace.record({
          stage: 'authorization',
          by: 'browser-safe',
          outcome: 'changed',
          reason: `a caller without system:authenticated needs ${unsafeProxy} in place of ${proxy}`,
          detail: { verb: changed.verb, subresource: changed.subresource },
        });
      const explain = (result: AuthorizationResult): AuthorizationResult =>
        result.decision === 'allow'
          ? result
          : { ...result, reason: reasonOf(result.reason, verb === proxy, subresource === proxy) };
      const answer = delegate.authorize(user, changed, trace);
      return answer instanceof Promise ? answer.then(explain) : explain(answer);
    },
  };
}

function isUnsafe(
  user: UserInfo,
  attributes: RequestAttributes,
): attributes is Extract<RequestAttributes, { isResource: true }> {
  return (
    attributes.isResource &&
    (attributes.verb === proxy || attributes.subresource === proxy) &&
    !user.groups.includes('system:authenticated')
  );
}

function reasonOf(reason: string, byVerb: boolean, bySubresource: boolean): string {
  const parts = reason === '' ? [] : [reason];
  if (byVerb) parts.push(`${proxy} verb changed to ${unsafeProxy}`);
  if (bySubresource) parts.push(`${proxy} subresource changed to ${unsafeProxy}`);
  return parts.join(', ');
}
