// Field selectors: `field=value`, `field==value` and `field!=value`, joined by commas. In values a
// comma, an equals sign and a backslash are written with a backslash before them. Which
// fields a resource knows is the caller's: it passes them through `mapFields`.

import { compareGoStrings } from '../go-string.ts';
import { SelectorError } from './label-requirement.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** A compiled selector; immutable. */
export interface FieldMatcher {
  readonly requirements: readonly FieldRequirement[];
  /** Selects everything. */
  readonly isEmpty: boolean;
  /** `read` gives a field's value as text, the empty string when there is none. */
  matches(read: (field: string) => string): boolean;
  /** The value that `field` must have; lets an index or a key lookup be used. */
  exactValue(field: string): string | undefined;
  /** The canonical text, which parses to the same selector. */
  toString(): string;
}

export const everyFieldMatcher: FieldMatcher = createFieldMatcher([]);

/** Compiles the text of `fieldSelector` query parameters; throws `SelectorError`. */
export function parseFieldSelector(text: string): FieldMatcher {
  if (text === '') return everyFieldMatcher;
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).sort(compareGoStrings)) {
    if (term === '') continue;
    const m = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (!m) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    requirements.push({
      field: m[1] ?? '',
      operator: m[2] === '!=' ? '!=' : '=',
      value: unescapeFieldValue(m[3] ?? ''),
    });
  }
  return createFieldMatcher(requirements);
}

/** Compiles requirements; they are taken as they are. */
export function createFieldMatcher(requirements: readonly FieldRequirement[]): FieldMatcher {
  return {
    requirements,
    isEmpty: requirements.length === 0,
    matches(read) {
      for (const r of requirements) {
        if ((read(r.field) === r.value) !== (r.operator === '=')) return false;
      }
      return true;
    },
    exactValue: (field) => requirements.find((r) => r.operator === '=' && r.field === field)?.value,
    toString: () =>
      requirements.map((r) => `${r.field}${r.operator}${escapeFieldValue(r.value)}`).join(','),
  };
}

/**
 * The same selector in another vocabulary: `map` renames a field or rewrites its value, gives
 * undefined to drop the requirement, and throws for a field that the resource does not have.
 */
export function mapFields(
  selector: FieldMatcher,
  map: (field: string, value: string) => { field: string; value: string } | undefined,
): FieldMatcher {
  const requirements: FieldRequirement[] = [];
  for (const r of selector.requirements) {
    const mapped = map(r.field, r.value);
    if (mapped) requirements.push({ ...mapped, operator: r.operator });
  }
  return requirements.length === 0 ? everyFieldMatcher : createFieldMatcher(requirements);
}

export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, '\\$&');
}

/** The value behind the escapes; throws `SelectorError` for others and for bare commas and `=`. */
export function unescapeFieldValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text;
  let out = '';
  let escaped = false;
  for (const ch of text) {
    if (escaped) {
      if (!'\\,='.includes(ch)) throw invalidEscape(`\\${ch}`);
      out += ch;
      escaped = false;
    } else if (ch === '\\') {
      escaped = true;
    } else if (ch === ',' || ch === '=') {
      // COMPAT: Kubernetes prints the number of the character.
      throw new SelectorError(
        `invalid field selector: unescaped character in value: ${ch.codePointAt(0)}`,
      );
    } else {
      out += ch;
    }
  }
  if (escaped) throw invalidEscape('\\');
  return out;
}

function invalidEscape(sequence: string): SelectorError {
  return new SelectorError(`invalid field selector: invalid escape sequence: ${sequence}`);
}

/** At commas that have no backslash before them. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}
