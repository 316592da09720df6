// Conditions in the standard form (`metav1.Condition`) of a status.

import { fieldError } from '@keelson/apimachinery';
import type { Condition } from '@keelson/apimachinery/types/meta.v1';
import { conforms, notLongerThan, oneOf, type Errors } from './checks.ts';
import { qualifiedName, regexSentence } from './names.ts';

const statuses = ['False', 'True', 'Unknown'];
const reasonFormat = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const reasonPattern = new RegExp(`^${reasonFormat}$`);
const reasonBytesMax = 1024;
const messageBytesMax = 32 * 1024;

export function conditions(
  errors: Errors,
  path: string,
  list: readonly Condition[] | undefined,
): void {
  const seen = new Set<string>();
  list?.forEach((condition, i) => {
    if (seen.has(condition.type)) {
      errors.push(fieldError.duplicate(`${path}[${i}].type`, condition.type));
    }
    seen.add(condition.type);
    checkCondition(errors, `${path}[${i}]`, condition);
  });
}

function checkCondition(errors: Errors, path: string, condition: Condition): void {
  conforms(errors, `${path}.type`, condition.type ?? '', qualifiedName);
  oneOf(errors, `${path}.status`, condition.status, statuses);
  const generation = condition.observedGeneration ?? 0;
  if (generation < 0) {
    const why = 'must be greater than or equal to zero';
    errors.push(fieldError.invalid(`${path}.observedGeneration`, generation, why));
  }
  if (!condition.lastTransitionTime) {
    errors.push(fieldError.required(`${path}.lastTransitionTime`, 'must be set'));
  }
  if (!condition.reason) errors.push(fieldError.required(`${path}.reason`, 'must be set'));
  else {
    conforms(errors, `${path}.reason`, condition.reason, conditionReason);
    notLongerThan(errors, `${path}.reason`, condition.reason, reasonBytesMax);
  }
  notLongerThan(errors, `${path}.message`, condition.message, messageBytesMax);
}

function conditionReason(value: string): string[] {
  if (reasonPattern.test(value)) return [];
  const sentence =
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
  const examples = ['my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB'];
  return [regexSentence(sentence, reasonFormat, ...examples)];
}
