// Patterns of schemas: RE2 syntax, matched in linear time, compiled when first used and kept as
// long as the schema is. Schemas repeat their patterns, so the last ones are shared by text.

import { RE2JS } from 're2js';
import type { JsonSchema } from '../schema/json-schema.ts';

const ofSchemas = new WeakMap<JsonSchema, RE2JS>();
const recent = new Map<string, RE2JS>();
const recentMax = 256;

/** True when the pattern of the schema is found anywhere in the text. */
export function matchesPattern(schema: JsonSchema, text: string): boolean {
  let pattern = ofSchemas.get(schema);
  if (!pattern) {
    pattern = compile(schema.pattern ?? '');
    ofSchemas.set(schema, pattern);
  }
  return pattern.matcher(text).find();
}

/** Why a pattern is no regular expression, in Go's words; undefined when it is one. */
export function patternProblem(pattern: string): string | undefined {
  try {
    compile(pattern);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function compile(text: string): RE2JS {
  const known = recent.get(text);
  if (known) return known;
  const pattern = RE2JS.compile(text);
  const oldest = recent.size >= recentMax ? recent.keys().next().value : undefined;
  if (oldest !== undefined) recent.delete(oldest);
  recent.set(text, pattern);
  return pattern;
}
