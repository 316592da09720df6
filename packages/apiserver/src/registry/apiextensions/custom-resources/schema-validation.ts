// Checks a custom resource, or a part of one, against its schema: types, bounds, lengths, patterns,
// formats, enums, required fields, and the junctors allOf, anyOf, oneOf and not. Lists as sets and
// maps, embedded resources and CEL rules are checked elsewhere (list-types.ts,
// embedded-metadata.ts, schema-rules.ts).
// COMPAT: texts, values and the choice of findings are those of kube-openapi's validator. On update
// a finding is dropped where the value is what it was (KEP-4008).

import {
  encodeJsonText,
  fieldError,
  isJsonObject,
  quoteGo,
  type FieldError,
  type JsonObject,
  type JsonValue,
} from '@keelson/apimachinery';
import { childPath, shownPath } from '../schema/field-path.ts';
import { formatCheck, isSupportedFormat } from '../schema/formats.ts';
import {
  additionalSchema,
  isIntOrString,
  itemSchema,
  propertySchema,
  type JsonSchema,
} from '../schema/json-schema.ts';
import { checkNumber } from './number-validation.ts';
import { isUnchanged, oldItems } from './ratcheting.ts';
import { matchesPattern } from './schema-pattern.ts';
import { createResult, type Finding, type Result } from './validation-result.ts';

/** The value of the same place in the stored object. */
export interface Correlated {
  readonly value: JsonValue;
}

interface Place {
  /** Path within the value that is validated, as messages name it: `spec.size`. */
  readonly path: string;
  readonly old: Correlated | undefined;
}

/**
 * All findings about `value`. `path` is put before the paths within the value; the empty path is
 * the root of an object. With `old`, what did not change is not complained about.
 */
export function validateSchema(
  value: JsonValue,
  schema: JsonSchema,
  path = '',
  old?: Correlated,
): FieldError[] {
  const { findings } = validateCorrelated(value, schema, { path: '', old });
  return findings.map((finding) => finding.toError(path));
}

function validateCorrelated(value: JsonValue, schema: JsonSchema, place: Place): Result {
  const result = validateNode(value, schema, place);
  const { old } = place;
  if (result.findings.length > 0 && old && isUnchanged(schema, value, old.value)) {
    return createResult([], result.matches);
  }
  return result;
}

function validateNode(value: JsonValue, schema: JsonSchema, place: Place): Result {
  const result = createResult();
  const { path } = place;
  if (value === null) {
    checkNull(result, schema, path);
    checkEnum(result, value, schema, path);
    return result;
  }
  const types = typesOf(schema);
  const format = effectiveFormat(schema);
  if (types.length > 0 || format !== '') {
    result.merge(checkType(value, { types, format, path }));
    result.matches++;
  }
  result.merge(checkJunctors(value, schema, place));
  result.matches++;
  if (typeof value === 'string') checkString(result, value, schema, path);
  if (typeof value === 'number' || typeof value === 'bigint') {
    checkNumber(result, value, { schema, type: types[0] ?? '', format, path });
    result.matches += 2;
  }
  if (Array.isArray(value)) {
    checkList(result, value, schema, place);
    result.matches += 2;
  }
  checkEnum(result, value, schema, path);
  result.matches++;
  if (isJsonObject(value)) {
    checkObject(result, value, schema, place);
    result.matches++;
  }
  result.matches++;
  return result;
}

/** JSON types that the schema allows; both for int-or-string. */
function typesOf(schema: JsonSchema): readonly string[] {
  if (schema.type) return [schema.type];
  return isIntOrString(schema) ? ['integer', 'string'] : [];
}

function effectiveFormat(schema: JsonSchema): string {
  const { format = '' } = schema;
  return format !== '' && isSupportedFormat(format) ? format : '';
}

function checkNull(result: Result, schema: JsonSchema, path: string): void {
  const types = typesOf(schema);
  if (types.length > 0 && !schema.nullable) {
    result.add(wrongType(path, types.join(','), 'null'));
  }
}

function wrongType(path: string, expected: string, actual: string): Finding {
  const text = `${path} in body must be of type ${expected}: ${quoteGo(actual)}`;
  return located(path, text, (at) => fieldError.typeInvalid(at, actual, text));
}

/** A finding at a path within the value; `toError` puts the path of the value before it. */
function located(path: string, text: string, build: (at: string) => FieldError): Finding {
  return {
    text,
    toError: (prefix) => build(path === '' ? shownPath(prefix) : childPath(prefix, path)),
  };
}

function invalid(path: string, value: JsonValue, why: string): Finding {
  const text = `${path} in body ${why}`;
  return located(path, text, (at) => fieldError.invalid(at, value, text));
}

interface ExpectedType {
  readonly types: readonly string[];
  readonly format: string;
  readonly path: string;
}

function checkType(value: JsonValue, { types, format, path }: ExpectedType): Result {
  const [type, valueFormat] = typeAndFormat(value);
  const textOrList = typeof value === 'string' || Array.isArray(value);
  const numeric = types.includes('number') || types.includes('integer');
  const fits = types.includes(type) || (type === 'integer' && types.includes('number'));
  if (!textOrList && format !== '' && !fits && valueFormat !== format) {
    return createResult([wrongType(path, format, valueFormat)], 0);
  }
  if (!numeric && format !== '' && textOrList) return createResult([], 1);
  return fits ? createResult([], 1) : createResult([wrongType(path, types.join(','), type)], 0);
}

/** JSON type and Go's format of a value. */
function typeAndFormat(value: JsonValue): [type: string, format: string] {
  if (typeof value === 'string') return ['string', ''];
  if (typeof value === 'boolean') return ['boolean', ''];
  if (typeof value === 'bigint') return ['integer', 'int64'];
  if (typeof value === 'number') {
    return Number.isInteger(value) ? ['integer', 'int64'] : ['number', 'double'];
  }
  return [Array.isArray(value) ? 'array' : 'object', ''];
}

/** Only the first of length and pattern is reported; the format always is. */
function checkString(result: Result, value: string, schema: JsonSchema, path: string): void {
  result.matches++;
  const finding = stringFinding(value, schema, path);
  if (finding) result.add(finding);
  const check = formatCheck(schema.format ?? '');
  if (!check) return;
  result.matches++;
  if (!check(value)) {
    const text = `${path} in body must be of type ${schema.format}: ${quoteGo(value)}`;
    result.add(located(path, text, (at) => fieldError.typeInvalid(at, value, text)));
  }
}

function stringFinding(value: string, schema: JsonSchema, path: string): Finding | undefined {
  const { maxLength, minLength, pattern } = schema;
  if (maxLength !== undefined && isLonger(value, maxLength)) {
    const text = `${path} in body should be at most ${maxLength} chars long`;
    return located(path, text, (at) => fieldError.tooLong(at, Number(maxLength)));
  }
  if (minLength !== undefined && runeCount(value) < minLength) {
    return invalid(path, value, `should be at least ${minLength} chars long`);
  }
  if (pattern && !matchesPattern(schema, value)) {
    return invalid(path, value, `should match '${pattern}'`);
  }
  return undefined;
}

function isLonger(value: string, max: number | bigint): boolean {
  return value.length > max && runeCount(value) > max;
}

function runeCount(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function checkEnum(result: Result, value: JsonValue, schema: JsonSchema, path: string): void {
  const allowed = schema.enum;
  if (!allowed || allowed.length === 0) return;
  if (value !== null && allowed.some((item) => isEqualJson(item, value))) return;
  const shown = allowed.map((item) => (typeof item === 'string' ? item : encodeJsonText(item)));
  const text = `${path} in body should be one of [${allowed.join(' ')}]`;
  result.add(located(path, text, (at) => fieldError.notSupported(at, value, shown)));
}

/** Deep equality of JSON; numbers compare by value. */
function isEqualJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (typeof a === 'bigint' || typeof b === 'bigint') {
    return (typeof a === 'number' || typeof a === 'bigint') && String(a) === String(b);
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => isEqualJson(item, b[i]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && isEqualJson(a[key], b[key]));
}

function checkList(result: Result, value: JsonValue[], schema: JsonSchema, place: Place): void {
  const { path } = place;
  const items = itemSchema(schema);
  if (items) {
    const olds = oldItems(schema, value, place.old?.value);
    value.forEach((item, i) => {
      result.merge(validateCorrelated(item, items, { path: `${path}[${i}]`, old: olds(i) }));
    });
  }
  const { minItems, maxItems } = schema;
  if (minItems !== undefined && value.length < minItems) {
    result.add(invalid(path, value.length, `should have at least ${minItems} items`));
  }
  if (maxItems !== undefined && value.length > maxItems) {
    const text = `${path} in body should have at most ${maxItems} items`;
    result.add(located(path, text, (at) => fieldError.tooMany(at, value.length, Number(maxItems))));
  }
}

function checkObject(result: Result, value: JsonObject, schema: JsonSchema, place: Place): void {
  const { path } = place;
  const names = Object.keys(value);
  const { minProperties, maxProperties } = schema;
  if (minProperties !== undefined && names.length < minProperties) {
    result.add(invalid(path, names.length, `should have at least ${minProperties} properties`));
  }
  if (maxProperties !== undefined && names.length > maxProperties) {
    const text = `${path} in body should have at most ${maxProperties} properties`;
    result.add(
      located(path, text, (at) => fieldError.tooMany(at, names.length, Number(maxProperties))),
    );
  }
  const additional = additionalSchema(schema);
  for (const name of names) {
    const inner = propertySchema(schema, name) ?? additional;
    const item = value[name];
    if (inner === undefined) {
      if (schema.additionalProperties === false) {
        const text = `${path}.${name} in body is a forbidden property`;
        result.add(located(path, text, (at) => fieldError.invalid(at, name, text)));
      }
    } else if (item !== undefined) {
      const innerPath = path === '' ? name : `${path}.${name}`;
      const old = oldProperty(place.old, name);
      result.merge(validateCorrelated(item, inner, { path: innerPath, old }));
    }
  }
  for (const name of schema.required ?? []) {
    if (Object.hasOwn(value, name)) continue;
    const missing = path === '' ? name : `${path}.${name}`;
    const text = `${missing} in body is required`;
    result.add(located(missing, text, (at) => fieldError.required(at)));
  }
}

function oldProperty(old: Correlated | undefined, name: string): Correlated | undefined {
  if (!old || !isJsonObject(old.value) || !Object.hasOwn(old.value, name)) return undefined;
  const value = old.value[name];
  return value === undefined ? undefined : { value };
}

/** A finding that names no field: its path is in the text. */
function unlocated(text: string): Finding {
  return { text, toError: (prefix) => fieldError.invalid(shownPath(prefix), '', text) };
}

function checkJunctors(value: JsonValue, schema: JsonSchema, place: Place): Result {
  const result = createResult();
  if (schema.anyOf?.length) checkAnyOf(result, value, schema.anyOf, place);
  if (schema.oneOf?.length) checkOneOf(result, value, schema.oneOf, place);
  if (schema.allOf?.length) checkAllOf(result, value, schema.allOf, place);
  if (schema.not && validateNode(value, schema.not, place).findings.length === 0) {
    result.add(unlocated(`${quoteGo(place.path)} must not validate the schema (not)`));
  }
  result.matches++;
  return result;
}

/** Of several failures the one with the most positive checks says best what was meant. */
function checkAnyOf(
  result: Result,
  value: JsonValue,
  choices: readonly JsonSchema[],
  place: Place,
): void {
  let best: Result | undefined;
  for (const choice of choices) {
    const outcome = validateNode(value, choice, place);
    if (outcome.findings.length === 0) {
      result.merge(outcome);
      return;
    }
    if (best === undefined || outcome.matches > best.matches) best = outcome;
  }
  result.add(unlocated(`${quoteGo(place.path)} must validate at least one schema (anyOf)`));
  if (best) result.merge(best);
}

function checkOneOf(
  result: Result,
  value: JsonValue,
  choices: readonly JsonSchema[],
  place: Place,
): void {
  let best: Result | undefined;
  let first: Result | undefined;
  let valid = 0;
  for (const choice of choices) {
    const outcome = validateNode(value, choice, place);
    if (outcome.findings.length === 0) {
      valid++;
      best = undefined;
      first ??= outcome;
    } else if (valid === 0 && (best === undefined || outcome.matches > best.matches)) {
      best = outcome;
    }
  }
  if (valid === 1) {
    if (first) result.merge(first);
    return;
  }
  const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`;
  const subject = quoteGo(place.path);
  result.add(unlocated(`${subject} must validate one and only one schema (oneOf). ${found}`));
  if (best) result.merge(best);
}

function checkAllOf(
  result: Result,
  value: JsonValue,
  parts: readonly JsonSchema[],
  place: Place,
): void {
  let valid = 0;
  for (const part of parts) {
    const outcome = validateNode(value, part, place);
    if (outcome.findings.length === 0) valid++;
    result.merge(outcome);
  }
  if (valid === parts.length) return;
  const none = valid === 0 ? '. None validated' : '';
  result.add(unlocated(`${quoteGo(place.path)} must validate all the schemas (allOf)${none}`));
}
