// One condition of a label selector: key, operator, values. Decides which combinations are valid,
// whether labels meet it, and how it is written.

import { compareGoStrings } from '../go-string.ts';
import { fieldError, renderFieldError, type FieldError } from '../status/field-error.ts';
import { labelValueProblems, qualifiedNameProblems } from './label-syntax.ts';

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** As many as the operator takes: one for comparisons, none for `exists` and `!`. */
  readonly values: readonly string[];
}

/** The labels of an object, as they stand in its metadata. */
export type Labels = Readonly<Record<string, string>>;

/** A selector could not be parsed or is invalid; the message is Kubernetes' (an HTTP 400). */
export class SelectorError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SelectorError';
  }
}

/** Checks the parts and gives the requirement; throws `SelectorError` with all that is wrong. */
export function createLabelRequirement(
  key: string,
  operator: LabelOperator,
  values: readonly string[],
): LabelRequirement {
  const errors = labelRequirementErrors(key, operator, values);
  if (errors.length > 0) throw new SelectorError(aggregate(errors));
  return { key, operator, values };
}

/** All that is wrong with the parts, at `key` and `values`. */
export function labelRequirementErrors(
  key: string,
  operator: LabelOperator,
  values: readonly string[],
): FieldError[] {
  const errors: FieldError[] = [];
  const keyProblems = qualifiedNameProblems(key);
  if (keyProblems.length > 0) errors.push(fieldError.invalid('key', key, keyProblems.join('; ')));
  errors.push(...valueCountErrors(operator, values));
  for (const [i, value] of values.entries()) {
    const problems = labelValueProblems(value);
    if (problems.length === 0) continue;
    errors.push(fieldError.invalid(`values[${i}][${key}]`, value, problems.join('; ')));
  }
  return errors;
}

/** Throws `SelectorError` when the key is not one; the form of the parser, which has no path. */
export function assertLabelKey(key: string): void {
  const problems = qualifiedNameProblems(key);
  if (problems.length === 0) return;
  throw new SelectorError(renderFieldError(fieldError.invalid('<nil>', key, problems.join('; '))));
}

/** Whether the labels meet the requirement. A missing key meets `!=`, `notin` and `!` only. */
export function matchesRequirement(r: LabelRequirement, labels: Labels | undefined): boolean {
  const has = labels !== undefined && Object.hasOwn(labels, r.key);
  const value = has ? labels[r.key] : undefined;
  switch (r.operator) {
    case 'exists':
      return has;
    case '!':
      return !has;
    case '=':
    case '==':
    case 'in':
      return value !== undefined && r.values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !r.values.includes(value);
    case 'gt':
    case 'lt': {
      const actual = parseGoInt(value ?? '');
      const bound = parseGoInt(r.values[0] ?? '');
      if (actual === undefined || bound === undefined) return false;
      return r.operator === 'gt' ? actual > bound : actual < bound;
    }
  }
}

/** `a=b`, `a in (b,c)`, `!a`, `a>1`. */
export function formatRequirement(r: LabelRequirement): string {
  const values = [...r.values].sort(compareGoStrings).join(',');
  switch (r.operator) {
    case 'exists':
      return r.key;
    case '!':
      return `!${r.key}`;
    case 'in':
    case 'notin':
      return `${r.key} ${r.operator} (${values})`;
    case 'gt':
      return `${r.key}>${values}`;
    case 'lt':
      return `${r.key}<${values}`;
    default:
      return `${r.key}${r.operator}${values}`;
  }
}

function valueCountErrors(operator: LabelOperator, values: readonly string[]): FieldError[] {
  const wrong = (detail: string) => [
    { ...fieldError.invalid('values', values, detail), badValue: [...values] },
  ];
  switch (operator) {
    case 'in':
    case 'notin':
      return values.length > 0
        ? []
        : wrong("for 'in', 'notin' operators, values set can't be empty");
    case 'exists':
    case '!':
      return values.length === 0
        ? []
        : wrong('values set must be empty for exists and does not exist');
    case 'gt':
    case 'lt': {
      const detail = "for 'Gt', 'Lt' operators, exactly one value is required";
      const errors: FieldError[] = values.length === 1 ? [] : wrong(detail);
      for (const [i, value] of values.entries()) {
        if (parseGoInt(value) !== undefined) continue;
        const why = "for 'Gt', 'Lt' operators, the value must be an integer";
        errors.push(fieldError.invalid(`values[${i}]`, value, why));
      }
      return errors;
    }
    default:
      return values.length === 1
        ? []
        : wrong('exact-match compatibility requires one single value');
  }
}

/** Go's text of several errors: distinct ones, in brackets when more than one. */
function aggregate(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(renderFieldError))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

/** What Go's `strconv.ParseInt(text, 10, 64)` accepts. */
function parseGoInt(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,63}$/.test(text)) return undefined;
  const n = BigInt(text[0] === '+' ? text.slice(1) : text);
  return BigInt.asIntN(64, n) === n ? n : undefined;
}
