// A finding about one field, shaped like `field.Error` of Kubernetes. Only the kinds that Pod
// Security can produce exist here; the shape fits the API server's own field errors.

import { quoteGo } from './wording.ts';

export interface FieldError {
  readonly type:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueForbidden'
    | 'FieldValueDuplicate';
  /** `spec.containers[0].ports[1].hostPort`, `metadata.labels[a/b]`. */
  readonly path: string;
  readonly badValue?: unknown;
  readonly detail: string;
}

export function forbiddenField(path: string, badValue?: unknown): FieldError {
  return { type: 'FieldValueForbidden', path, badValue, detail: '' };
}

export function requiredField(path: string): FieldError {
  return { type: 'FieldValueRequired', path, badValue: '', detail: '' };
}

export function invalidField(path: string, badValue: string, detail: string): FieldError {
  return { type: 'FieldValueInvalid', path, badValue, detail };
}

export function duplicateField(path: string, badValue: string): FieldError {
  return { type: 'FieldValueDuplicate', path, badValue, detail: '' };
}

/** `path: Invalid value: "x": must be …`, the text of one finding. */
export function renderFieldError(error: FieldError): string {
  const detail = error.detail === '' ? '' : `: ${error.detail}`;
  switch (error.type) {
    case 'FieldValueRequired':
      return `${error.path}: Required value${detail}`;
    case 'FieldValueForbidden':
      return `${error.path}: Forbidden${detail}`;
    case 'FieldValueInvalid':
      return `${error.path}: Invalid value: ${renderValue(error.badValue)}${detail}`;
    case 'FieldValueDuplicate':
      return `${error.path}: Duplicate value: ${renderValue(error.badValue)}${detail}`;
  }
}

/** One finding as it stands, several as `[a, b]` without repetitions. */
export function renderFieldErrors(errors: readonly FieldError[]): string {
  const texts = [...new Set(errors.map(renderFieldError))];
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

function renderValue(value: unknown): string {
  return typeof value === 'string' ? quoteGo(value) : String(value);
}
