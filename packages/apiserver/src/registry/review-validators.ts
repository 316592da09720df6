// Validation of the kinds that are answered and never stored.

import type { FieldError, KubeObject } from '@keelson/apimachinery';

const accept = (_object: KubeObject): readonly FieldError[] => [];
export const reviewValidators = { subjectAccessReview: accept, localSubjectAccessReview: accept, selfSubjectAccessReview: accept, tokenRequest: accept } as const;
