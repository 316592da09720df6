// Finds out who the caller is, or answers 401. The in-process transport names its user itself.

import { statusErrors } from '@keelson/apimachinery';
import type { Authenticator } from '../authentication/authenticator.ts';
import type { Filter } from '../request-pipeline.ts';

export function createAuthenticationFilter(authenticator: Authenticator): Filter {
  return {
    name: 'authentication',
    async handle(context, next) {
      const { request, trace } = context;
      if (request.inProcessUser !== undefined) {
        context.user = request.inProcessUser;
        if (trace.enabled)
          trace.record({
            stage: 'authentication',
            by: 'in-process',
            outcome: 'allow',
            reason: 'the caller runs inside the server process',
          });
        return next();
      }
      const result = await authenticator.authenticate(request, trace);
      if ('annotations' in result)
        for (const [key, value] of Object.entries(result.annotations ?? {}))
          context.annotate(key, value);
      if (result.outcome !== 'authenticated') throw statusErrors.unauthorized();
      context.user = result.user;
      for (const text of result.warnings ?? []) context.warn(text);
      return next();
    },
  };
}
