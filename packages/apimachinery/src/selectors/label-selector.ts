// Label selectors, compiled for matching: from text (`a=b,c in (d)`), from the API's
// `LabelSelector` object, or from a map of labels. All requirements must be met; no requirement
// matches everything.

import { compareGoStrings } from '../go-string.ts';
import { fieldError, type FieldError } from '../status/field-error.ts';
import {
  createLabelRequirement,
  formatRequirement,
  matchesRequirement,
  SelectorError,
  type LabelOperator,
  type LabelRequirement,
  type Labels,
} from './label-requirement.ts';
import { parseLabelRequirements } from './label-selector-parser.ts';
import { labelValueProblems, qualifiedNameProblems } from './label-syntax.ts';

/** A compiled selector; immutable, so it may be kept and shared. */
export interface LabelMatcher {
  /** In the order of their keys. Undefined: selects nothing, and no requirements can say so. */
  readonly requirements: readonly LabelRequirement[] | undefined;
  /** Selects everything. */
  readonly isEmpty: boolean;
  matches(labels: Labels | undefined): boolean;
  /** The value that `key` must have, when there is only one; lets an index be used. */
  exactValue(key: string): string | undefined;
  /** The canonical text, which parses to the same selector. Empty for everything and nothing. */
  toString(): string;
}

/** The API's `metav1.LabelSelector`. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: LabelSelectorRequirement[];
}
export interface LabelSelectorRequirement {
  key?: string;
  operator?: string;
  values?: string[];
}

export const everyLabelMatcher: LabelMatcher = createLabelMatcher([]);
export const noLabelMatcher: LabelMatcher = {
  requirements: undefined,
  isEmpty: false,
  matches: () => false,
  exactValue: () => undefined,
  toString: () => '',
};

/** Compiles the text of `labelSelector` query parameters; throws `SelectorError`. */
export function parseLabelSelector(text: string): LabelMatcher {
  return text === '' ? everyLabelMatcher : createLabelMatcher(parseLabelRequirements(text));
}

/** Compiles requirements that are known to be valid. */
export function createLabelMatcher(requirements: readonly LabelRequirement[]): LabelMatcher {
  return {
    requirements,
    isEmpty: requirements.length === 0,
    matches(labels) {
      for (const r of requirements) if (!matchesRequirement(r, labels)) return false;
      return true;
    },
    exactValue(key) {
      const r = requirements.find((candidate) => candidate.key === key);
      if (r === undefined || r.values.length !== 1) return undefined;
      return r.operator === '=' || r.operator === '==' || r.operator === 'in'
        ? r.values[0]
        : undefined;
    },
    toString: () => requirements.map(formatRequirement).join(','),
  };
}

const operators = new Map<string, LabelOperator>([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
]);

/**
 * Compiles the object form. An absent selector selects nothing, an empty one everything. Throws
 * `SelectorError` for an invalid one.
 */
export function compileLabelSelector(selector: LabelSelector | null | undefined): LabelMatcher {
  if (selector === undefined || selector === null) return noLabelMatcher;
  const requirements: LabelRequirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    requirements.push(createLabelRequirement(key, '=', [value]));
  }
  for (const expression of selector.matchExpressions ?? []) {
    const operator = operators.get(expression.operator ?? '');
    if (operator === undefined) {
      const text = JSON.stringify(expression.operator ?? '');
      throw new SelectorError(`${text} is not a valid label selector operator`);
    }
    requirements.push(
      createLabelRequirement(expression.key ?? '', operator, expression.values ?? []),
    );
  }
  return sorted(requirements);
}

/** Selects objects that have all these labels. The labels are taken as valid. */
export function labelMatcherFromSet(labels: Labels | undefined): LabelMatcher {
  return sorted(
    Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] })),
  );
}

/** The object form as tables show it: its text, `<none>` when empty, `<error>` when invalid. */
export function formatLabelSelector(selector: LabelSelector | null | undefined): string {
  try {
    return compileLabelSelector(selector).toString() || '<none>';
  } catch (e) {
    if (e instanceof SelectorError) return '<error>';
    throw e;
  }
}

/** Adds to `path` what is wrong with the object form, in the order and words of Kubernetes. */
export function validateLabelSelector(
  selector: LabelSelector | null | undefined,
  path: string,
  options: { readonly allowInvalidValues?: boolean } = {},
): FieldError[] {
  const errors: FieldError[] = [];
  const labelsPath = `${path}.matchLabels`;
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    errors.push(...invalid(labelsPath, key, qualifiedNameProblems(key)));
    errors.push(...invalid(labelsPath, value, labelValueProblems(value)));
  }
  for (const [i, expression] of (selector?.matchExpressions ?? []).entries()) {
    errors.push(...validateExpression(expression, `${path}.matchExpressions[${i}]`, options));
  }
  return errors;
}

function validateExpression(
  expression: LabelSelectorRequirement,
  path: string,
  options: { readonly allowInvalidValues?: boolean },
): FieldError[] {
  const { key = '', operator = '' } = expression;
  const values = expression.values ?? [];
  const errors: FieldError[] = [];
  const kind = operators.get(operator);
  if (kind === undefined) {
    errors.push(fieldError.invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  } else if (kind === 'in' || kind === 'notin') {
    const detail = "must be specified when `operator` is 'In' or 'NotIn'";
    if (values.length === 0) errors.push(fieldError.required(`${path}.values`, detail));
  } else if (values.length > 0) {
    const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
    errors.push(fieldError.forbidden(`${path}.values`, detail));
  }
  errors.push(...invalid(`${path}.key`, key, qualifiedNameProblems(key)));
  if (options.allowInvalidValues) return errors;
  for (const [i, value] of values.entries()) {
    errors.push(...invalid(`${path}.values[${i}]`, value, labelValueProblems(value)));
  }
  return errors;
}

function invalid(path: string, badValue: string, problems: readonly string[]): FieldError[] {
  return problems.map((detail) => fieldError.invalid(path, badValue, detail));
}
function sorted(requirements: LabelRequirement[]): LabelMatcher {
  if (requirements.length === 0) return everyLabelMatcher;
  return createLabelMatcher(requirements.sort((a, b) => compareGoStrings(a.key, b.key)));
}
