// Labels, annotations and label selectors wherever they stand (metadata, pod templates, selectors).

import { fieldError } from '@keelson/apimachinery';
import { conforms, type Errors } from './checks.ts';
import { labelValue, qualifiedName } from './names.ts';

/** Total size of the keys and values of all annotations of one object. */
const annotationBytesMax = 256 * 1024;

export type StringMap = Readonly<Record<string, string>>;

/** Every key and value of a map of labels; the map is the path of all findings. */
export function labels(errors: Errors, path: string, map: StringMap | undefined): void {
  for (const key in map) {
    conforms(errors, path, key, qualifiedName);
    conforms(errors, path, map[key] ?? '', labelValue);
  }
}

export function annotations(errors: Errors, path: string, map: StringMap | undefined): void {
  let bytes = 0;
  for (const key in map) {
    // Upper case is accepted in annotation keys for old clients' sake.
    for (const sentence of qualifiedName(key.toLowerCase())) {
      errors.push(fieldError.invalid(path, key, sentence));
    }
    bytes += Buffer.byteLength(key) + Buffer.byteLength(map[key] ?? '');
  }
  if (bytes > annotationBytesMax) errors.push(fieldError.tooLong(path, annotationBytesMax));
}

/** Annotations that only somebody with a domain may define: every key has a prefix. */
export function userAnnotations(errors: Errors, path: string, map: StringMap): void {
  let bytes = 0;
  for (const key in map) {
    const problems = qualifiedName(key.toLowerCase());
    if (problems.length > 0 || !key.includes('/')) {
      const why = 'must be a domain-prefixed key (such as "acme.io/foo")';
      errors.push(fieldError.invalid(path, key, problems[0] ?? why));
    }
    bytes += Buffer.byteLength(key) + Buffer.byteLength(map[key] ?? '');
  }
  if (bytes > annotationBytesMax) errors.push(fieldError.tooLong(path, annotationBytesMax));
}

export interface LabelSelectorLike {
  readonly matchLabels?: StringMap;
  readonly matchExpressions?: readonly SelectorRequirementLike[];
}
export interface SelectorRequirementLike {
  readonly key?: string;
  readonly operator?: string;
  readonly values?: readonly string[];
}

export interface LabelSelectorOptions {
  /** Objects stored before the rule existed may keep values that are no label values. */
  readonly allowInvalidValues?: boolean;
  /** Newer clients may ask with operators that are not known here yet. */
  readonly allowUnknownOperators?: boolean;
}

export function labelSelector(
  errors: Errors,
  path: string,
  selector: LabelSelectorLike | undefined | null,
  options: LabelSelectorOptions = {},
): void {
  if (!selector) return;
  labels(errors, `${path}.matchLabels`, selector.matchLabels);
  selector.matchExpressions?.forEach((requirement, i) => {
    labelSelectorRequirement(errors, `${path}.matchExpressions[${i}]`, requirement, options);
  });
}

export function labelSelectorRequirement(
  errors: Errors,
  path: string,
  requirement: SelectorRequirementLike,
  options: LabelSelectorOptions = {},
): void {
  selectorOperator(errors, path, requirement, options);
  conforms(errors, `${path}.key`, requirement.key ?? '', qualifiedName);
  if (options.allowInvalidValues) return;
  requirement.values?.forEach((value, i) => {
    conforms(errors, `${path}.values[${i}]`, value, labelValue);
  });
}

/** Operators that take values have some, the others have none. */
export function selectorOperator(
  errors: Errors,
  path: string,
  requirement: SelectorRequirementLike,
  options: LabelSelectorOptions = {},
): void {
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) {
        const why = "must be specified when `operator` is 'In' or 'NotIn'";
        errors.push(fieldError.required(`${path}.values`, why));
      }
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
        errors.push(fieldError.forbidden(`${path}.values`, why));
      }
      break;
    default:
      if (options.allowUnknownOperators) break;
      errors.push(
        fieldError.invalid(
          `${path}.operator`,
          requirement.operator ?? '',
          'not a valid selector operator',
        ),
      );
  }
}

/** `{}` or nothing at all: selects everything, which some kinds refuse. */
export function isEmptySelector(selector: LabelSelectorLike | undefined | null): boolean {
  if (!selector) return true;
  return (
    Object.keys(selector.matchLabels ?? {}).length === 0 &&
    (selector.matchExpressions ?? []).length === 0
  );
}
