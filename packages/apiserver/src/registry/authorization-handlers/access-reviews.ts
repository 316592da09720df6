// The reviews of group authorization.k8s.io: may somebody do something (SubjectAccessReview), in
// this namespace (LocalSubjectAccessReview), may I (SelfSubjectAccessReview), and what may I do
// here (SelfSubjectRulesReview). They ask the authorizers that also decide about requests.

import {
  createDecisionTrace,
  noDecisionTrace,
  statusErrors,
  type FieldError,
  type KubeObject,
} from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { Authorizer, RuleResolver } from '../../authorization/authorizer.ts';
import type { Features } from '../../features/features.ts';
import type { CreateHandler, HandlerRequest } from '../handlers.ts';
import { toReviewQuestion, userOfReview, type AccessReviewSpec } from './review-attributes.ts';

export type ReviewValidator = (object: KubeObject) => readonly FieldError[];

export interface AccessReviewDependencies {
  readonly authorizer: Authorizer;
  readonly rules: RuleResolver;
  readonly features: Features;
  /** Field errors of each kind, in Kubernetes' order. */
  readonly validators: {
    readonly subjectAccessReview: ReviewValidator;
    readonly localSubjectAccessReview: ReviewValidator;
    readonly selfSubjectAccessReview: ReviewValidator;
  };
}

const group = 'authorization.k8s.io';

/** Handlers of all four kinds. */
export function createAccessReviewHandlers(
  dependencies: AccessReviewDependencies,
): CreateHandler[] {
  const { validators } = dependencies;
  const handler = (
    resource: string,
    create: (object: KubeObject, request: HandlerRequest) => Promise<KubeObject>,
  ): CreateHandler => ({
    resource: { group, resource },
    subresource: '',
    create: async (object, request) => ({ object: await create(object, request) }),
  });
  return [
    handler('subjectaccessreviews', (object, request) =>
      review(dependencies, object, { request, validate: validators.subjectAccessReview }),
    ),
    handler('localsubjectaccessreviews', (object, request) => {
      const { namespace } = request;
      if (namespace === '') throw statusErrors.badRequest('namespace is required on this type: ');
      const placed = placeIn(object, namespace);
      const validate = validators.localSubjectAccessReview;
      return review(dependencies, placed, { request, validate });
    }),
    handler('selfsubjectaccessreviews', (object, request) =>
      review(dependencies, object, {
        request,
        validate: validators.selfSubjectAccessReview,
        user: request.context.user,
      }),
    ),
    handler('selfsubjectrulesreviews', (object, request) =>
      reviewRules(dependencies, object, request),
    ),
  ];
}

interface Review {
  readonly request: HandlerRequest;
  readonly validate: ReviewValidator;
  /** The user of the spec when absent. */
  readonly user?: UserInfo;
}

async function review(
  { authorizer, features }: AccessReviewDependencies,
  given: KubeObject,
  { request, validate, user }: Review,
): Promise<KubeObject> {
  const object = features.enabled('AuthorizeWithSelectors') ? given : withoutSelectors(given);
  const errors = validate(object);
  // COMPAT: the kind is empty in this message.
  if (errors.length > 0) throw statusErrors.invalid({ group, kind: '' }, '', errors);
  await request.validateAdmission(object);
  const spec = specOf(object);
  const { attributes, problems } = toReviewQuestion(spec);
  const { trace } = request.context;
  const steps = trace.enabled ? createDecisionTrace() : noDecisionTrace;
  const result = await authorizer.authorize(user ?? userOfReview(spec), attributes, steps);
  if (trace.enabled)
    trace.record({
      stage: 'access-review',
      by: authorizer.name,
      outcome: result.decision,
      reason: result.reason,
      detail: { steps: steps.steps() },
    });
  const evaluationError = [result.evaluationError ?? '', ...problems]
    .filter((t) => t !== '')
    .join('; ');
  return {
    ...object,
    status: {
      allowed: result.decision === 'allow',
      ...(result.decision === 'deny' ? { denied: true } : {}),
      ...(result.reason === '' ? {} : { reason: result.reason }),
      ...(evaluationError === '' ? {} : { evaluationError }),
    },
  };
}

async function reviewRules(
  { rules }: AccessReviewDependencies,
  object: KubeObject,
  { context, validateAdmission }: HandlerRequest,
): Promise<KubeObject> {
  const spec = object['spec'] as { readonly namespace?: string } | undefined;
  const namespace = spec?.namespace ?? '';
  if (namespace === '') throw statusErrors.badRequest('no namespace on request');
  await validateAdmission(object);
  const found = await rules.rulesFor(context.user, namespace);
  return {
    ...(object.kind === undefined ? {} : { kind: object.kind }),
    ...(object.apiVersion === undefined ? {} : { apiVersion: object.apiVersion }),
    metadata: {},
    // COMPAT: only the status is answered.
    spec: {},
    status: {
      resourceRules: found.resourceRules.map(({ resourceNames, ...rule }) =>
        resourceNames.length === 0 ? rule : { ...rule, resourceNames },
      ),
      nonResourceRules: found.nonResourceRules,
      incomplete: found.incomplete,
      ...(found.evaluationError === '' ? {} : { evaluationError: found.evaluationError }),
    },
  };
}

/** The review in the namespace of the URL; 400 when it names another. */
function placeIn(object: KubeObject, namespace: string): KubeObject {
  const own = object.metadata.namespace ?? '';
  if (own !== '' && own !== namespace)
    throw statusErrors.badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function specOf(object: KubeObject): AccessReviewSpec {
  return (object['spec'] as AccessReviewSpec | undefined) ?? {};
}

/** Before 1.31 the selectors are fields that the server does not know. */
function withoutSelectors(object: KubeObject): KubeObject {
  const spec = specOf(object);
  if (spec.resourceAttributes === undefined) return object;
  const { fieldSelector, labelSelector, ...resourceAttributes } = spec.resourceAttributes;
  return fieldSelector === undefined && labelSelector === undefined
    ? object
    : { ...object, spec: { ...spec, resourceAttributes } };
}
