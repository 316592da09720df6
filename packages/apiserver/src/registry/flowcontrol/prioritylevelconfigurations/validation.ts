// How many requests a priority level lets through at once, and what happens to those above that.

import { fieldError } from '@keelson/apimachinery';
import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  QueuingConfiguration,
} from '@keelson/apimachinery/types/flowcontrol.apiserver.k8s.io.v1';
import { internalValue } from '../../internal-form/internal-value.ts';
import { oneOf, type Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { statusConditions } from '../counted-strategy.ts';
import { exemptName, mandatoryPriorityLevels } from '../mandatory-objects.ts';

const queuesMax = 10_000_000;
/** Bits that a flow's hash has for choosing its hand of queues. */
const hashBits = 60;

export function validatePriorityLevel(object: PriorityLevelConfiguration): Errors {
  const errors: Errors = [];
  checkSpec(errors, object);
  checkFixedSpec(errors, object);
  statusConditions(errors, object.status);
  return errors;
}

function checkSpec(errors: Errors, { metadata, spec }: PriorityLevelConfiguration): void {
  if ((metadata.name === exemptName) !== (spec.type === 'Exempt')) {
    const why = "type must be 'Exempt' if and only if name is 'exempt'";
    errors.push(fieldError.invalid('spec.type', spec.type ?? '', why));
  }
  if (!oneOf(errors, 'spec.type', spec.type, ['Exempt', 'Limited'])) return;
  if (spec.type === 'Exempt') {
    if (spec.limited !== undefined) {
      errors.push(fieldError.forbidden('spec.limited', 'must be nil if the type is not Limited'));
    }
    if (spec.exempt !== undefined) shares(errors, 'spec.exempt', spec.exempt);
    return;
  }
  if (spec.exempt !== undefined) {
    errors.push(fieldError.forbidden('spec.exempt', 'must be nil if the type is Limited'));
  }
  if (spec.limited === undefined) {
    errors.push(fieldError.required('spec.limited', 'must not be empty when type is Limited'));
  } else {
    limited(errors, 'spec.limited', spec.limited);
  }
}

/** Of the exempt level, `exempt` may be changed; of the catch-all, nothing. */
function checkFixedSpec(errors: Errors, { metadata, spec }: PriorityLevelConfiguration): void {
  const name = metadata.name ?? '';
  const fixed = mandatoryPriorityLevels[name];
  if (fixed === undefined) return;
  const isExempt = name === exemptName;
  const expected = isExempt ? { ...fixed, exempt: spec.exempt } : fixed;
  if (isSemanticallyEqual(spec, expected)) return;
  const value = internalValue('io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec', spec);
  const what = isExempt ? "except the 'spec.exempt' field must" : 'must';
  errors.push(fieldError.invalid('spec', value, `spec of '${name}' ${what} equal the fixed value`));
}

type Shares = Omit<ExemptPriorityLevelConfiguration, 'nominalConcurrencyShares'> & {
  nominalConcurrencyShares?: number | null;
};

function shares(errors: Errors, path: string, level: Shares): void {
  sharesCount(errors, path, level);
  lendable(errors, path, level);
}

function sharesCount(errors: Errors, path: string, { nominalConcurrencyShares }: Shares): void {
  const count = nominalConcurrencyShares ?? 0;
  if (count >= 0) return;
  const why = 'must be a non-negative integer';
  errors.push(fieldError.invalid(`${path}.nominalConcurrencyShares`, count, why));
}

function lendable(errors: Errors, path: string, { lendablePercent = 0 }: Shares): void {
  if (lendablePercent >= 0 && lendablePercent <= 100) return;
  const why = 'must be between 0 and 100, inclusive';
  errors.push(fieldError.invalid(`${path}.lendablePercent`, lendablePercent, why));
}

function limited(errors: Errors, path: string, level: LimitedPriorityLevelConfiguration): void {
  sharesCount(errors, path, level);
  limitResponse(errors, `${path}.limitResponse`, level.limitResponse);
  lendable(errors, path, level);
  const borrowing = level.borrowingLimitPercent;
  if (borrowing !== undefined && borrowing < 0) {
    const why = 'if specified, must be a non-negative integer';
    errors.push(fieldError.invalid(`${path}.borrowingLimitPercent`, borrowing, why));
  }
}

function limitResponse(errors: Errors, path: string, response: LimitResponse | undefined): void {
  if (!oneOf(errors, `${path}.type`, response?.type, ['Queue', 'Reject'])) return;
  const queuingPath = `${path}.queuing`;
  if (response?.type === 'Reject') {
    if (response.queuing === undefined) return;
    const why = 'must be nil if limited.limitResponse.type is not Limited';
    errors.push(fieldError.forbidden(queuingPath, why));
  } else if (response?.queuing === undefined) {
    const why = 'must not be empty if limited.limitResponse.type is Limited';
    errors.push(fieldError.required(queuingPath, why));
  } else {
    queuing(errors, queuingPath, response.queuing);
  }
}

function queuing(errors: Errors, path: string, configuration: QueuingConfiguration): void {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = configuration;
  const refuse = (field: string, value: number, why: string) => {
    errors.push(fieldError.invalid(`${path}.${field}`, value, why));
  };
  if (queueLengthLimit <= 0) refuse('queueLengthLimit', queueLengthLimit, 'must be positive');
  if (queues <= 0) refuse('queues', queues, 'must be positive');
  else if (queues > queuesMax) refuse('queues', queues, `must not be greater than ${queuesMax}`);
  if (handSize <= 0) refuse('handSize', handSize, 'must be positive');
  else if (handSize > queues) {
    refuse('handSize', handSize, `should not be greater than queues (${queues})`);
  } else if (Math.ceil(Math.log2(queues) * handSize) > hashBits) {
    const what = `required entropy bits of deckSize ${queues} and handSize ${handSize}`;
    refuse('handSize', handSize, `${what} should not be greater than ${hashBits}`);
  }
}
