// JSON values as the API server holds them. Numbers are `number`, except integers outside the
// safe range, which decoders keep as `bigint` so that int64 fields survive exactly.

export type JsonScalar = string | number | bigint | boolean | null;
export type JsonValue = JsonScalar | JsonArray | JsonObject;
export type JsonArray = JsonValue[];
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

declare global {
  interface JSON {
    /** Wraps number text so that `JSON.stringify` writes it as it stands (ECMAScript proposal-json-parse-with-source). */
    rawJSON(text: string): unknown;
  }
}
