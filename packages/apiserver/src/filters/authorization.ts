// Lets through what the authorizer allows; no opinion is a refusal, and so is an authorizer that
// throws. The body of the request has not been read when this runs.

import { statusErrors } from '@keelson/apimachinery';
import { attributesOf } from '../authorization/attributes.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { forbiddenByAuthorizer } from '../authorization/forbidden.ts';
import type { Filter } from '../request-pipeline.ts';

export function createAuthorizationFilter(authorizer: Authorizer): Filter {
  return {
    name: 'authorization',
    async handle(context, next) {
      const attributes = attributesOf(context);
      let result;
      try {
        result = await authorizer.authorize(context.user, attributes, context.trace);
      } catch (error) {
        context.trace.record({
          stage: 'authorization',
          by: authorizer.name,
          outcome: 'error',
          reason: 'the authorizer failed',
        });
        throw new Error('authorizer failed', { cause: error });
      }
      context.annotate(
        'authorization.k8s.io/decision',
        result.decision === 'allow' ? 'allow' : 'forbid',
      );
      if (result.reason !== '') context.annotate('authorization.k8s.io/reason', result.reason);
      if (result.decision === 'allow') return next();
      // An authorizer that could not decide has not refused; the caller may try again.
      if (result.evaluationError !== undefined)
        throw statusErrors.internalError(result.evaluationError);
      throw (
        forbiddenByAuthorizer(context.user, attributes, result.reason) ??
        statusErrors.unauthorized()
      );
    },
  };
}
