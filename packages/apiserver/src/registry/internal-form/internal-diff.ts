// The difference that Kubernetes shows when something immutable was changed: the internal forms of
// both values as indented JSON, line by line.

import { internalValue } from './internal-value.ts';
import { unifiedDiff } from './line-diff.ts';

/** Hunks from the old to the new value of a built-in struct; ends with a line break. */
export function internalDiff(typeName: string, oldValue: unknown, newValue: unknown): string {
  return diffOfInternalForms(internalValue(typeName, oldValue), internalValue(typeName, newValue));
}

/** The same for values that have their internal form already. */
export function diffOfInternalForms(oldForm: unknown, newForm: unknown): string {
  return unifiedDiff(internalText(oldForm), internalText(newForm));
}

function internalText(form: unknown): string {
  const text = JSON.stringify(
    form,
    (_key, v: unknown) => (typeof v === 'bigint' ? JSON.rawJSON(v.toString()) : v),
    1,
  );
  return text.replace(
    /[<>&\u2028\u2029]/g,
    (ch) => `\\u${ch.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
