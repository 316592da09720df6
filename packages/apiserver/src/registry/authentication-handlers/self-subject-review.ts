// SelfSubjectReview (KEP-3325): who does the server think I am? Answers the effective user, after
// impersonation.

import { formatTime, type Clock } from '@keelson/apimachinery';
import type { CreateHandler } from '../handlers.ts';
import { toUserInfo } from './token-review.ts';

export function createSelfSubjectReviewHandler(clock: Clock): CreateHandler {
  return {
    resource: { group: 'authentication.k8s.io', resource: 'selfsubjectreviews' },
    subresource: '',
    async create(object, { context, validateAdmission }) {
      await validateAdmission(object);
      const metadata = { ...object.metadata, creationTimestamp: formatTime(clock.now()) };
      return {
        object: { ...object, metadata, status: { userInfo: toUserInfo(context.user) } },
      };
    },
  };
}
