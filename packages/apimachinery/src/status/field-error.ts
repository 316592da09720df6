// One finding of validation, in Kubernetes' words (`field.Error`). Validators collect them in a
// list; nothing throws. `renderFieldError` gives the text of `details.causes[].message`.

import type { JsonValue } from '../json.ts';

export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueDuplicate'
  | 'FieldValueNotFound'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

export interface FieldError {
  readonly type: FieldErrorType;
  /** `spec.containers[0].image`, `metadata.labels[a/b]`. */
  readonly path: string;
  /** The offending value; Go's zero-value text rules apply when it is rendered. */
  readonly badValue?: unknown;
  readonly detail: string;
}

/** As `badValue`: the error is about the whole field, whose value is not repeated. */
export const omittedValue: unique symbol = Symbol('omitted value');

const invalidLabels: Readonly<Record<FieldErrorType, string>> = {
  FieldValueRequired: 'Required value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueNotFound: 'Not found',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
};

export const fieldError = {
  required: (path: string, detail = ''): FieldError => ({
    type: 'FieldValueRequired',
    path,
    badValue: '',
    detail,
  }),
  invalid: (path: string, badValue: unknown, detail: string): FieldError => ({
    type: 'FieldValueInvalid',
    path,
    badValue,
    detail,
  }),
  /**
   * The supported values are listed as given: Kubernetes sorts only those that it keeps in sets.
   */
  notSupported: (path: string, badValue: unknown, supported: readonly string[]): FieldError => ({
    type: 'FieldValueNotSupported',
    path,
    badValue,
    detail:
      supported.length === 0
        ? ''
        : `supported values: ${supported.map((v) => JSON.stringify(v)).join(', ')}`,
  }),
  forbidden: (path: string, detail: string): FieldError => ({
    type: 'FieldValueForbidden',
    path,
    badValue: '',
    detail,
  }),
  duplicate: (path: string, badValue: unknown): FieldError => ({
    type: 'FieldValueDuplicate',
    path,
    badValue,
    detail: '',
  }),
  notFound: (path: string, badValue: unknown): FieldError => ({
    type: 'FieldValueNotFound',
    path,
    badValue,
    detail: '',
  }),
  tooLong: (path: string, maxLength: number): FieldError => ({
    type: 'FieldValueTooLong',
    path,
    badValue: '<value omitted>',
    detail:
      maxLength < 0
        ? 'value is too long'
        : `may not be more than ${maxLength} byte${maxLength === 1 ? '' : 's'}`,
  }),
  tooMany: (path: string, actual: number, max: number): FieldError => ({
    type: 'FieldValueTooMany',
    path,
    badValue: actual,
    detail: max < 0 ? 'has too many items' : `must have at most ${max} item${max === 1 ? '' : 's'}`,
  }),
  typeInvalid: (path: string, badValue: unknown, detail: string): FieldError => ({
    type: 'FieldValueTypeInvalid',
    path,
    badValue,
    detail,
  }),
  internal: (path: string, detail: string): FieldError => ({ type: 'InternalError', path, detail }),
} as const;

/** The message without the path: `Invalid value: "a b": must be …`. */
export function renderFieldErrorBody(e: FieldError): string {
  const label = invalidLabels[e.type];
  const withoutValue =
    e.type === 'FieldValueRequired' ||
    e.type === 'FieldValueForbidden' ||
    e.type === 'FieldValueTooLong' ||
    e.type === 'InternalError';
  const head =
    withoutValue || e.badValue === omittedValue ? label : `${label}: ${renderValue(e.badValue)}`;
  return e.detail === '' ? head : `${head}: ${e.detail}`;
}
/** `path: message`, as it stands in the message of an Invalid status. */
export function renderFieldError(e: FieldError): string {
  return `${e.path}: ${renderFieldErrorBody(e)}`;
}

function renderValue(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return quoteGo(value);
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
    return String(value);
  const text = JSON.stringify(value as JsonValue, (_key, v: unknown) =>
    typeof v === 'bigint' ? JSON.rawJSON(v.toString()) : v,
  );
  return text.replace(
    /[<>&\u2028\u2029]/g,
    (ch) => `\\u${ch.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Go's `%q`: printable runes stand as they are, control characters are escaped. */
export function quoteGo(text: string): string {
  let out = '"';
  for (const ch of text) {
    const code = ch.codePointAt(0) ?? 0;
    if (ch === '"' || ch === '\\') out += `\\${ch}`;
    else if (ch === '\n') out += '\\n';
    else if (ch === '\t') out += '\\t';
    else if (ch === '\r') out += '\\r';
    else if (code === 7) out += '\\a';
    else if (code === 8) out += '\\b';
    else if (code === 12) out += '\\f';
    else if (code === 11) out += '\\v';
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code >= 0x80 && /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(ch)) {
      out +=
        code > 0xffff
          ? `\\U${code.toString(16).padStart(8, '0')}`
          : `\\u${code.toString(16).padStart(4, '0')}`;
    } else out += ch;
  }
  return `${out}"`;
}
