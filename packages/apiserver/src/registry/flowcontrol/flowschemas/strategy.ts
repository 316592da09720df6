// FlowSchemas: which requests go to which priority level.

import { fieldError, findCondition } from '@keelson/apimachinery';
import type {
  FlowSchema,
  FlowSchemaSpec,
} from '@keelson/apimachinery/types/flowcontrol.apiserver.k8s.io.v1';
import { internalValue } from '../../internal-form/internal-value.ts';
import { age, noneText } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { conforms, required, type Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { dns1123Subdomain } from '../../validation/names.ts';
import { countedStrategy, statusConditions } from '../counted-strategy.ts';
import { exemptName, mandatoryFlowSchemas } from '../mandatory-objects.ts';
import { policyRule } from './policy-rules.ts';

type Schema = FlowSchema & { status?: NonNullable<FlowSchema['status']> };

const matchingPrecedenceDefault = 1000;
const matchingPrecedenceMax = 10_000;
const distinguisherTypes = ['ByNamespace', 'ByUser'];

export const flowSchemaStrategy: Strategy<Schema> = {
  ...countedStrategy<Schema>(validateFlowSchema),
  applyDefaults({ spec }) {
    if (!spec.matchingPrecedence) spec.matchingPrecedence = matchingPrecedenceDefault;
  },
  allowUnconditionalUpdate: true,
  tableCells: (object, nowMs) => [
    object.metadata.name ?? '',
    object.spec.priorityLevelConfiguration?.name ?? '',
    object.spec.matchingPrecedence ?? 0,
    object.spec.distinguisherMethod?.type ?? noneText,
    age(object, nowMs),
    findCondition(object.status?.conditions, 'Dangling')?.status ?? '?',
  ],
};

function validateFlowSchema({ metadata, spec, status }: Schema): Errors {
  const errors: Errors = [];
  const name = metadata.name ?? '';
  checkSpec(errors, name, spec);
  const fixed = mandatoryFlowSchemas[name];
  if (fixed !== undefined && !isSemanticallyEqual(spec, fixed)) {
    const value = internalValue('io.k8s.api.flowcontrol.v1.FlowSchemaSpec', spec);
    errors.push(fieldError.invalid('spec', value, `spec of '${name}' must equal the fixed value`));
  }
  statusConditions(errors, status);
  return errors;
}

function checkSpec(errors: Errors, name: string, spec: FlowSchemaSpec): void {
  checkPrecedence(errors, name, spec.matchingPrecedence ?? 0);
  const method = spec.distinguisherMethod;
  if (method !== undefined && !distinguisherTypes.includes(method.type)) {
    const value = { Type: method.type ?? '' };
    const path = 'spec.distinguisherMethod.type';
    errors.push(fieldError.notSupported(path, value, distinguisherTypes));
  }
  const levelName = spec.priorityLevelConfiguration?.name ?? '';
  const levelPath = 'spec.priorityLevelConfiguration.name';
  if (required(errors, levelPath, levelName, 'must reference a priority level')) {
    conforms(errors, levelPath, levelName, dns1123Subdomain);
  }
  spec.rules?.forEach((rule, i) => policyRule(errors, `spec.rules[${i}]`, rule));
}

function checkPrecedence(errors: Errors, name: string, precedence: number): void {
  const refuse = (why: string) => {
    errors.push(fieldError.invalid('spec.matchingPrecedence', precedence, why));
  };
  if (precedence <= 0) refuse('must be a positive value');
  if (precedence > matchingPrecedenceMax) {
    refuse(`must not be greater than ${matchingPrecedenceMax}`);
  }
  if (precedence === 1 && name !== exemptName) {
    refuse("only the schema named 'exempt' may have matchingPrecedence 1");
  }
}
