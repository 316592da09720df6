// JSON in a text field (docker configurations): what Go's encoding/json says of it.

import { DecodeError, isJsonObject, parseJson } from '@keelson/apimachinery';

/**
 * Why the text is no JSON object; undefined when it is one, or `null`, which Go takes for an empty
 * one.
 */
export function jsonObjectProblem(text: string): string | undefined {
  let value;
  try {
    value = parseJson(text);
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
  if (value === null || isJsonObject(value)) return undefined;
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
}
