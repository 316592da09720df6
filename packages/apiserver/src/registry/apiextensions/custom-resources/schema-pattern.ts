// Patterns of schemas: RE2 syntax, matched in linear time, compiled when first used and kept as long
// as the schema is.

import { RE2JS } from 're2js';
import type { JsonSchema } from '../schema/json-schema.ts';

const compiled = new WeakMap<JsonSchema, RE2JS>();

/** True when the pattern of the schema is found anywhere in the text. */
export function matchesPattern(schema: JsonSchema, text: string): boolean {
  let pattern = compiled.get(schema);
  if (!pattern) {
    pattern = RE2JS.compile(schema.pattern ?? '');
    compiled.set(schema, pattern);
  }
  return pattern.matcher(text).find();
}

/** Why a pattern is no regular expression, in Go's words; undefined when it is one. */
export function patternProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
