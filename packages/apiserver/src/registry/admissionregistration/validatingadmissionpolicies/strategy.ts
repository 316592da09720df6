// ValidatingAdmissionPolicies: CEL expressions that requests must satisfy.

import { copyJson, fieldError } from '@keelson/apimachinery';
import type {
  AuditAnnotation,
  TypeChecking,
  ValidatingAdmissionPolicy,
  Validation,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import type { Strategy } from '../../strategy.ts';
import { oneOf, required, type Errors } from '../../validation/checks.ts';
import { conditions } from '../../validation/conditions.ts';
import type { ExpressionChecker } from '../../validation/expression-checker.ts';
import { qualifiedName } from '../../validation/names.ts';
import { validateMatchConstraints } from '../match-resources.ts';
import { policyStrategy } from '../policies.ts';
import {
  checkExpression,
  validateMatchConditions,
  validateParamKind,
  validateVariables,
  type PolicyExpressions,
} from '../policy-expressions.ts';
import { failurePolicies, requiredChoice } from '../rules.ts';

export function createValidatingAdmissionPolicyStrategy(
  checker: ExpressionChecker,
): Strategy<ValidatingAdmissionPolicy> {
  const policies = policyStrategy<ValidatingAdmissionPolicy>({
    checker,
    size: ({ spec }) => spec.validations?.length ?? 0,
    expressionsOf: ({ spec }) => [
      ...(spec.validations ?? []).flatMap((v) => [v.expression, v.messageExpression ?? '']),
      ...(spec.auditAnnotations ?? []).map((annotation) => annotation.valueExpression),
    ],
    validate: validatePolicy,
  });
  return {
    ...policies,
    prepareForCreate(policy, context) {
      policy.status = {};
      policies.prepareForCreate?.(policy, context);
    },
    prepareForUpdate(policy, old, context) {
      policy.status = copyJson(old.status) ?? {};
      policies.prepareForUpdate?.(policy, old, context);
    },
    resetFields: [['status']],
    subresources: {
      status: {
        prepareForUpdate(policy, old) {
          policy.spec = copyJson(old.spec);
          policy.metadata = { ...policy.metadata, ...statusMeta(old) };
        },
        validateUpdate: ({ status }) => {
          const errors: Errors = [];
          validateTypeChecking(errors, 'status.typeChecking', status?.typeChecking);
          conditions(errors, 'status.conditions', status?.conditions);
          return errors;
        },
        resetFields: [['metadata'], ['spec']],
      },
    },
  };
}

/** Labels, annotations and the like do not change through `/status`. */
function statusMeta({ metadata }: ValidatingAdmissionPolicy) {
  const { labels, annotations, finalizers, ownerReferences } = copyJson(metadata);
  return { labels, annotations, finalizers, ownerReferences };
}

function validatePolicy(
  errors: Errors,
  { metadata, spec }: ValidatingAdmissionPolicy,
  expressions: PolicyExpressions,
): void {
  requiredChoice(errors, 'spec.failurePolicy', spec.failurePolicy, failurePolicies);
  if (spec.paramKind) validateParamKind(errors, 'spec.paramKind', spec.paramKind);
  validateMatchConstraints(errors, 'spec.matchConstraints', spec.matchConstraints);
  validateMatchConditions(errors, 'spec.matchConditions', spec.matchConditions, expressions);
  validateVariables(errors, 'spec.variables', spec.variables, expressions);
  const { validations = [], auditAnnotations = [] } = spec;
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const why = 'validations or auditAnnotations must contain at least one item';
    errors.push(fieldError.required('spec.validations', why));
    errors.push(fieldError.required('spec.auditAnnotations', why));
    return;
  }
  validations.forEach((validation, i) =>
    validateValidation(errors, `spec.validations[${i}]`, validation, expressions),
  );
  validateAuditAnnotations(errors, auditAnnotations, { expressions, name: metadata.name ?? '' });
}

const reasons: readonly string[] = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];

const hasLineBreak = (text: string) => /[\n\r]/.test(text);

function validateValidation(
  errors: Errors,
  path: string,
  validation: Validation,
  expressions: PolicyExpressions,
): void {
  const { expression = '', message = '', messageExpression = '', reason } = validation;
  if (expression.trim() === '') {
    errors.push(fieldError.required(`${path}.expression`, 'expression is not specified'));
  } else {
    const place = { path: `${path}.expression`, expression, use: 'validation' as const };
    checkExpression(errors, expressions, place);
  }
  if (messageExpression !== '' && messageExpression.trim() === '') {
    const why = 'must be non-empty if specified';
    errors.push(fieldError.invalid(`${path}.messageExpression`, messageExpression, why));
  } else if (messageExpression !== '') {
    const at = `${path}.messageExpression`;
    const place = { path: at, expression: messageExpression, use: 'message' as const };
    checkExpression(errors, expressions, place);
  }
  const shown = message.trim();
  if (message !== '' && shown === '') {
    errors.push(fieldError.invalid(`${path}.message`, message, 'must be non-empty if specified'));
  } else if (hasLineBreak(shown)) {
    errors.push(fieldError.invalid(`${path}.message`, message, 'must not contain line breaks'));
  }
  if (reason !== undefined) oneOf(errors, `${path}.reason`, reason, reasons);
}

const auditAnnotationsMax = 20;
/** Below the limit of values, for expressions mostly make longer texts than they are. */
const valueExpressionBytesMax = 5 * 1024;

interface AnnotationContext {
  readonly expressions: PolicyExpressions;
  readonly name: string;
}

function validateAuditAnnotations(
  errors: Errors,
  annotations: readonly AuditAnnotation[],
  { expressions, name }: AnnotationContext,
): void {
  const path = 'spec.auditAnnotations';
  if (annotations.length > auditAnnotationsMax) {
    const why = `must not have more than ${auditAnnotationsMax} auditAnnotations`;
    errors.push(fieldError.invalid(path, annotations, why));
  }
  annotations.forEach(({ key = '', valueExpression = '' }, i) => {
    const at = `${path}[${i}]`;
    if (name === '') {
      errors.push(fieldError.invalid(`${at}.key`, key, 'requires metadata.name be non-empty'));
    } else {
      const whole = `${name}/${key}`;
      for (const why of qualifiedName(whole)) {
        errors.push(fieldError.invalid(`${at}.key`, whole, why));
      }
    }
    checkValueExpression(errors, `${at}.valueExpression`, valueExpression, expressions);
    if (annotations.findIndex((other) => other.key === key) < i) {
      errors.push(fieldError.duplicate(`${at}.key`, key));
    }
  });
}

function checkValueExpression(
  errors: Errors,
  path: string,
  expression: string,
  expressions: PolicyExpressions,
): void {
  const text = expression.trim();
  if (text === '') {
    errors.push(fieldError.required(path, 'valueExpression is not specified'));
  } else if (Buffer.byteLength(text) > valueExpressionBytesMax) {
    const why = `must not exceed ${valueExpressionBytesMax} bytes in length`;
    errors.push(fieldError.required(path, why));
  } else {
    checkExpression(errors, expressions, { path, expression, use: 'audit-annotation' });
  }
}

function validateTypeChecking(
  errors: Errors,
  path: string,
  typeChecking: TypeChecking | undefined,
): void {
  typeChecking?.expressionWarnings?.forEach(({ fieldRef, warning }, i) => {
    const at = `${path}.expressionWarnings[${i}]`;
    required(errors, `${at}.warning`, warning);
    required(errors, `${at}.fieldRef`, fieldRef);
  });
}
