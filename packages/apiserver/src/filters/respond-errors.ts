// Whatever is thrown inside becomes the answer, once; outside of it nothing throws. A StatusError is
// answered as it is; anything else is a bug: an opaque 500 for the client, everything for the log.

import { isStatusError, statusErrors } from '@keelson/apimachinery';
import { respondStatus } from '../endpoints/respond.ts';
import { interpretClosedStorage } from '../registry/storage-errors.ts';
import type { Logger } from '../logger.ts';
import type { Filter } from '../request-pipeline.ts';

export function createRespondErrorsFilter(logger: Logger): Filter {
  return {
    name: 'respond-errors',
    async handle(context, next) {
      try {
        await next();
      } catch (thrown) {
        const error = interpretClosedStorage(thrown);
        if (context.response.headersSent) {
          context.response.abort();
        } else if (isStatusError(error)) {
          respondStatus(context, error.status);
        } else {
          respondStatus(context, statusErrors.internalError('unexpected failure').status);
        }
        if (!isStatusError(error)) {
          logger.error('request failed', {
            verb: context.info.verb,
            path: context.info.path,
            error: error instanceof Error ? (error.stack ?? error.message) : String(error),
          });
        }
      }
    },
  };
}
