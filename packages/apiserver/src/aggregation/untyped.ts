// Reading documents that another server wrote: whatever is not of the expected form is empty.

export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
/** Undefined when it is no JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
