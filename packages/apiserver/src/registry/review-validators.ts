// Validation of the kinds that are answered and never stored.

import { validateTokenRequest } from './authentication/token-request-validation.ts';
import {
  validateLocalSubjectAccessReview,
  validateSelfSubjectAccessReview,
  validateSubjectAccessReview,
} from './authorization/access-review-validation.ts';

export const reviewValidators = {
  subjectAccessReview: validateSubjectAccessReview,
  localSubjectAccessReview: validateLocalSubjectAccessReview,
  selfSubjectAccessReview: validateSelfSubjectAccessReview,
  tokenRequest: validateTokenRequest,
} as const;
