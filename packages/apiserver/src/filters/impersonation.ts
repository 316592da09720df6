// Lets a caller act as another user, when the headers ask for it and the authorizer allows it. From
// here on the request is the other user's: flow control, authorization and admission see only that
// one. The audit event names both.

import type { Authorizer } from '../authorization/authorizer.ts';
import { withoutImpersonationHeaders } from '../authorization/impersonation/impersonation-headers.ts';
import type { ImpersonationMetrics } from '../authorization/impersonation/impersonation-metrics.ts';
import { createImpersonator } from '../authorization/impersonation/impersonator.ts';
import type { Features } from '../features/features.ts';
import type { Filter } from '../request-pipeline.ts';

export function createImpersonationFilter(
  authorizer: Authorizer,
  features: Features,
  metrics?: ImpersonationMetrics,
): Filter {
  const impersonate = createImpersonator(authorizer, features, metrics);
  return {
    name: 'impersonation',
    async handle(context, next) {
      const impersonation = await impersonate(context);
      if (impersonation !== undefined) {
        context.impersonator = context.user;
        context.user = impersonation.user;
        context.request = withoutImpersonationHeaders(context.request);
        if (impersonation.constraint !== '')
          context.impersonationConstraint = impersonation.constraint;
      }
      return next();
    },
  };
}
