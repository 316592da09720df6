// Paths into a schema as selectable fields and rules name them: `.spec.color`, `.spec['a.b']`. They
// go through properties and map values only.

import { childPath, keyPath } from './field-path.ts';
import { additionalSchema, propertySchema, type JsonSchema } from './json-schema.ts';

export interface ResolvedSchemaPath {
  /** The names on the way, unquoted. */
  readonly segments: readonly string[];
  /** `spec.color`, `m[a]`: the path as findings show it. */
  readonly path: string;
  readonly schema: JsonSchema;
}

export type SchemaPathResult =
  | { readonly ok: true; readonly resolved: ResolvedSchemaPath }
  | { readonly ok: false; readonly why: string };

export interface SchemaPathOptions {
  /** Whether `['name']` may stand for `.name`. */
  readonly brackets: boolean;
}

/**
 * Follows the path through the schema; the reason of a failure is worded as Kubernetes words it.
 */
export function resolveSchemaPath(
  text: string,
  schema: JsonSchema,
  { brackets }: SchemaPathOptions = { brackets: true },
): SchemaPathResult {
  const tokens = tokenize(text);
  const segments: string[] = [];
  let current: ResolvedSchemaPath = { segments, path: '', schema };
  for (let i = 0; i < tokens.length; i++) {
    const read = readSegment(tokens, i, brackets);
    if (!read.ok) return read;
    const next = descend(current, read.name);
    if (next === undefined) return { ok: false, why: 'does not refer to a valid field' };
    if (read.bracketed) {
      const close = tokens[i + 2];
      if (close === undefined) return { ok: false, why: 'unexpected end of JSON path' };
      if (close !== ']') return { ok: false, why: `expected ] but got ${close}` };
    }
    i += read.bracketed ? 2 : 1;
    segments.push(read.name);
    current = next;
  }
  return { ok: true, resolved: current };
}

type Segment =
  | { readonly ok: true; readonly name: string; readonly bracketed: boolean }
  | { readonly ok: false; readonly why: string };

function readSegment(tokens: readonly string[], at: number, brackets: boolean): Segment {
  const token = tokens[at];
  const value = tokens[at + 1];
  if (token === '.') {
    if (value === undefined) return { ok: false, why: 'unexpected end of JSON path' };
    return { ok: true, name: value, bracketed: false };
  }
  if (token !== '[') return { ok: false, why: `expected [ or . but got: ${token}` };
  if (!brackets) return { ok: false, why: 'array notation is not allowed' };
  if (value === undefined) return { ok: false, why: 'unexpected end of JSON path' };
  if (value.length < 2 || !value.startsWith("'") || !value.endsWith("'")) {
    return { ok: false, why: `expected single quoted string but got ${value}` };
  }
  return unescapeQuoted(value.slice(1, -1));
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
};

function unescapeQuoted(text: string): Segment {
  let bad: string | undefined;
  const name = text.replaceAll(/\\(.)/g, (all, letter: string) => {
    const plain = escapes[letter];
    if (plain === undefined) bad ??= all;
    return plain ?? '';
  });
  if (bad === undefined) return { ok: true, name, bracketed: true };
  return { ok: false, why: `invalid string literal: invalid escape char ${bad}` };
}

/** `.`, `[` and `]` stand alone; a text in single quotes is one token. */
function tokenize(text: string): string[] {
  return text.match(/[.[\]]|'(?:[^'\\]|\\.)*'|[^.[\]]+/gs) ?? [];
}

function descend(from: ResolvedSchemaPath, name: string): ResolvedSchemaPath | undefined {
  const { segments, path, schema } = from;
  if (schema.properties !== undefined && Object.keys(schema.properties).length > 0) {
    const property = propertySchema(schema, name);
    return property && { segments, path: childPath(path, name), schema: property };
  }
  const additional = additionalSchema(schema);
  return additional && { segments, path: keyPath(path, name), schema: additional };
}
