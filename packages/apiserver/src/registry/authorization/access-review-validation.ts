// What can be asked about permissions: either a resource or a URL, for somebody who has a name or a
// group. Metadata has no meaning in a question and is refused.

import { fieldError, type FieldError, type KubeObject } from '@keelson/apimachinery';
import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  NonResourceAttributes,
  ResourceAttributes,
  SubjectAccessReviewSpec,
} from '@keelson/apimachinery/types/authorization.k8s.io.v1';
import { internalValue } from '../internal-form/internal-value.ts';
import type { Errors } from '../validation/checks.ts';
import {
  labelSelectorRequirement,
  selectorOperator,
  type SelectorRequirementLike,
} from '../validation/labels.ts';

/** Of all kinds: a review of the requester has no user in its spec. */
type ReviewSpec = Partial<SubjectAccessReviewSpec>;

export function validateSubjectAccessReview(review: KubeObject): Errors {
  const errors: Errors = [];
  checkSubjectSpec(errors, specOf(review));
  checkMetadata(errors, review, []);
  return errors;
}

export function validateSelfSubjectAccessReview(review: KubeObject): Errors {
  const errors: Errors = [];
  checkQuestion(errors, specOf(review));
  checkAttributes(errors, specOf(review).resourceAttributes);
  checkMetadata(errors, review, []);
  return errors;
}

export function validateLocalSubjectAccessReview(review: KubeObject): Errors {
  const errors: Errors = [];
  const { resourceAttributes, nonResourceAttributes } = specOf(review);
  checkSubjectSpec(errors, specOf(review));
  checkMetadata(errors, review, ['namespace']);
  const asked = resourceAttributes?.namespace ?? '';
  if (resourceAttributes && asked !== (review.metadata.namespace ?? '')) {
    const path = 'spec.resourceAttributes.namespace';
    errors.push(fieldError.invalid(path, asked, 'must match metadata.namespace'));
  }
  if (nonResourceAttributes) {
    const why = 'disallowed on this kind of request';
    errors.push(urlError(nonResourceAttributes, why));
  }
  return errors;
}

function urlError(attributes: NonResourceAttributes, why: string): FieldError {
  const value = internalValue('io.k8s.api.authorization.v1.NonResourceAttributes', attributes);
  return fieldError.invalid('spec.nonResourceAttributes', value, why);
}

function specOf(review: KubeObject): ReviewSpec {
  return (review['spec'] ?? {}) as ReviewSpec;
}

function checkSubjectSpec(errors: Errors, spec: ReviewSpec): void {
  checkQuestion(errors, spec);
  if (!spec.user && (spec.groups ?? []).length === 0) {
    const why = 'at least one of user or group must be specified';
    errors.push(fieldError.invalid('spec.user', '', why));
  }
  checkAttributes(errors, spec.resourceAttributes);
}

function checkQuestion(errors: Errors, spec: ReviewSpec): void {
  const { resourceAttributes, nonResourceAttributes } = spec;
  if (resourceAttributes && nonResourceAttributes) {
    const why = 'cannot be specified in combination with resourceAttributes';
    errors.push(urlError(nonResourceAttributes, why));
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    errors.push(fieldError.invalid('spec.resourceAttributes', null, why));
  }
}

function checkMetadata(errors: Errors, { metadata }: KubeObject, allowed: string[]): void {
  const ignored = ['managedFields', ...allowed];
  const given = Object.entries(metadata).filter(
    ([field, value]) => !ignored.includes(field) && !isEmpty(value),
  );
  if (given.length === 0) return;
  const exception = allowed.map((field) => ` except for ${field}`).join('');
  errors.push(fieldError.invalid('metadata', metadata, `must be empty${exception}`));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function checkAttributes(errors: Errors, attributes: ResourceAttributes | undefined): void {
  const path = 'spec.resourceAttributes';
  selector(errors, `${path}.fieldSelector`, attributes?.fieldSelector, fieldRequirement);
  selector(errors, `${path}.labelSelector`, attributes?.labelSelector, labelRequirement);
}

type CheckRequirement = (errors: Errors, path: string, one: SelectorRequirementLike) => void;

function selector(
  errors: Errors,
  path: string,
  attributes: FieldSelectorAttributes | LabelSelectorAttributes | undefined,
  check: CheckRequirement,
): void {
  if (!attributes) return;
  const { rawSelector = '', requirements = [] } = attributes;
  if (rawSelector !== '' && requirements.length > 0) {
    const why = 'may not specified at the same time as requirements';
    errors.push(fieldError.invalid(`${path}.rawSelector`, rawSelector, why));
  }
  if (rawSelector === '' && requirements.length === 0) {
    const why = `when ${path} is specified, requirements or rawSelector is required`;
    errors.push(fieldError.required(`${path}.requirements`, why));
  }
  requirements.forEach((one, i) => check(errors, `${path}.requirements[${i}]`, one));
}

const lenient = { allowUnknownOperators: true };

const labelRequirement: CheckRequirement = (errors, path, one) => {
  labelSelectorRequirement(errors, path, one, lenient);
};

const fieldRequirement: CheckRequirement = (errors, path, one) => {
  if (!one.key) errors.push(fieldError.required(`${path}.key`, 'must be specified'));
  selectorOperator(errors, path, one, lenient);
};
