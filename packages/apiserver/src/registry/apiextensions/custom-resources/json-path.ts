// The JSONPath of printer columns, as client-go has it: fields, indexes, slices, wildcards, unions,
// filters on one comparison, and recursive descent. Missing fields give nothing; a path that cannot
// be followed gives no result at all.

import { isJsonObject, type JsonValue } from '@keelson/apimachinery';

/** The values that a path selects, in order. */
export type JsonPath = (root: JsonValue) => JsonValue[];

type Step = (values: JsonValue[]) => JsonValue[];

/** The text is no JSONPath; the column is then left empty. */
class JsonPathError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'JsonPathError';
  }
}

/**
 * Accepts `.spec.a`, `.l[0]`, `.l[-1:]`, `.l[*].k`, `.m['a.b']`, `.l[?(@.k=="q")].v`, `..name`,
 * `.a,.b`-free forms.
 */
export function parseJsonPath(text: string): JsonPath {
  const steps: Step[] = [];
  let rest = text.startsWith('$') ? text.slice(1) : text;
  while (rest !== '') {
    const [step, length] = readStep(rest);
    steps.push(step);
    rest = rest.slice(length);
  }
  return (root) => steps.reduce((values, step) => step(values), [root]);
}

const identifier = /^(?:[^\s.[\](){}?@,'"\\]|\\.)+/;

function readStep(rest: string): [Step, number] {
  if (rest.startsWith('..')) {
    const name = identifier.exec(rest.slice(2))?.[0];
    if (name === undefined) return [descendants, 2];
    return [(values) => fieldOf(unescape(name))(descendants(values)), 2 + name.length];
  }
  if (rest.startsWith('.')) {
    const after = rest.slice(1);
    if (after === '' || after.startsWith('[')) return [(values) => values, 1];
    if (after.startsWith('*')) return [wildcard, 2];
    const name = identifier.exec(after)?.[0];
    if (name === undefined) throw new JsonPathError(`unexpected text in JSONPath: ${rest}`);
    return [fieldOf(unescape(name)), 1 + name.length];
  }
  if (rest.startsWith('[')) {
    const end = closingBracket(rest);
    return [bracketStep(rest.slice(1, end).trim()), end + 1];
  }
  if (rest.startsWith('@')) return [(values) => values, 1];
  const name = identifier.exec(rest)?.[0];
  if (name === undefined) throw new JsonPathError(`unexpected text in JSONPath: ${rest}`);
  return [fieldOf(unescape(name)), name.length];
}

const unescape = (name: string) => name.replaceAll(/\\(.)/g, '$1');

/**
 * The index of the `]` that closes the bracket at the start; quotes and inner brackets are skipped.
 */
function closingBracket(text: string): number {
  let depth = 0;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const ch = text[i];
    if (quote !== '') {
      if (ch === '\\') i++;
      else if (ch === quote) quote = '';
    } else if (ch === '"' || ch === "'") quote = ch;
    else if (ch === '[') depth++;
    else if (ch === ']' && --depth === 0) return i;
  }
  throw new JsonPathError('unterminated array');
}

function bracketStep(inner: string): Step {
  if (inner === '*') return wildcard;
  const filter = /^\?\((.*)\)$/s.exec(inner);
  if (filter) return filterStep((filter[1] ?? '').trim());
  if (/^(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")$/s.test(inner)) return fieldOf(unquote(inner));
  if (inner.includes(',')) {
    const parts = inner.split(',').map((part) => bracketStep(part.trim()));
    return (values) => parts.flatMap((part) => part(values));
  }
  const slice = /^(-?\d*)(?::(-?\d*))?(?::(-?\d*))?$/.exec(inner);
  if (!slice || inner === '') throw new JsonPathError(`invalid array index ${inner}`);
  if (!inner.includes(':')) return indexStep(Number(slice[1]));
  return sliceStep(
    numberOr(slice[1], undefined),
    numberOr(slice[2], undefined),
    numberOr(slice[3], 1) ?? 1,
  );
}

const unquote = (text: string) => text.slice(1, -1).replaceAll(/\\(.)/g, '$1');

function numberOr<D>(text: string | undefined, fallback: D): number | D {
  return text === undefined || text === '' ? fallback : Number(text);
}

function fieldOf(name: string): Step {
  return (values) =>
    values.flatMap((value) => {
      if (!isJsonObject(value) || !Object.hasOwn(value, name)) return [];
      const field = value[name];
      return field === undefined ? [] : [field];
    });
}

const wildcard: Step = (values) =>
  values.flatMap((value) => {
    if (Array.isArray(value)) return value;
    return isJsonObject(value) ? presentValues(value) : [];
  });

const presentValues = (object: Readonly<Record<string, JsonValue | undefined>>) =>
  Object.values(object).filter((value) => value !== undefined);

const descendants: Step = (values) =>
  values.flatMap((value) => [value, ...descendants(wildcard([value]))]);

function indexStep(index: number): Step {
  return (values) =>
    values.flatMap((value) => {
      if (!Array.isArray(value)) throw new JsonPathError('not an array');
      const item = value.at(index);
      if (item === undefined) throw new JsonPathError(`array index out of bounds: index ${index}`);
      return [item];
    });
}

function sliceStep(start: number | undefined, end: number | undefined, step: number): Step {
  if (step <= 0) throw new JsonPathError('step must be > 0');
  return (values) =>
    values.flatMap((value) => {
      if (!Array.isArray(value)) throw new JsonPathError('not an array');
      return value.slice(start, end).filter((_item, i) => i % step === 0);
    });
}

type Comparison = (a: JsonValue, b: JsonValue) => boolean;

const comparisons: Readonly<Record<string, Comparison>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => order(a, b) < 0,
  '<=': (a, b) => order(a, b) <= 0,
  '>': (a, b) => order(a, b) > 0,
  '>=': (a, b) => order(a, b) >= 0,
};

/**
 * Negative, zero or positive; NaN, which compares as nothing, for values without a common order.
 */
function order(a: JsonValue, b: JsonValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== 'string' || typeof b !== 'string') return Number.NaN;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `@.k=="q"`, `@.n > 3`, or `@.k` alone, which asks whether there is one. */
function filterStep(text: string): Step {
  const parts = /^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$/s.exec(text);
  const left = operand(parts?.[1] ?? text);
  const compare = comparisons[parts?.[2] ?? ''];
  const right = parts ? operand(parts[3] ?? '') : undefined;
  const keeps = (item: JsonValue): boolean => {
    const a = left(item);
    if (!compare || !right) return a.length > 0;
    const b = right(item);
    const [x, y] = [a[0], b[0]];
    return x !== undefined && y !== undefined && compare(x, y);
  };
  return (values) =>
    values.flatMap((value) => {
      if (!Array.isArray(value)) throw new JsonPathError('filter on something that is no array');
      return value.filter(keeps);
    });
}

function operand(text: string): JsonPath {
  const trimmed = text.trim();
  if (trimmed.startsWith('@')) return parseJsonPath(trimmed.slice(1));
  if (/^["']/.test(trimmed)) {
    const value = unquote(trimmed);
    return () => [value];
  }
  if (trimmed === 'true' || trimmed === 'false') return () => [trimmed === 'true'];
  const number = Number(trimmed);
  if (trimmed === '' || Number.isNaN(number)) {
    throw new JsonPathError(`unrecognized operand in JSONPath filter: ${trimmed}`);
  }
  return () => [number];
}
